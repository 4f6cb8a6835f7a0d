"""A campaign's figures of today, this week and this month, from the hourly sums: two statements, whatever it handled."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from campaigns.models import CallLeg, Campaign, CampaignHour

from .summaries import calls_now

PERIODS = ("today", "this_week", "this_month")


def period_starts(campaign: Campaign, now: datetime) -> dict[str, datetime]:
    """When each period began in the campaign's own time zone; a week begins on Monday."""
    local = now.astimezone(ZoneInfo(campaign.time_zone))
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return {"today": day, "this_week": day - timedelta(days=day.weekday()), "this_month": day.replace(day=1)}


def _sums(hours: QuerySet[CampaignHour], field: str, starts: dict[str, datetime]) -> dict[str, Sum]:
    # Hours are whole hours of UTC: where a zone is half an hour off, a period's first hour counts as a whole.
    return {
        f"{name}_{field}": Sum(field, filter=Q(hour__gt=since - timedelta(hours=1)), default=0)
        for name, since in starts.items()
    }


def quick_stats(campaign: Campaign) -> dict[str, Any]:
    """{today, this_week, this_month: {calls, connected, minutes, payout, payin}, live}; sums are a minute old at most.

    calls: to a bundle, or those that a destination received. Of a bundle only calls are known: what becomes of them is its
    destinations' (None). Money counts in the period in which the call ended, in the campaign's currency. live: now.
    """
    starts = period_starts(campaign, timezone.now())
    hours = CampaignHour.objects.filter(campaign=campaign, hour__gt=min(starts.values()) - timedelta(hours=1))
    fields = ("calls",) if campaign.is_bundle else ("received", "answered", "seconds", "cost", "revenue")
    sums = hours.aggregate(**{name: total for field in fields for name, total in _sums(hours, field, starts).items()})
    if campaign.is_bundle:
        stats: dict[str, Any] = {
            name: {"calls": sums[f"{name}_calls"], "connected": None, "minutes": None, "payout": None, "payin": None}
            for name in PERIODS
        }
    else:
        stats = {
            name: {
                "calls": sums[f"{name}_received"],
                "connected": sums[f"{name}_answered"],
                "minutes": float(round(Decimal(sums[f"{name}_seconds"]) / 60, 2)),
                "payout": float(sums[f"{name}_cost"]),
                "payin": float(sums[f"{name}_revenue"]),
            }
            for name in PERIODS
        }
    return {**stats, "live": _live(campaign)}


def _live(campaign: Campaign) -> int:
    """Calls in progress: those that came to the bundle, or all on the destination, however they came."""
    if campaign.is_bundle:
        return calls_now(campaign=campaign)
    return CallLeg.objects.filter(destination=campaign, ended_at=None).count()
