"""The two endpoints that every call passes: POST calls.json and POST calls/<id>/events.json.

Which campaign a bundle's own id stands for does not change with a call and is remembered for API_ROUTING_CACHE_SECONDS;
caps, hours, regions and destinations never are: those the SQL reads.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from campaigns import actions
from campaigns.models import Call, Campaign
from campaigns.queries import decision_of
from portal.accounts.models import Network
from portal.accounts.tokens import Identity
from portal.api import throttling
from portal.api.fast import fast_view, json_response
from portal.api.idempotency import key_digest
from portal.errors import Invalid, NotFound
from portal.memory import Memory

from .traces import decision_body

Problem = tuple[str | None, str, str]

_campaign_ids: Memory[tuple[int, str], int] = Memory(lambda: settings.API_ROUTING_CACHE_SECONDS, 50_000)

MAX_BIGINT = 2**63 - 1


def call_pk(transaction_id: str) -> int:
    """The primary key behind a call's id in an address. Raises NotFound `unknown_call`."""
    pk = Call.pk_of(transaction_id) if transaction_id.replace("-", "", 1).isalnum() else None
    if pk is None or not 0 < pk <= MAX_BIGINT:
        raise NotFound("There is no such call in this network.", field="call", code="unknown_call")
    return pk


def moment(value: datetime | None) -> str | None:
    """A moment as the API writes it: ISO 8601 in UTC."""
    return value.isoformat().replace("+00:00", "Z") if value is not None else None


def campaign_id(network: Network, own: str) -> int:
    """The campaign that a bundle's own id stands for. Raises NotFound `unknown_campaign`."""
    known = _campaign_ids.get((network.pk, own))
    if known is None:
        known = Campaign.objects.filter(network=network, id_from_network=own).values_list("pk", flat=True).first()
        if known is None:
            raise NotFound(
                f"There is no bundle or campaign “{own}” in this network.", field="bundle", code="unknown_campaign"
            )
        _campaign_ids.put((network.pk, own), known)
    return known


def destination_body(routed: actions.Routed) -> dict[str, Any] | None:
    """What a switch needs of the destination chosen."""
    if routed.destination_id is None:
        return None
    return {
        "id": routed.destination_id,
        "id_from_network": routed.destination_own_id,
        "name": routed.destination_name,
        "destination_phone_number": routed.destination_phone_number,
    }


def _text(
    data: dict[str, Any], name: str, problems: list[Problem], at_most: int, *, required: bool = False
) -> str | None:
    value = data.get(name)
    if value is None:
        if required and name not in data:
            problems.append((name, "required", f"Give “{name}”; null when the caller withheld his number."))
        return None
    if isinstance(value, int) and not isinstance(value, bool) and name == "bundle":
        value = str(value)
    if not isinstance(value, str):
        problems.append((name, "invalid_type", f"“{name}” is a text."))
        return None
    if len(value) > at_most:
        problems.append((name, "too_long", f"“{name}” has at most {at_most} characters."))
        return None
    return value


def _flag(data: dict[str, Any], name: str, problems: list[Problem]) -> bool:
    value = data.get(name)
    if value is not None and not isinstance(value, bool):
        problems.append((name, "invalid_type", f"“{name}” is true or false."))
    return value is True


@fast_view(throttling.calls)
def route_call(identity: Identity, network: Network, data: dict[str, Any], key: str | None) -> HttpResponse:
    """Decide where a call goes and take its slot. A refusal is a decision too, and is answered 201."""
    problems: list[Problem] = []
    caller = _text(data, "caller", problems, 64, required=True)
    number = _text(data, "promo_number", problems, 64)
    bundle = _text(data, "bundle", problems, 100)
    external_id = _text(data, "external_id", problems, 100)
    trace = _flag(data, "trace", problems)
    if (number is None) == (bundle is None) and not any(field in ("promo_number", "bundle") for field, *_ in problems):
        problems.append(
            ("promo_number", "required", "Name either the promo_number called or the bundle, not both and not neither.")
        )
    if problems:
        raise Invalid.of(problems)
    actions.calls_allowed(by=identity.user, network=network)
    routed = actions.call_route(
        by=identity.user, network=network, caller=caller, promo_number=number,
        campaign=None if bundle is None else campaign_id(network, bundle),
        external_id=external_id or (key_digest(key) if key else None),
    )  # fmt: skip
    body: dict[str, Any] = {
        "call": Call.transaction_id_of(routed.call_id),
        "outcome": routed.outcome,
        "destination": destination_body(routed),
        "refusal": routed.refusal or None,
        "over_cap": bool(routed.over_cap),
        "lease_expires_at": moment(routed.expires_at),
    }
    if trace:
        body["trace"] = decision_body(decision_of(Call.objects.get(pk=routed.call_id)))
    return json_response(body, 200 if routed.repeated else 201)


def _at(data: dict[str, Any], problems: list[Problem]) -> datetime | None:
    value = data.get("at")
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        problems.append(("at", "invalid_moment", "“at” is a moment with its zone, such as 2026-11-01T12:00:00Z."))
        return None
    return at


@fast_view(throttling.calls)
def call_event(
    identity: Identity, network: Network, data: dict[str, Any], key: str | None, call: str
) -> HttpResponse:  # fmt: skip
    """Apply one event of a call; safe to repeat and in any order."""
    problems: list[Problem] = []
    event = _text(data, "event", problems, 20)
    at = _at(data, problems)
    cause = _text(data, "cause", problems, 40)
    detail = _text(data, "detail", problems, 250)
    if event is None and not problems:
        problems.append(("event", "required", f"Say what happened: {', '.join(actions.EVENTS)}."))
    if problems:
        raise Invalid.of(problems)
    actions.calls_allowed(by=identity.user, network=network)
    result = actions.call_event(
        by=identity.user, network=network, call=call_pk(call), event=event or "", at=at, cause=cause or "",
        detail=detail or "",
    )  # fmt: skip
    return json_response(
        {
            "call": call.upper(),
            "event": event,
            "result": result.result,
            "answered_at": moment(result.answered_at),
            "ended_at": moment(result.ended_at),
            "end_reason": result.end_reason or None,
            "lease_expires_at": None if result.ended_at else moment(result.expires_at),
        }
    )
