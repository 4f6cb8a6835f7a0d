"""How a result reads: our own JSON, the older `call_details`, and the older form."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from outbound.choices import ResultFormat
from outbound.models import Attempt, AttemptEvent, Batch, Recipient, ResultDelivery
from outbound.secrets import shown

# The older interface's words for what happens to a call.
_OLD_EVENTS = {"accepted": "dialing", "ringing": "dialing", "answered": "connected", "ended": "disconnected"}


def body_of(delivery: ResultDelivery, batch: Batch) -> tuple[bytes, str]:
    """(body, content type) of a delivery, from the rows as they are: the same on every try unless news came meanwhile."""
    recipient = Recipient.objects.get(pk=delivery.recipient_id)
    tries = list(Attempt.objects.filter(recipient=recipient.pk).order_by("number"))
    if delivery.attempt_id is not None:
        tries = [one for one in tries if one.pk == delivery.attempt_id] or tries
    last = tries[-1] if tries else None
    if batch.result_format == ResultFormat.CALL_DETAILS:
        return _json(_call_details(batch, recipient, tries)), "application/json"
    if batch.result_format == ResultFormat.FORM:
        return urlencode(_form(batch, recipient, last)).encode(), "application/x-www-form-urlencoded"
    kind = "attempt.ended" if delivery.attempt_id else "call.ended"
    if recipient.state == "unknown" or (delivery.attempt_id and last and last.state == "unknown"):
        kind = "call.unknown"
    content = {"type": kind, "timestamp": _moment(delivery.created_at), "data": _data(batch, recipient, tries)}
    return _json(content), "application/json"


def _data(batch: Batch, recipient: Recipient, tries: list[Attempt]) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "batch_name": batch.name,
        "recipient": recipient.pk,
        "phone_number": recipient.number,
        "ani": recipient.ani or batch.ani,
        "status": recipient.state,
        "reason": recipient.reason,
        "outcome": recipient.outcome,
        "attempts": recipient.dialed,
        "max_attempts": batch.max_attempts,
        "message_reference": batch.message_reference,
        "call_parameters": _parameters(batch, recipient),
        "calls": [attempt_data(one) for one in tries],
    }


def _parameters(batch: Batch, recipient: Recipient) -> dict[str, Any]:
    """What the call was given. Values of PINs and the like are hidden where the result would travel in the open."""
    given = {**batch.parameters, **(recipient.parameters or {})}
    return given if batch.result_url.lower().startswith("https://") else shown(given)


def attempt_data(attempt: Attempt) -> dict[str, Any]:
    """One attempt as results and the API show it."""
    return {
        "id": str(attempt.pk),
        "attempt": attempt.number,
        "status": attempt.state,
        "outcome": attempt.outcome,
        "cause": attempt.cause,
        "callee_type": attempt.callee_type,
        "carrier_call_id": attempt.carrier_call_id,
        "queued_at": _moment(attempt.claimed_at),
        "dialed_at": _moment(attempt.placed_at),
        "answered_at": _moment(attempt.answered_at),
        "ended_at": _moment(attempt.ended_at),
        "duration": attempt.duration,
    }


def _call_details(batch: Batch, recipient: Recipient, tries: list[Attempt]) -> dict[str, Any]:
    last = tries[-1] if tries else None
    events = [{"event": "queued", "timestamp": _moment(tries[0].claimed_at)}] if tries else []
    heard = AttemptEvent.objects.filter(attempt__in=[one.pk for one in tries], kind__in=_OLD_EVENTS).order_by(
        "at", "id"
    )
    for one in heard:
        name = _OLD_EVENTS[one.kind]
        if events[-1]["event"] != name:
            events.append({"event": name, "timestamp": _moment(one.at)})
    return {
        "call_details": {
            "status": recipient.state,
            "attempts": recipient.dialed,
            "max_attempts": batch.max_attempts,
            "phone_number": recipient.number,
            "queued_timestamp": _moment(tries[0].claimed_at) if tries else None,
            "start_timestamp": _moment(last.placed_at) if last else None,
            "end_timestamp": _moment(last.ended_at) if last else None,
            "reattempt_wait": batch.retry_interval,
            "duration": last.duration if last else None,
            "callee_type": last.callee_type if last else "",
            "message_reference": batch.message_reference,
            "events": events,
        }
    }


def _form(batch: Batch, recipient: Recipient, last: Attempt | None) -> dict[str, Any]:
    return {
        "phone_number": recipient.number,
        "message_reference": batch.message_reference,
        "status": recipient.state,
        "attempt": last.number if last else 0,
        "callee_type": last.callee_type if last else "",
        "result": (last.outcome if last else "") or recipient.reason,
        "cause": last.cause if last else "",
        "duration": (last.duration or 0) if last else 0,
        "scheduled_timestamp": int(last.claimed_at.timestamp()) if last else 0,
        "call_parameters": json.dumps(_parameters(batch, recipient)),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
