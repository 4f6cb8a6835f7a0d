"""The sums of the CSM's page: trend, projection, what a contract carries, overage. Pure: figures in, figures out.

A contract counts **number-months**: a number that is in use during a month uses one of those included. The use of a month
is the most that was in use on any of its days. A yearly contract includes `numbers` for its twelve months together, so
that using too many in one month goes into overage early (docs/numbers.md, docs/adr).
"""

import calendar
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import NormalDist

from promo_numbers.choices import ContractPeriod
from promo_numbers.models import Contract

# The trend is fitted to so many days, today the last; with fewer than LEAST_DAYS there is none.
WINDOW_DAYS = 90
LEAST_DAYS = 14
# The band holds a day's figure four times out of five.
BAND_LOW, BAND_HIGH = 0.1, 0.9
# The equally likely ways that the future may take, over which the expected overage is the mean.
WAYS = tuple(tenth / 10 for tenth in range(1, 10))

Level = Callable[[int], float]


def t_quantile(probability: float, freedom: int) -> float:
    """The quantile of Student's t, by the Cornish-Fisher expansion: right to 0.001 from twelve degrees of freedom on."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


@dataclass(frozen=True)
class Trend:
    """A straight line through the daily figures of the window; days are counted from today (0), the past is negative.

    slope: numbers a day. scatter: standard deviation of the days around the line. days: how many were used; 0 = too few
    for a trend, and the projection stays level without a band. echo: how much less than so many independent days they
    tell, because each resembles the day before: (1 + r) / (1 - r), r the correlation of neighbours.
    """

    slope: float = 0.0
    scatter: float = 0.0
    days: int = 0
    middle: float = 0.0
    spread: float = 0.0
    echo: float = 1.0

    def deviation(self, ahead: int, probability: float) -> float:
        """How far from the projected line the figure of one day may be, at that probability: the prediction interval
        of a linear regression, its line as uncertain as neighbouring days that resemble each other make it."""
        if self.days < 3 or self.spread == 0:
            return 0.0
        width = math.sqrt(1 + self.echo * (1 / self.days + (ahead - self.middle) ** 2 / self.spread))
        return t_quantile(probability, self.days - 2) * self.scatter * width


def trend_of(history: Sequence[tuple[date, int]], today: date) -> Trend:
    """The trend of the last WINDOW_DAYS days of `history` ((day, in use), in any order)."""
    since = today - timedelta(days=WINDOW_DAYS - 1)
    points = [((day - today).days, used) for day, used in history if since <= day <= today]
    count = len(points)
    if count < LEAST_DAYS:
        return Trend()
    middle = sum(at for at, _ in points) / count
    mean = sum(used for _, used in points) / count
    spread = sum((at - middle) ** 2 for at, _ in points)
    slope = sum((at - middle) * (used - mean) for at, used in points) / spread
    rests = [used - mean - slope * (at - middle) for at, used in sorted(points)]
    rest = sum(each**2 for each in rests)
    return Trend(slope, math.sqrt(rest / (count - 2)), count, middle, spread, _echo(rests, rest))


def _echo(rests: Sequence[float], squares: float) -> float:
    """(1 + r) / (1 - r) of the correlation r between neighbouring days; r counts from 0 to 0.95."""
    if squares < 1e-9:
        return 1.0
    likeness = sum(one * following for one, following in pairwise(rests)) / squares
    likeness = min(0.95, max(0.0, likeness))
    return (1 + likeness) / (1 - likeness)


def level_of(used: int, trend: Trend, probability: float = 0.5) -> Level:
    """In use `ahead` days from now: today's use carried on along the trend, never below none."""
    return lambda ahead: max(0.0, used + trend.slope * ahead + trend.deviation(ahead, probability))


def with_more(level: Level, more: int, limit: int | None) -> Level:
    """The same with `more` numbers added at once, and never over the limit."""
    return lambda ahead: min(level(ahead) + more, math.inf if limit is None else limit)


# The contract's months ------------------------------------------------------------------------------------------------


def add_months(day: date, months: int) -> date:
    """The same day of a later month; its last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Month:
    """One month of a contract, first and last day; it begins on the contract's own day of the month."""

    first: date
    last: date


@dataclass(frozen=True)
class Share:
    """Months that share what is included: twelve of a yearly contract, each by itself of a monthly one."""

    months: tuple[Month, ...]
    included: int


