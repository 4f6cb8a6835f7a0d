"""When a callee may be called: windows on his own clock, over every zone that he may live in.

The rule is pointwise (`is_open`): an instant is open when in every zone the wall clock stands inside the hours of the
local weekday and the local date is no holiday. `next_window` finds the next whole stretch of such instants; the only
places where the answer can change are the hours' edges and midnights (of both turns of a repeated hour) and the
changes of the zone's offset, so it asks the rule between those and nowhere else.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from campaigns.hours import DAY, DAYS, hours_compile

# Where nothing is said: the hours in which the US rule lets people be called (domain/outbound.md).
DEFAULT_HOURS: dict[str, int] = {
    f"{day}_{edge}": hour * 3600 for day in DAYS for edge, hour in (("open", 8), ("closed", 21))
}
# A window that does not open within this many days never does, as far as a batch is concerned.
HORIZON_DAYS = 400
STEP_DAYS = 8
# Calls that begin at the full hour meet everybody else's (domain/outbound.md, 1).
NEAR_HOUR = timedelta(minutes=5)
MOVED_MINUTES = (15, 30, 45)
# An opening at the full hour is spread over the minutes after it; a shorter window has no room for that.
SPREAD_FROM, SPREAD_TO = 2 * 60, 14 * 60
SPREAD_NEEDS = timedelta(hours=1)


@dataclass(frozen=True)
class Schedule:
    """A batch's windows: open seconds of the local week [from, to), and dates on which nobody is called."""

    spans: tuple[tuple[int, int], ...]
    holidays: frozenset[date]

    @classmethod
    def of(cls, hours: Mapping[str, int], holidays: Iterable[str | date]) -> "Schedule":
        """From what a batch stores. Seconds past midnight as in `campaigns.hours`; dates ISO."""
        days = frozenset(day if isinstance(day, date) else date.fromisoformat(day) for day in holidays)
        return cls(tuple(hours_compile(hours)), days)


@dataclass(frozen=True)
class Opening:
    """A stretch [opens, closes) of instants at which calls may be dialed, UTC."""

    opens: datetime
    closes: datetime


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises ZoneInfoNotFoundError."""
    return ZoneInfo(name)


def is_open(schedule: Schedule, zones: Sequence[str], at: datetime) -> bool:
    """Whether a call may be dialed at the instant `at` to somebody who may live in any of `zones`."""
    return bool(zones) and all(_is_open_in(schedule, zone(name), at) for name in zones)


def _is_open_in(schedule: Schedule, place: ZoneInfo, at: datetime) -> bool:
    local = at.astimezone(place)
    if local.date() in schedule.holidays:
        return False
    second = local.weekday() * DAY + local.hour * 3600 + local.minute * 60 + local.second
    return any(low <= second < high for low, high in schedule.spans)


def _instants(place: ZoneInfo, wall: datetime) -> set[datetime]:
    """The instants that a wall clock may mean: two when an hour is repeated, and both sides of one that is skipped."""
    return {wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)}


def _change(place: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant in (low, high] at which the zone's offset changes, to the second."""
    offset = low.astimezone(place).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0) if middle.replace(microsecond=0) > low else middle
        if middle.astimezone(place).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


@lru_cache(maxsize=4096)
def _edges(schedule: Schedule, name: str, first: date, days: int) -> tuple[datetime, ...]:
    """Every instant in `days` local days from `first` at which the zone's answer may change."""
    place = zone(name)
    found: set[datetime] = set()
    for index in range(days):
        day = first + timedelta(days=index)
        midnight = datetime(day.year, day.month, day.day)
        base = day.weekday() * DAY
        marks = {0} | {mark - base for span in schedule.spans for mark in span if 0 <= mark - base < DAY}
        for mark in marks:
            found |= _instants(place, midnight + timedelta(seconds=mark))
        start = midnight.replace(tzinfo=UTC) - timedelta(days=1)
        for hour in range(0, 48, 12):
            low, high = start + timedelta(hours=hour), start + timedelta(hours=hour + 12)
            if low.astimezone(place).utcoffset() != high.astimezone(place).utcoffset():
                found.add(_change(place, low, high))
    return tuple(sorted(found))


def next_window(
    schedule: Schedule, zones: Sequence[str], after: datetime, *, days: int = HORIZON_DAYS
) -> Opening | None:
    """The stretch that is open at `after`, or the next that opens; None if none does within `days`.

    `opens` is never before `after`. A window without an end (around the clock, no holidays) closes at the search's end.
    """
    if not schedule.spans or not zones:
        return None
    after = after.astimezone(UTC)
    opens: datetime | None = after if is_open(schedule, zones, after) else None
    for step in range(0, days, STEP_DAYS):
        first = (after + timedelta(days=step - 2)).date()
        begin = after + timedelta(days=step)
        end = after + timedelta(days=step + STEP_DAYS)
        edges = {edge for name in zones for edge in _edges(schedule, name, first, STEP_DAYS + 4)}
        for edge in sorted(edge for edge in edges if begin < edge <= end):
            now_open = is_open(schedule, zones, edge)
            if now_open and opens is None:
                opens = edge
            elif not now_open and opens is not None:
                return Opening(opens, edge)
        if opens is not None and step >= STEP_DAYS * 2:
            # Open for weeks: the windows are renewed long before.
            return Opening(opens, end)
    return None


def spread(opening: Opening, *, batch: int, zones: int, after: datetime) -> Opening:
    """The opening as claims use it: one that falls on the full hour begins some minutes later, others for each batch.

    Later than allowed is always allowed; short windows, and those that are already open, stay as they are.
    """
    on_hour = opening.opens.minute * 60 + opening.opens.second < NEAR_HOUR.total_seconds()
    if not on_hour or opening.opens <= after or opening.closes - opening.opens < SPREAD_NEEDS:
        return opening
    seconds = SPREAD_FROM + zlib.crc32(f"{batch}:{zones}".encode()) % (SPREAD_TO - SPREAD_FROM)
    return Opening(opening.opens + timedelta(seconds=seconds), opening.closes)


def near_full_hour(at: datetime) -> bool:
    """Whether a start lies within five minutes of a full hour, on either side."""
    past = timedelta(minutes=at.minute, seconds=at.second)
    return min(past, timedelta(hours=1) - past) <= NEAR_HOUR


def start_alternatives(at: datetime) -> list[datetime]:
    """:15, :30 and :45 after the full hour that `at` lies near; empty when it lies near none."""
    if not near_full_hour(at):
        return []
    hour = (at + timedelta(minutes=30)).replace(minute=0, second=0, microsecond=0)
    return [hour.replace(minute=minutes) for minutes in MOVED_MINUTES]
