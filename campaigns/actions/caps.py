"""Caps: setting and clearing. One door for page, admin, both API versions and commands."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from campaigns.choices import CapKind, ResetPeriod
from campaigns.models import Campaign, Cap, DestinationState
from campaigns.models.caps import default_thresholds
from portal.accounts import access
from portal.accounts.actions.networks import CURRENCIES
from portal.accounts.models import User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid

from .advertisers import Problem
from .terms import zone_problem

MAX_CONCURRENT = 100_000
MAX_AMOUNT = Decimal("999999999999")
# What a counter of calls holds, with room to spare.
MAX_CALLS = 1_000_000_000
# The first day of a cap: outside of it the calendars of the database and of Python do not agree any more.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
_SHOWN = (
    "amount",
    "reset_period",
    "starts_at",
    "time_zone",
    "currency",
    "include_call_fees",
    "alerts_enabled",
    "alert_thresholds",
)


def _amount(kind: str, value: Any, problems: list[Problem]) -> Decimal:
    label = CapKind(kind).label.lower()
    try:
        if isinstance(value, bool) or value is None:
            raise InvalidOperation
        amount = Decimal(str(value).strip())
        if not amount.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        problems.append(
            ("amount", "not_a_number", f"“{value}” is not a number; leave the cap out for none, 0 closes the campaign.")
        )
        return Decimal(0)
    ceiling = {
        CapKind.CONCURRENT_CALLS: Decimal(MAX_CONCURRENT), CapKind.PERIODIC_CALLS: Decimal(MAX_CALLS)
    }.get(CapKind(kind), MAX_AMOUNT)  # fmt: skip
    if amount < 0:
        problems.append(
            (
                "amount",
                "negative",
                f"A {label} cannot be negative; it is {amount}. 0 closes the campaign, no cap leaves it open.",
            )
        )
    elif amount > ceiling:
        problems.append(
            ("amount", "too_large", f"A {label} is at most {ceiling}; it is {amount}. Leave the cap out for no limit.")
        )
    elif kind != CapKind.BUDGET and amount != amount.to_integral_value():
        problems.append(("amount", "fractional", f"A {label} counts whole calls; it is {amount}."))
    elif amount.as_tuple().exponent < -2 and amount != amount.quantize(Decimal("0.01")):  # type: ignore[operator]
        problems.append(("amount", "fractional", f"A budget has at most two decimals; it is {amount}."))
    return amount


def _period(values: dict[str, Any], campaign: Campaign, problems: list[Problem]) -> dict[str, Any]:
    """The period's fields, required for budget and periodic caps (domain/api-shapes.md)."""
    reset_period, starts_at = values.get("reset_period"), values.get("starts_at")
    time_zone = values.get("time_zone") or campaign.time_zone
    if reset_period not in ResetPeriod.values:
        problems.append(
            (
                "reset_period",
                "unknown_reset_period",
                f"“{reset_period or ''}” is not a period; use {', '.join(ResetPeriod.values)}.",
            )
        )
    if isinstance(starts_at, str):
        try:
            starts_at = date.fromisoformat(starts_at[:10])
        except ValueError:
            problems.append(("starts_at", "invalid_date", f"“{starts_at}” is not a date; write it as 2026-11-01."))
            starts_at = None
    elif starts_at is None:
        problems.append(("starts_at", "required", "Say on which day the first period starts."))
    if isinstance(starts_at, date) and not FIRST_DAY <= starts_at <= LAST_DAY:
        text = f"The first day lies between {FIRST_DAY} and {LAST_DAY}; it is {starts_at}."
        problems.append(("starts_at", "out_of_range", text))
    if problem := zone_problem(str(time_zone)):
        problems.append(problem)
    return {"reset_period": reset_period, "starts_at": starts_at, "time_zone": time_zone}


