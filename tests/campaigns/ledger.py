"""A second book of the money, kept by hand beside the portal's: what each call must cost, and what each counter must say.

What is independent: prices are plain Python functions (no condition is parsed), periods walk the calendar with `zoneinfo`
(tests/campaigns/test_time.py), and every sum is made from single calls in decimals.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from .test_time import day_begins, period_days

Price = Callable[[float, datetime], Decimal]
CENTS = Decimal("0.0001")


@dataclass(frozen=True)
class Terms:
    """What a destination says about money, twice: as the portal is told (`values`) and as the test reads it."""

    values: dict[str, Any]
    payout: Price
    payin: Price
    most: Decimal
    base: Decimal


@dataclass
class Line:
    """One leg: what was sent, and so what it must cost."""

    leg: int
    place: str
    kind: str
    selected: datetime
    reserved: Decimal
    answered: datetime | None = None
    ended: datetime | None = None
    cost: Decimal | None = None
    revenue: Decimal | None = None


@dataclass(frozen=True)
class Counter:
    """A periodic cap of a destination."""

    place: str
    kind: str
    reset: str
    starts: date
    zone: str
    fees: bool = False

    def period(self, at: datetime) -> tuple[datetime, datetime | None]:
        today = at.astimezone(ZoneInfo(self.zone)).date()
        if self.reset == "Ongoing":
            return begins(self.starts, self.zone), None
        first, following = period_days(self.reset, self.starts, today)
        return begins(first, self.zone), begins(following, self.zone)


@cache
def begins(day: date, zone: str) -> datetime:
    return day_begins(day, zone)


def money(amount: Decimal) -> Decimal:
    return amount.quantize(CENTS, ROUND_HALF_UP)


def talked(line: Line) -> Decimal:
    """Seconds, exactly."""
    assert line.answered and line.ended
    span = line.ended - line.answered
    return Decimal(span.days * 86400 + span.seconds) + Decimal(span.microseconds) / 1_000_000


@dataclass
class Ledger:
    lines: dict[int, Line] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
    by_hand: list[tuple[Counter, datetime, Decimal]] = field(default_factory=list)
    fee: Decimal = Decimal(0)

    def price(self) -> int:
        """Write the price of every leg that has ended by the terms of now; how many it priced."""
        count = 0
        for line in self.lines.values():
            if line.ended is None or line.cost is not None:
                continue
            count += 1
            if line.answered is None:
                line.cost = line.revenue = Decimal(0)
                continue
            terms, seconds = self.terms[line.place], float(talked(line))
            line.cost, line.revenue = terms.payout(seconds, line.ended), terms.payin(seconds, line.ended)
        return count

    def used(self, counter: Counter, now: datetime) -> Decimal:
        """What the counter must say: its period's calls that were answered or are in progress, and what was set by hand."""
        since, until = counter.period(now)

        def counts(at: datetime) -> bool:
            return since <= at and (until is None or at < until)

        total = Decimal(0)
        for line in self.lines.values():
            if line.place != counter.place or not counts(line.selected) or (line.ended and not line.answered):
                continue
            if counter.kind == "periodic_calls":
                total += 1
                continue
            total += line.reserved if line.cost is None else line.cost
            if counter.fees and line.answered and line.ended:
                total += money(talked(line) / 60 * self.fee)
        return total + sum(amount for set_on, at, amount in self.by_hand if set_on == counter and counts(at))

    def unsettled(self, counter: Counter, now: datetime) -> Decimal:
        """What calls in progress have taken of the counter's period: it counts on top of what is set by hand."""
        since, until = counter.period(now)
        mine = [
            line
            for line in self.lines.values()
            if line.place == counter.place
            and line.ended is None
            and since <= line.selected
            and (until is None or line.selected < until)
        ]
        return (
            Decimal(len(mine))
            if counter.kind == "periodic_calls"
            else sum((line.reserved for line in mine), Decimal(0))
        )
