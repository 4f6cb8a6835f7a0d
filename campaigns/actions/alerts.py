"""Alerts on caps: told once a threshold is reached, told again when there is room."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from campaigns.choices import CampaignStatus, CapKind
from campaigns.models import Advertiser, AlertState, Campaign, Cap, DestinationState
from portal.accounts import access
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.hooks.actions import emit
from portal.notices.actions import notify

logger = logging.getLogger(__name__)

ALERT, RECOVERED = "cap.alert", "cap.recovered"
KINDS = {ALERT: "A cap's use reached a threshold", RECOVERED: "A cap has room again"}


@dataclass(frozen=True)
class Use:
    """A cap's use now. `since` is the start of its period (None for concurrent calls), `until` its end."""

    used: Decimal
    since: datetime | None
    until: datetime | None

    def percent(self, cap: Cap) -> float:
        return float(self.used / cap.amount * 100)


def use_of(cap: Cap, state: DestinationState, now: datetime) -> Use | None:
    """The use that the cap's thresholds are held against; None while nothing of it is in force."""
    if cap.kind == CapKind.CONCURRENT_CALLS:
        return None if state.live_cap is None else Use(Decimal(state.live), None, None)
    if cap.kind == CapKind.BUDGET:
        used, since, until = state.spend_used, state.spend_since, state.spend_until
    else:
        used, since, until = Decimal(state.calls_used), state.calls_since, state.calls_until
    if since is None:
        return None
    if until is not None and now >= until:
        return Use(Decimal(0), until, None)  # the next period has begun, and nobody called yet
    return Use(used, since, until)


def reached(cap: Cap, use: Use) -> int:
    """The highest of the cap's thresholds that its use has reached; 0 if none."""
    return max((threshold for threshold in cap.alert_thresholds if use.percent(cap) >= threshold), default=0)


def recipients(campaign: Campaign) -> list[User]:
    """Who is told: the network's Managers and above, and whoever was granted its caps. Each decides on mail himself."""
    members = Q(memberships__network=campaign.network_id, memberships__role__gte=Role.MANAGER)
    granted = Q(pk__in=[])
    for model, pk in ((Campaign, campaign.pk), (Advertiser, campaign.advertiser_id)):
        users, groups = access.grant_tables(model)
        name = access.codename("change_budget_caps", model)
        rows = {"content_object_id": pk, "permission__codename": name}
        granted |= Q(pk__in=users.objects.filter(**rows).values("user_id"))
        granted |= Q(groups__in=groups.objects.filter(**rows).values("group_id"))
    in_network = Q(memberships__network=campaign.network_id)
    return list(User.objects.filter(members | (granted & in_network), is_active=True).distinct())


def _candidates(now: datetime) -> Iterable[Cap]:
    """Caps whose alerts may have something to say: at their lowest threshold, or told of and perhaps recovered."""
    told = AlertState.objects.filter(threshold__gt=0).values_list("campaign_id", "kind")
    open_alerts = set(told)
    caps = (
        Cap.objects.filter(alerts_enabled=True, amount__gt=0)
        .exclude(campaign__status=CampaignStatus.ARCHIVED)
        .select_related("campaign__network", "campaign__state")
    )
    for cap in caps.iterator(chunk_size=2000):
        state = getattr(cap.campaign, "state", None)
        use = use_of(cap, state, now) if state else None
        if use is not None and (reached(cap, use) or (cap.campaign_id, cap.kind) in open_alerts):
            yield cap


def alerts_check() -> int:
    """Look at every cap with alerts and tell what is new. Returns how many were told. Safe to run twice and beside itself:
    what is told and that it was told are one transaction, under the lock of the cap's `AlertState`."""
    count = 0
    for cap in list(_candidates(timezone.now())):
        try:
            count += _alert_one(cap)
        except Exception:
            logger.exception("the alert of a cap failed; the next run tries again", extra={"cap": cap.pk})
    return count


