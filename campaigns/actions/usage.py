"""The counters of budget and periodic caps, set by hand."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import connection, transaction

from campaigns.choices import CapKind
from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid

from .caps import MAX_CALLS

# Far above any real use, and so far below what the counters' columns hold that calls go on being counted.
MOST = {CapKind.BUDGET: Decimal(99_999_999_999), CapKind.PERIODIC_CALLS: Decimal(MAX_CALLS)}


def _used(kind: str, value: Any) -> Decimal:
    try:
        if isinstance(value, bool) or value is None:
            raise InvalidOperation
        used = Decimal(str(value).strip())
        if not used.is_finite():
            raise InvalidOperation
    except InvalidOperation as error:
        raise Invalid(f"“{value}” is not a number; 0 resets the counter.", field="used", code="not_a_number") from error
    if not 0 <= used <= MOST[CapKind(kind)]:
        raise Invalid(
            f"A counter is 0 to {MOST[CapKind(kind)]}; it is {used}. 0 resets it.", field="used", code="out_of_range"
        )
    places = 0 if kind == CapKind.PERIODIC_CALLS else 4
    if used != round(used, places):
        what = "whole calls" if places == 0 else "money with at most four decimals"
        raise Invalid(f"This counter counts {what}; it is {used}.", field="used", code="fractional")
    return used


def usage_set(*, by: User | None, campaign: Campaign, kind: str, used: Any, reason: str) -> Decimal:
    """Reset (0) or override the use of a budget or periodic cap in its present period. Needs `change_budget_caps` and a
    reason; audited with what it was. Calls in progress, and those that wait for their price, count on top of it until they
    are settled: what is given back for them must not make room for more calls. Returns what it was.

    Raises Invalid; Conflict `not_counted` where the campaign has no such cap in force.
    """
    access.require(by, "change_budget_caps", campaign)
    if kind not in (CapKind.BUDGET, CapKind.PERIODIC_CALLS):
        raise Invalid(
            "Only the counters of a budget and of a periodic call cap can be set; live calls are counted, not kept.",
            field="kind", code="unknown_kind",
        )  # fmt: skip
    wanted = _used(kind, used)
    reason = reason.strip()
    if not reason:
        raise Invalid(
            "Say why the counter is set; the reason is kept in the audit trail.", field="reason", code="required"
        )
    with transaction.atomic(), connection.cursor() as cursor:
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        cursor.execute("SELECT campaigns_usage_set(%s, %s, %s)", [campaign.pk, kind, wanted])
        was = cursor.fetchone()[0]
        if was is None:
            raise Conflict(
                f"“{campaign}” has no {CapKind(kind).label.lower()} in force, so nothing is counted.", field="kind",
                code="not_counted",
            )  # fmt: skip
        record(
            event="usage.set", obj=campaign, by=by, reason=reason, changes={"kind": [kind, kind], "used": [was, wanted]}
        )
    return was