def contract_months(starts_on: date, ends_on: date) -> list[Month]:
    """The months of a term; the last may be cut short."""
    months: list[Month] = []
    while (first := add_months(starts_on, len(months))) <= ends_on:
        last = min(ends_on, add_months(starts_on, len(months) + 1) - timedelta(days=1))
        months.append(Month(first, last))
    return months


def shares_of(contract: Contract) -> list[Share]:
    """What is included, and for which months. A last year that is cut short has its part by months."""
    months = contract_months(contract.starts_on, contract.ends_on)
    size = 12 if contract.period == ContractPeriod.YEAR else 1
    parts = [tuple(months[at : at + size]) for at in range(0, len(months), size)]
    return [Share(part, contract.numbers * len(part) // size) for part in parts]


def months_left(contract: Contract, today: date) -> int:
    """Months to go, the present one included; 0 once the contract is over."""
    return sum(month.last >= today for month in contract_months(contract.starts_on, contract.ends_on))


def month_uses(history: Sequence[tuple[date, int]], months: Sequence[Month]) -> dict[date, int]:
    """{first day of the month: most in use on any day of it}, of the days that are known."""
    uses: dict[date, int] = {}
    months = sorted(months, key=lambda month: month.first)
    at = 0
    for day, used in sorted(history):
        while at < len(months) and months[at].last < day:
            at += 1
        if at < len(months) and months[at].first <= day:
            uses[months[at].first] = max(uses.get(months[at].first, 0), used)
    return uses


@dataclass(frozen=True)
class Carry:
    """What a contract carries from now on: `level` numbers held in every month that is left, without any overage.

    included, spent, months: of the share that decides (the tightest one still running); spent in its closed months.
    """

    level: int
    included: int
    spent: int
    months: int


def carried(contract: Contract, uses: Mapping[date, int], today: date) -> Carry | None:
    """The most numbers that can be held to the contract's end without overage. None once it is over."""
    found = []
    for share in shares_of(contract):
        open_months = [month for month in share.months if month.last >= today]
        if open_months:
            spent = sum(uses.get(month.first, 0) for month in share.months if month.last < today)
            left = max(0, share.included - spent)
            found.append(Carry(left // len(open_months), share.included, spent, len(open_months)))
    return min(found, key=lambda carry: carry.level) if found else None


# Overage --------------------------------------------------------------------------------------------------------------


def overage(contract: Contract, uses: Mapping[date, int], level: Level, today: date) -> float:
    """Number-months above what is included, in the shares still running, if use goes the way of `level`.

    A month's use is read at its first and last day, and for the present one is at least what was seen already.
    """
    total = 0.0
    for share in shares_of(contract):
        if share.months[-1].last < today:
            continue
        use = 0.0
        for month in share.months:
            if month.last < today:
                use += uses.get(month.first, 0)
                continue
            ends = [max(0, (day - today).days) for day in (month.first, month.last)]
            seen = uses.get(month.first, 0) if month.first <= today else 0
            use += max(seen, *(level(ahead) for ahead in ends))
        total += max(0.0, use - share.included)
    return total


@dataclass(frozen=True)
class Risk:
    """Overage to the contract's end, in number-months and money: at the band's edges, and expected over the band."""

    low: float
    expected: float
    high: float
    price: Decimal

    def money(self, months: float) -> Decimal:
        return (Decimal(repr(round(months, 6))) * self.price).quantize(Decimal("0.01"))

    @property
    def low_money(self) -> Decimal:
        return self.money(self.low)

    @property
    def expected_money(self) -> Decimal:
        return self.money(self.expected)

    @property
    def high_money(self) -> Decimal:
        return self.money(self.high)


def risk_of(
    contract: Contract, uses: Mapping[date, int], used: int, trend: Trend, today: date, *, more: int = 0,
    limit: int | None = None,
) -> Risk:  # fmt: skip
    """The overage that must be reckoned with when `more` numbers are added now under `limit`.

    The expected one is the mean over nine ways the future may take, equally likely (the band's deciles).
    """
    found = [
        overage(contract, uses, with_more(level_of(used, trend, way), more, limit), today) for way in WAYS
    ]  # fmt: skip
    return Risk(found[0], sum(found) / len(found), found[-1], contract.overage_price)


# The figure -----------------------------------------------------------------------------------------------------------


def recommended_limit(*, limit: int, wanted: int, carries: int | None) -> int:
    """The recommended limit: what is wanted as far as the contract carries it, and never below the present limit (which
    is never below use). carries: numbers of this kind that can be held without overage; None = no contract."""
    return max(limit, wanted if carries is None else min(wanted, carries))