def _alert_one(cap: Cap) -> int:
    campaign, now = cap.campaign, timezone.now()
    today = now.astimezone(ZoneInfo(cap.time_zone or campaign.time_zone)).date()
    with transaction.atomic():
        AlertState.objects.bulk_create([AlertState(campaign=campaign, kind=cap.kind)], ignore_conflicts=True)
        row = AlertState.objects.select_for_update().get(campaign=campaign, kind=cap.kind)
        use = use_of(cap, DestinationState.objects.get(pk=campaign.pk), now)
        if use is None:
            return 0
        level, told = reached(cap, use), 0
        if row.period_since != use.since:
            # A new period: what was told of the last one is over. With use already high again there is no relief to tell of.
            told += _recover(cap, row, use, today) if row.threshold and not level else 0
            row.period_since, row.threshold = use.since, 0
        if level > row.threshold and row.told_on != today:
            _tell(cap, use, level, today)
            row.threshold, row.told_on = level, today
            told += 1
        elif level < row.threshold:
            told += _recover(cap, row, use, today) if not level else 0
            row.threshold = level
        row.save()
        return told


def _figures(cap: Cap, use: Use) -> str:
    if cap.kind == CapKind.BUDGET:
        return f"{use.used:,.2f} of {cap.amount:,.2f} {cap.currency}"
    return f"{use.used:,.0f} of {cap.amount:,.0f} calls"


def _figure(cap: Cap, amount: Decimal) -> str | int:
    """An amount as JSON has it: money as a text, so that no reader rounds it; calls as the whole number that they are."""
    return str(amount) if cap.kind == CapKind.BUDGET else int(amount)


def _data(cap: Cap, use: Use, threshold: int) -> dict[str, object]:
    campaign = cap.campaign
    return {
        "campaign": campaign.id_from_network, "name": campaign.name, "kind": cap.kind, "threshold": threshold,
        "used": _figure(cap, use.used), "limit": _figure(cap, cap.amount), "percent": round(use.percent(cap), 1),
        "resets_at": use.until.isoformat() if use.until else None,
    }  # fmt: skip


def _tell(cap: Cap, use: Use, threshold: int, today: date) -> None:
    campaign, label = cap.campaign, CapKind(cap.kind).label
    what = f"{label} of “{campaign}” at {use.percent(cap):.0f} %"
    zone = ZoneInfo(cap.time_zone or campaign.time_zone)
    ends = f" It resets {use.until.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})." if use.until else ""
    full = (
        " Bundles send it no more calls until there is room; calls to it directly go on."
        if use.percent(cap) >= 100
        else ""
    )
    key = f"{ALERT}:{campaign.pk}:{cap.kind}:{today}"
    notify(
        users=recipients(campaign), network=campaign.network, kind=ALERT, title=what, key=key,
        body=f"{_figures(cap, use)} are used ({threshold} % reached).{full}{ends}",
        link=reverse("campaigns:caps", args=[campaign.pk]),
    )  # fmt: skip
    emit(network=campaign.network, kind=ALERT, data=_data(cap, use, threshold), key=key)


def _recover(cap: Cap, row: AlertState, use: Use, today: date) -> int:
    """Tell that there is room again; at most once a day."""
    if row.recovered_on == today:
        return 0
    campaign = cap.campaign
    key = f"{RECOVERED}:{campaign.pk}:{cap.kind}:{today}"
    notify(
        users=recipients(campaign), network=campaign.network, kind=RECOVERED, key=key,
        title=f"{CapKind(cap.kind).label} of “{campaign}” has room again",
        body=f"{_figures(cap, use)} are used.", link=reverse("campaigns:caps", args=[campaign.pk]),
    )  # fmt: skip
    emit(network=campaign.network, kind=RECOVERED, data=_data(cap, use, 0), key=key)
    row.recovered_on = today
    return 1
