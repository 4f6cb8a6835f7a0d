"""The calls in progress, as `calls_in_progress/current_calls.json` lists them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from campaigns.choices import LegKind, RegionType
from campaigns.models import AreaPrefix, CallLeg, Campaign
from campaigns.regions import STATES
from portal.accounts import access
from portal.accounts.models import User

from .hot import moment


def live_legs(user: User) -> QuerySet[CallLeg]:
    """The live legs that `user` may see: by their destination."""
    legs = CallLeg.objects.filter(ended_at=None).select_related("call", "destination")
    return access.restrict(legs, user)


def _places(callers: Iterable[str | None]) -> dict[str, AreaPrefix]:
    """Every known place prefix of the callers, in one query."""
    prefixes = {caller[1:length] for caller in callers if caller for length in range(2, 9)}
    return AreaPrefix.objects.in_bulk(list(prefixes))


def _within(region: dict[str, Any], caller: str, places: dict[str, AreaPrefix]) -> bool:
    kind, value = region.get("region_type"), str(region.get("value", ""))
    if kind == RegionType.PREFIX:
        parts = [part.strip() for part in value.split(",")]
        digits = [(part, "".join(char for char in part if char.isdigit())) for part in parts]
        wanted = [d if part.startswith("+") or len(d) not in (3, 6) else f"1{d}" for part, d in digits if d]
        return any(caller[1:].startswith(prefix) for prefix in wanted)
    rows = [row for length in range(2, 9) if (row := places.get(caller[1:length]))]
    city, _, state = (part.strip() for part in value.partition(","))
    code = STATES.get((state or value).title(), (state or value).upper())
    return any(
        (kind == RegionType.COUNTRY and row.country == value.upper())
        or (kind == RegionType.STATE and row.level == "area" and row.state == code)
        or (kind == RegionType.CITY and row.city.lower() == city.lower() and row.state == code)
        or (kind == RegionType.ZONE and value.title() in row.zones)
        for row in rows
    )


def _regions(leg: CallLeg, places: dict[str, AreaPrefix]) -> list[str]:
    """Names of the destination's regions that the caller is in."""
    caller = leg.call.caller
    if not caller:
        return []
    return [
        named["name"]
        for named in leg.destination.named_regions
        if any(_within(region, caller, places) for region in named.get("regions", []))
    ]


def _status(leg: CallLeg) -> str:
    if leg.answered_at:
        return "connected"
    return "ringing" if leg.ringing_at else "connecting"


def rows_in_progress(legs: list[CallLeg], user: User) -> list[dict[str, Any]]:
    """The legs in the documented shape; two queries more, whatever their number. Who sees only the destination does not
    learn which number was called."""
    called = Campaign.objects.filter(pk__in={leg.call.campaign_id for leg in legs})
    whole = set(access.restrict(called, user).values_list("pk", flat=True))
    places = _places(leg.call.caller for leg in legs if leg.destination.named_regions)
    return [
        {
            "transaction_id": leg.call.transaction_id,
            "call_record_id": leg.call.transaction_id,
            "call_status": _status(leg),
            "start_time": moment(leg.call.started_at),
            "bridge_start_time": moment(leg.answered_at),
            "called_phone_number": (leg.call.promo_number or None) if leg.call.campaign_id in whole else None,
            "destination_phone_number": leg.destination.destination_phone_number,
            "calling_phone_number": leg.call.caller,
            "advertiser_campaign_id": leg.destination_id,
            "advertiser_campaign_id_from_network": leg.destination.id_from_network,
            "qualified_regions": _regions(leg, places),
            "repeat_calling_phone_number": leg.kind == LegKind.REPEAT,
            "custom_data": _custom_data(leg),
        }
        for leg in legs
    ]


def _custom_data(leg: CallLeg) -> dict[str, Any]:
    data = leg.destination.extra.get("custom_data")
    return data if isinstance(data, dict) else {}
