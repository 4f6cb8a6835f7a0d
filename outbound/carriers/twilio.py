"""Twilio, or whatever speaks its REST: calls by the official SDK, callbacks signed its way.

Twilio has no idempotency key and does not keep our id: a call is recognised by its sid, and one whose answer was lost
by number, ani and time in the carrier's own list (`lookup`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from outbound.choices import CalleeType, EventKind, EventSource, Outcome
from outbound.models import Attempt, Carrier

from .guard import GuardedAdapter
from .port import Callback, Event, Known, Lost, NotSent, NotSigned, Order, Placed, Rejected, event

# Twilio's words for a call that is over, and ours.
_ENDS = {
    "completed": Outcome.ANSWERED,
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "failed": Outcome.CARRIER_ERROR,
    "canceled": Outcome.CANCELED,
}
# SIP answers that say why a call failed better than "failed" does.
_SIP = {404: Outcome.INVALID_NUMBER, 484: Outcome.INVALID_NUMBER, 410: Outcome.INVALID_NUMBER, 603: Outcome.REJECTED}
_INVALID_NUMBER = {21211, 21214, 21217, 13223, 13224}
# What is wrong with the account, not with the call: it cannot be authenticated, is suspended or closed.
_ACCOUNT = {20003, 20005, 20006}
_CALLEES = {
    "human": CalleeType.VOICE, "fax": CalleeType.FAX, "unknown": CalleeType.UNKNOWN,
    "machine_start": CalleeType.MACHINE, "machine_end_beep": CalleeType.MACHINE,
    "machine_end_silence": CalleeType.MACHINE, "machine_end_other": CalleeType.MACHINE,
}  # fmt: skip
# A lost call is looked for from a little before it was claimed to a while after.
_BEFORE, _AFTER = timedelta(seconds=5), timedelta(minutes=2)


class Twilio:
    """Settings: `account_sid`, `ring_seconds`, `machine_detection` (Enable, DetectMessageEnd, ""). Secrets: `auth_token`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._settings: Mapping[str, Any] = carrier.settings
        token = carrier.secret("auth_token")
        self._http = TwilioHttpClient(timeout=settings.OUTBOUND_PLACE_TIMEOUT, max_retries=0)
        self._client = Client(carrier.settings.get("account_sid") or "AC", token or "-", http_client=self._http)
        if carrier.base_url:
            self._client.api.base_url = carrier.base_url.rstrip("/")
            self._guard()
        self._validator = RequestValidator(token) if token else None

    def _guard(self) -> None:
        """The address is one that somebody typed: no private one is connected to."""
        session = self._http.session
        if session is not None:
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, GuardedAdapter(pool_maxsize=settings.OUTBOUND_IN_FLIGHT, max_retries=0))

    def place(self, order: Order) -> Placed:
        options: dict[str, Any] = {"timeout": int(self._settings.get("ring_seconds", 30))}
        if order.callback_url:
            options |= {
                "status_callback": order.callback_url,
                "status_callback_event": ["initiated", "ringing", "answered", "completed"],
                "status_callback_method": "POST",
            }
        if detection := self._settings.get("machine_detection", "Enable"):
            options |= {"machine_detection": detection, "async_amd": "true"}
            if order.callback_url:
                options["async_amd_status_callback"] = order.callback_url
        url = order.start_url
        if order.parameters and url:
            url += ("&" if "?" in url else "?") + urlencode(
                {key: str(value) for key, value in order.parameters.items()}
            )
        try:
            call = self._client.calls.create(to=order.number, from_=order.ani, url=url, **options)
        except TwilioRestException as error:
            raise _refusal(error) from error
        except requests.ConnectTimeout as error:
            raise NotSent("not connected (timeout)") from error
        except requests.ConnectionError as error:
            # The SDK's client does not tell "refused" from "broken off": only the first is certain.
            if isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError):
                raise NotSent("not connected") from error
            raise Lost(type(error).__name__) from error
        except (requests.RequestException, TwilioException) as error:
            raise Lost(type(error).__name__) from error
        return Placed(str(call.sid))

    def lookup(self, known: list[Known]) -> list[Event]:
        found: list[Event] = []
        taken: set[str] = {one.carrier_call_id for one in known}
        for one in known:
            try:
                call = self._call_of(one, taken)
            except NotSent:
                # What was heard before holds; about the others it is asked again soon.
                if not found:
                    raise
                break
            if call is None:
                found.append(event(one.attempt, EventKind.ABSENT, EventSource.LOOKUP))
            else:
                taken.add(call.sid)
                found += _events_of(one.attempt, call)
        return found

    def _call_of(self, one: Known, taken: set[str]) -> Any:
        """The carrier's record of a call, or None; not one of those `taken` by others. Raises NotSent."""
        try:
            if one.carrier_call_id:
                return self._client.calls(one.carrier_call_id).fetch()
            return next((call for call in self._search(one) if call.sid not in taken), None)
        except TwilioRestException as error:
            if error.status == 404 and one.carrier_call_id:
                return None
            raise NotSent(f"HTTP {error.status}") from error
        except (requests.RequestException, TwilioException) as error:
            raise NotSent(type(error).__name__) from error

    def _search(self, one: Known) -> list[Any]:
        """The calls in the carrier's list that can only be this one: same numbers, same minutes, not another's of ours."""
        calls = self._client.calls.list(
            to=one.number, from_=one.ani, start_time_after=one.claimed_at - _BEFORE, limit=50
        )
        near = [call for call in calls if _begun(call) is None or _begun(call) <= one.claimed_at + _AFTER]
        taken = set(
            Attempt.objects.filter(carrier=self._carrier, carrier_call_id__in=[call.sid for call in near]).values_list(
                "carrier_call_id", flat=True
            )
        )
        return [call for call in near if call.sid not in taken]

    def hangup(self, known: Known) -> bool:
        if not known.carrier_call_id:
            return False
        try:
            self._client.calls(known.carrier_call_id).update(status="completed")
        except (requests.RequestException, TwilioException):
            return False
        return True

    def events(self, callback: Callback) -> list[Event]:
        signature = {name.lower(): value for name, value in callback.headers.items()}.get("x-twilio-signature", "")
        if self._validator is None or not self._validator.validate(callback.url, dict(callback.form), signature):
            raise NotSigned("The signature does not fit.")
        form, attempt = callback.form, callback.attempt
        if attempt is None:
            return []
        if "CallStatus" not in form and "AnsweredBy" in form:
            return [_callee(attempt, form["AnsweredBy"], EventSource.CALLBACK)]
        at = _moment(form.get("Timestamp"))
        more = {"carrier_call_id": form.get("CallSid", ""), "data": dict(form)}
        status, mark = form.get("CallStatus", ""), form.get("SequenceNumber", "")
        found: list[Event] = []
        if form.get("AnsweredBy"):
            found.append(_callee(attempt, form["AnsweredBy"], EventSource.CALLBACK))
        if status in _ENDS:
            sip = int(form["SipResponseCode"]) if form.get("SipResponseCode", "").isdigit() else 0
            outcome = _SIP.get(sip, _ENDS[status]) if status == "failed" else _ENDS[status]
            cause = str(sip or form.get("ErrorCode") or status)
            duration = int(form["CallDuration"]) if form.get("CallDuration", "").isdigit() else None
            found.append(
                event(attempt, EventKind.ENDED, EventSource.CALLBACK, mark=mark, at=at, outcome=outcome, cause=cause,
                      duration=duration if status == "completed" else None, **more)
            )  # fmt: skip
        elif status in _PROGRESS:
            found.append(event(attempt, _PROGRESS[status], EventSource.CALLBACK, mark=mark, at=at, **more))
        return found

    def close(self) -> None:
        if self._http.session is not None:
            self._http.session.close()


