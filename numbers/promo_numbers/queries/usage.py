"""A network's use of numbers, day by day, and what it leads to."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from django.utils import timezone

from portal.accounts.models import Network
from portal.web.charts import Chart, Series
from promo_numbers.models import Contract, NetworkNumbers, NumberDay

from . import forecast
from .forecast import BAND_HIGH, BAND_LOW, Carry, Risk, Trend

# How far back the page and the API look, beyond what the contract needs.
SHOWN_DAYS = 180


def today_utc() -> date:
    """Days of use are days of UTC, whatever the network's own zone."""
    return timezone.now().date()


@dataclass(frozen=True)
class Day:
    """In use at a day's end; of today so far."""

    day: date
    static: int
    dynamic: int

    @property
    def total(self) -> int:
        return self.static + self.dynamic


@dataclass(frozen=True)
class Usage:
    """What is known of a network's use, and the sums made of it. `days` ends with today's live figure."""

    network: Network
    today: date
    limits: NetworkNumbers
    contract: Contract | None
    days: list[Day] = field(default_factory=list)

    @property
    def used(self) -> int:
        return self.limits.total_used

    @property
    def dynamic_used(self) -> int:
        return self.limits.dynamic_used

    @property
    def static_used(self) -> int:
        return self.limits.total_used - self.limits.dynamic_used

    @cached_property
    def history(self) -> list[tuple[date, int]]:
        return [(day.day, day.total) for day in self.days]

    @cached_property
    def trend(self) -> Trend:
        return forecast.trend_of(self.history, self.today)

    @cached_property
    def uses(self) -> dict[date, int]:
        """The most in use in each month of the contract that has begun."""
        if self.contract is None:
            return {}
        months = forecast.contract_months(self.contract.starts_on, self.contract.ends_on)
        return forecast.month_uses(self.history, months)

    @cached_property
    def carry(self) -> Carry | None:
        return forecast.carried(self.contract, self.uses, self.today) if self.contract else None

    @property
    def months_left(self) -> int:
        return forecast.months_left(self.contract, self.today) if self.contract else 0

    @property
    def days_left(self) -> int:
        """Days to the contract's end; a quarter of a year where there is no contract to look at."""
        if self.contract is None or self.contract.ends_on <= self.today:
            return 90
        return (self.contract.ends_on - self.today).days

    def projected(self, ahead: int, probability: float = 0.5) -> float:
        return forecast.level_of(self.used, self.trend, probability)(ahead)

    @property
    def at_end(self) -> tuple[int, int, int]:
        """(low, projected, high) on the contract's last day, whole numbers."""
        ways = (BAND_LOW, 0.5, BAND_HIGH)
        low, middle, high = (self.projected(self.days_left, way) for way in ways)
        return round(low), round(middle), round(high)

    def risk(self, *, more: int = 0, limit: int | None = None) -> Risk | None:
        """The overage to reckon with; None without a running contract."""
        if self.contract is None or self.carry is None:
            return None
        return forecast.risk_of(
            self.contract, self.uses, self.used, self.trend, self.today, more=more, limit=limit
        )  # fmt: skip

    @cached_property
    def present_risk(self) -> Risk | None:
        """As it goes on, under the present limit."""
        return self.risk(limit=self.limits.total_limit)


def _since(contract: Contract | None, today: date) -> date:
    shown = today - timedelta(days=SHOWN_DAYS)
    return min(shown, contract.starts_on) if contract else shown


def usages_of(networks: list[Network]) -> list[Usage]:
    """The usage of each network, in three statements whatever their number."""
    today = today_utc()
    ids = [network.pk for network in networks]
    limits = NetworkNumbers.objects.in_bulk(ids)
    contracts = Contract.objects.select_related("csm").in_bulk(ids)
    first = min((_since(contracts.get(pk), today) for pk in ids), default=today)
    days: dict[int, list[Day]] = {pk: [] for pk in ids}
    rows = NumberDay.objects.filter(network__in=ids, day__gte=first, day__lt=today).order_by("day")
    for network_id, day, static, dynamic in rows.values_list("network_id", "day", "static_used", "dynamic_used"):
        if day >= _since(contracts.get(network_id), today):
            days[network_id].append(Day(day, static, dynamic))
    for pk in ids:
        row = limits[pk]
        days[pk].append(Day(today, row.total_used - row.dynamic_used, row.dynamic_used))
    return [
        Usage(network, today, limits[network.pk], contracts.get(network.pk), days[network.pk]) for network in networks
    ]


def usage_of(network: Network) -> Usage:
    return usages_of([network])[0]


def _short(day: date) -> str:
    return f"{day:%b} {day.day}, {day:%y}"


def usage_chart(usage: Usage) -> Chart:
    """Use of the last half year and its projection with the band, a point a week, to the contract's end."""
    shown = [day for day in usage.days if day.day >= usage.today - timedelta(days=SHOWN_DAYS)]
    past = shown[::-1][::7][::-1]
    step = max(7, usage.days_left // 52)
    ahead = [*range(step, usage.days_left, step), usage.days_left]
    gap: list[float | None] = [None] * (len(past) - 1)
    none: list[float | None] = [None] * len(ahead)

    def line(probability: float) -> list[float | None]:
        return [*gap, usage.used, *(round(usage.projected(days, probability)) for days in ahead)]

    series = [
        Series("In use", [*(day.total for day in past), *none]),
        Series("Of them dynamic", [*(day.dynamic for day in past), *none], "second"),
        Series("Low", line(BAND_LOW), "band"),
        Series("High", line(BAND_HIGH), "band"),
        Series("Projected", line(0.5), "muted"),
    ]
    points = len(past) + len(ahead)
    if usage.limits.total_limit is not None:
        series.append(Series("Limit", [usage.limits.total_limit] * points, "limit"))
    if usage.carry is not None:
        series.append(Series("Carried by the contract", [*gap, *[usage.carry.level] * (len(ahead) + 1)], "limit"))
    labels = [_short(day.day) for day in past] + [_short(usage.today + timedelta(days=days)) for days in ahead]
    return Chart(
        "Numbers in use and projected", labels, series, kind="line", unit="numbers", label_heading="Day"
    )  # fmt: skip
