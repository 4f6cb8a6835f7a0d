"""The adapter of the simulator (`manage.py carrier_simulator`): plain JSON over HTTP."""

import json
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.utils.dateparse import parse_datetime
from standardwebhooks import Webhook, WebhookVerificationError

from outbound.choices import EventKind, EventSource, Outcome
from outbound.models import Carrier

from .guard import GuardedTransport
from .port import Callback, Event, Known, Lost, NotSent, NotSigned, Order, Placed, Rejected, event

DEFAULT_URL = "http://127.0.0.1:8077"
MOST_AT_ONCE = 200


class Simulator:
    """Speaks to the simulator. Secrets: `callback_secret` (whsec_...), with which callbacks are signed.

    Settings: `address`, where the operator runs it; no page and no API writes that.
    """

    def __init__(self, carrier: Carrier) -> None:
        self._secret = carrier.secret("callback_secret")
        limits = httpx.Limits(max_connections=settings.OUTBOUND_IN_FLIGHT + 4)
        transport = GuardedTransport if carrier.base_url else httpx.HTTPTransport
        self._client = httpx.Client(
            base_url=carrier.base_url or carrier.settings.get("address") or DEFAULT_URL, timeout=settings.OUTBOUND_PLACE_TIMEOUT,
            transport=transport(trust_env=False, limits=limits), trust_env=False,
        )  # fmt: skip

    def place(self, order: Order) -> Placed:
        body = {
            "attempt": str(order.attempt), "recipient": order.recipient, "to": order.number, "from": order.ani,
            # Its events name their attempts, so all calls share one address and many events one request.
            "callback": order.callback_url.rpartition("/")[0], "secret": self._secret, "parameters": dict(order.parameters),
        }  # fmt: skip
        try:
            response = self._client.post("/calls", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"not connected ({type(error).__name__})") from error
        except httpx.HTTPError as error:
            raise Lost(type(error).__name__) from error
        if response.status_code in (200, 201):
            return Placed(response.json()["id"])
        if response.status_code in (429, 503):
            raise NotSent(f"HTTP {response.status_code}", _seconds(response.headers.get("retry-after")))
        if 400 <= response.status_code < 500:
            answer = response.json()
            raise Rejected(answer.get("outcome", Outcome.REJECTED), str(answer.get("cause", response.status_code)))
        raise Lost(f"HTTP {response.status_code}")

    def lookup(self, known: list[Known]) -> list[Event]:
        found: list[Event] = []
        for start in range(0, len(known), MOST_AT_ONCE):
            part = known[start : start + MOST_AT_ONCE]
            try:
                response = self._client.post("/lookup", json={"attempts": [str(one.attempt) for one in part]})
                response.raise_for_status()
            except httpx.HTTPError as error:
                raise NotSent(str(error)) from error
            calls = response.json()["calls"]
            for one in part:
                call = calls.get(str(one.attempt))
                if call is None:
                    found.append(_absent(one))
                else:
                    found.append(_accepted(one.attempt, call["id"]))
                    found += [_event(item, EventSource.LOOKUP) for item in call["events"]]
        return found

    def hangup(self, known: Known) -> bool:
        try:
            return self._client.delete(f"/calls/{known.attempt}").status_code in (200, 404)
        except httpx.HTTPError:
            return False

    def events(self, callback: Callback) -> list[Event]:
        try:
            if not self._secret:
                raise NotSigned("The carrier has no callback_secret.")
            Webhook(self._secret).verify(callback.body, dict(callback.headers), json_parse=False)
        except WebhookVerificationError as error:
            raise NotSigned(str(error)) from error
        return [_event(item, EventSource.CALLBACK) for item in json.loads(callback.body)["events"]]

    def close(self) -> None:
        self._client.close()


def _event(item: dict[str, Any], source: EventSource) -> Event:
    """The simulator's words are ours, so its log and its callbacks are the same events."""
    more: dict[str, Any] = {name: item.get(name) for name in ("outcome", "cause", "callee", "duration")}
    return event(item["attempt"], EventKind(item["kind"]), source, at=parse_datetime(item["at"]), **more)


def _accepted(attempt: UUID, carrier_call_id: str) -> Event:
    return event(attempt, EventKind.ACCEPTED, EventSource.LOOKUP, carrier_call_id=carrier_call_id)


def _absent(known: Known) -> Event:
    return event(known.attempt, EventKind.ABSENT, EventSource.LOOKUP)


def _seconds(text: str | None) -> int:
    return int(text[:9]) if text and text.isascii() and text.isdigit() else 0
