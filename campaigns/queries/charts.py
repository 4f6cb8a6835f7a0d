"""Figures over time, from the hourly sums (`CampaignHour`)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from campaigns.choices import EndReason
from campaigns.models import Campaign, CampaignHour
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from portal.web.charts import Chart, Series

from .lists import campaigns_visible


def _hours(count: int) -> list[datetime]:
    """The last `count` full hours in UTC, the present one last."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    return [now - timedelta(hours=count - 1 - index) for index in range(count)]


def _labels(hours: list[datetime], zone: str) -> list[str]:
    local = [hour.astimezone(ZoneInfo(zone)) for hour in hours]
    pattern = "%H:%M" if len(hours) <= 24 else "%a %H:%M"
    return [hour.strftime(pattern) for hour in local]


def _sees_all(user: User, network: Network) -> bool:
    return access.stands_above(user) or user.roles.get(network.pk, -1) >= Role.OBSERVER


def _summed(user: User, network: Network, since: datetime) -> QuerySet[CampaignHour]:
    """The hourly sums that `user` may see; without the campaign filter where his role shows him everything."""
    rows = CampaignHour.objects.filter(network=network, hour__gte=since)
    return rows if _sees_all(user, network) else rows.filter(campaign__in=campaigns_visible(user, network))


def calls_per_hour(*, user: User, network: Network, hours: int = 24) -> Chart:
    """Calls of the last `hours` hours: those that found a destination, and those refused."""
    span = _hours(hours)
    sums = {
        row["hour"]: (row["all"], row["no"])
        for row in _summed(user, network, span[0]).values("hour").annotate(all=Sum("calls"), no=Sum("refused"))
    }
    refused = [sums.get(hour, (0, 0))[1] for hour in span]
    taken = [sums.get(hour, (0, 0))[0] - no for hour, no in zip(span, refused, strict=True)]
    series = [Series("Sent to a destination", taken), Series("Refused", refused, "bad")]
    return Chart("Calls per hour", _labels(span, network.time_zone), series, stacked=True)


def refusals(*, user: User, network: Network, hours: int = 24) -> list[tuple[str, int]]:
    """Refused calls of the last `hours` hours by reason, the most frequent first."""
    rows = _summed(user, network, _hours(hours)[0]).order_by().values("refused_by_reason")
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.key, sum(r.value::integer)::integer AS n"  # noqa: S608 - the inner statement is Django's own
            f" FROM ({sql}) h, jsonb_each_text(h.refused_by_reason) r GROUP BY 1 ORDER BY n DESC, 1",
            params,
        )
        found = cursor.fetchall()
    return [(EndReason(key).label if key in EndReason.values else key, count) for key, count in found]


def peak_per_hour(*, campaign: Campaign, cap: int | None, hours: int = 24) -> Chart:
    """The highest number of calls at once per hour on a destination, beside its cap of now; in its own time zone."""
    span = _hours(hours)
    sums = dict(campaign.hours_summed.filter(hour__gte=span[0]).values_list("hour", "peak_live"))
    series = [Series("Most calls at once", [sums.get(hour, 0) for hour in span])]
    if cap is not None:
        series.append(Series("Cap now", [cap] * len(span), "limit"))
    return Chart("Peak of concurrent calls per hour", _labels(span, campaign.time_zone), series)


def bundle_calls_per_hour(*, bundle: Campaign, hours: int = 24) -> Chart:
    """Calls to one bundle, as `calls_per_hour`; in its own time zone."""
    span = _hours(hours)
    sums = {row.hour: row for row in bundle.hours_summed.filter(hour__gte=span[0])}
    refused = [sums[hour].refused if hour in sums else 0 for hour in span]
    taken = [sums[hour].calls - sums[hour].refused if hour in sums else 0 for hour in span]
    series = [Series("Sent to a destination", taken), Series("Refused", refused, "bad")]
    return Chart("Calls per hour", _labels(span, bundle.time_zone), series, stacked=True)