def cap_set(*, by: User | None, campaign: Campaign, kind: str, amount: Any, **values: Any) -> Cap:
    """Set a campaign's cap of one kind, new or changed, with effect at once. Needs `change_budget_caps`.

    amount: money for `budget`, whole calls otherwise; 0 closes the campaign. values: reset_period, starts_at,
    time_zone, currency, include_call_fees for the periodic kinds (the first three required on a new one);
    alerts_enabled and alert_thresholds (percent, 1 to 1000) for all. What is not given keeps its value.

    A concurrent cap below what is live is allowed: calls go on, new ones come when enough have ended (the answer's
    `DestinationState` says how many are live). Raises Invalid with every problem; Conflict when the network lacks
    concurrent call caps.
    """
    access.require(by, "change_budget_caps", campaign)
    if kind not in CapKind.values:
        raise Invalid(
            f"“{kind}” is not a kind of cap; use {', '.join(CapKind.values)}.", field="kind", code="unknown_kind"
        )
    if kind == CapKind.CONCURRENT_CALLS:
        if campaign.is_bundle:
            raise Invalid(
                f"“{campaign}” is a bundle: the concurrent call cap is set on each of its destination campaigns.",
                field="amount", code="cap_on_bundle",
            )  # fmt: skip
        if not campaign.network.concurrent_call_caps_enabled:
            raise Conflict(
                f"Concurrent call caps are not switched on for {campaign.network} (Enterprise package); ask platform staff.",
                field="amount", code="feature_off",
            )  # fmt: skip
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        cap = Cap.objects.select_for_update(no_key=True).filter(campaign=campaign, kind=kind).first()
        before = {name: getattr(cap, name) for name in _SHOWN} if cap else {}
        if cap is None:
            # A concurrent cap's alerts are off unless asked for: one notice a day says little about calls at once.
            cap = Cap(campaign=campaign, kind=kind, alerts_enabled=kind != CapKind.CONCURRENT_CALLS)
        problems: list[Problem] = []
        cap.amount = _amount(kind, amount, problems)
        if kind != CapKind.CONCURRENT_CALLS:
            given = {
                name: values[name] if name in values else getattr(cap, name)
                for name in ("reset_period", "starts_at", "time_zone")
            }
            for name, value in _period(given, campaign, problems).items():
                setattr(cap, name, value)
            cap.include_call_fees = bool(values.get("include_call_fees", cap.include_call_fees))
        if kind == CapKind.BUDGET:
            cap.currency = values.get("currency") or cap.currency or campaign.currency
            if cap.currency not in CURRENCIES:
                problems.append(
                    ("currency", "unknown_currency", f"“{cap.currency}” is not supported; use {', '.join(CURRENCIES)}.")
                )
            elif cap.currency != campaign.currency:
                problems.append(
                    (
                        "currency",
                        "other_currency",
                        f"The campaign pays in {campaign.currency}; a budget in {cap.currency} could not be compared.",
                    )
                )
        if "alerts_enabled" in values:
            cap.alerts_enabled = bool(values["alerts_enabled"])
        thresholds = values.get("alert_thresholds", cap.alert_thresholds or default_thresholds())
        if (
            not isinstance(thresholds, list)
            or not all(isinstance(t, int) and 1 <= t <= 1000 for t in thresholds)
            or len(thresholds) > 10
        ):
            problems.append(
                ("alert_thresholds", "out_of_range", "Thresholds are up to ten whole percentages from 1 to 1000.")
            )
        else:
            cap.alert_thresholds = sorted(set(thresholds))
        if problems:
            raise Invalid.of(problems)
        cap.save()
        changes = changes_between(before, {name: getattr(cap, name) for name in _SHOWN})
        if changes:
            record(
                event=f"cap.{'change' if before else 'set'}",
                obj=campaign,
                by=by,
                changes={"kind": [kind, kind], **changes},
            )
    return cap


def cap_clear(*, by: User | None, campaign: Campaign, kind: str) -> bool:
    """Remove a campaign's cap of one kind (no limit any more). Needs `change_budget_caps`. False if there was none."""
    access.require(by, "change_budget_caps", campaign)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        cap = Cap.objects.select_for_update().filter(campaign=campaign, kind=kind).first()
        if cap is None:
            return False
        amount = cap.amount
        cap.delete()
        record(event="cap.clear", obj=campaign, by=by, changes={"kind": [kind, kind], "amount": [amount, None]})
    return True


def live_over(campaign: Campaign, cap: Cap) -> int:
    """How many calls are live above a concurrent cap just set: they go on; new ones come when that many and one have ended."""
    if cap.kind != CapKind.CONCURRENT_CALLS:
        return 0
    live = DestinationState.objects.filter(pk=campaign.pk).values_list("live", flat=True).first() or 0
    return max(0, live - int(cap.amount))