_PROGRESS = {
    "queued": EventKind.ACCEPTED, "initiated": EventKind.ACCEPTED, "ringing": EventKind.RINGING,
    "in-progress": EventKind.ANSWERED,
}  # fmt: skip


def _refusal(error: TwilioRestException) -> Exception:
    cause = f"HTTP {error.status}" + (f" {error.code}" if error.code else "")
    # The second line is about the account or its address, so it is the same for everybody: nobody was dialed, and whoever is
    # on the list must not be used up while somebody mends that.
    if error.status in (429, 503) or error.status in (401, 404) or error.code in _ACCOUNT:
        return NotSent(cause)
    if 400 <= error.status < 500:
        if error.code in _INVALID_NUMBER:
            return Rejected(Outcome.INVALID_NUMBER, cause)
        return Rejected(Outcome.REJECTED if error.status in (400, 403) else Outcome.CARRIER_ERROR, cause)
    return Lost(cause)


def _events_of(attempt: UUID, call: Any) -> list[Event]:
    source = EventSource.LOOKUP
    found = [event(attempt, EventKind.ACCEPTED, source, carrier_call_id=call.sid, at=_begun(call))]
    if call.answered_by:
        found.append(_callee(attempt, call.answered_by, source))
    status = str(call.status)
    if status in _ENDS:
        seconds = int(call.duration) if str(call.duration or "").isdigit() and status == "completed" else None
        found.append(
            event(attempt, EventKind.ENDED, source, outcome=_ENDS[status], cause=status, duration=seconds,
                  at=_aware(call.end_time))
        )  # fmt: skip
    elif status in _PROGRESS:
        found.append(event(attempt, _PROGRESS[status], source))
    return found


def _callee(attempt: UUID, answered_by: str, source: EventSource) -> Event:
    return event(attempt, EventKind.CALLEE, source, callee=_CALLEES.get(answered_by, CalleeType.UNKNOWN))


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _begun(call: Any) -> Any:
    return _aware(call.start_time or call.date_created)


def _moment(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
