"""Before the start: how many will be called, who will not and why, in which zones, and when it will be over."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count
from django.utils import timezone

from outbound.choices import Reason
from outbound.models import Batch, Recipient, ZoneSet
from outbound.schedule import Opening, Schedule, next_window, spread, start_alternatives

# Nothing is foreseen further than this.
FORESEEN = timedelta(days=60)
MOST_OPENINGS = 90
# Without any pace of its own a call still takes its time.
UNPACED = 50.0


@dataclass(frozen=True)
class ZoneLine:
    """People who may live in the same zones, and their next window (None = it never opens before the expiry)."""

    zones: list[str]
    count: int
    opens: datetime | None
    closes: datetime | None


@dataclass(frozen=True)
class Preview:
    """What a batch will do when it starts now. Counts of people; moments UTC; pace in calls per second (first attempts)."""

    total: int
    to_call: int
    suppressed: dict[str, int]
    zones: list[ZoneLine]
    never: int
    pace: float
    first_call: datetime | None
    last_call: datetime | None
    left_at_expiry: int
    warnings: list[str] = field(default_factory=list)
    alternatives: list[datetime] = field(default_factory=list)


def batch_preview(*, batch: Batch, now: datetime | None = None) -> Preview:
    """Foresee the batch: two statements and a walk over its windows."""
    now = now or timezone.now()
    begins = max(batch.starts_at or now, now)
    rows = Recipient.objects.filter(batch=batch).values("state", "reason", "zones").annotate(n=Count("*")).order_by()
    by_zones: dict[int, int] = {}
    suppressed: dict[str, int] = {}
    total = 0
    for row in rows:
        total += row["n"]
        if row["state"] == "pending":
            by_zones[row["zones"]] = by_zones.get(row["zones"], 0) + row["n"]
        elif row["state"] == "suppressed":
            label = str(Reason(row["reason"]).label) if row["reason"] else "Suppressed"
            suppressed[label] = suppressed.get(label, 0) + row["n"]
    names = {one.pk: one.zones for one in ZoneSet.objects.filter(pk__in=by_zones)}
    until = min(batch.expires_at or begins + FORESEEN, begins + FORESEEN)
    openings = {pk: _openings(batch, pk, names[pk], begins, until) for pk in by_zones}
    pace = _pace(batch)
    first, last, left = _walk(by_zones, openings, pace)
    lines = [
        ZoneLine(names[pk], count, *((openings[pk][0].opens, openings[pk][0].closes) if openings[pk] else (None, None)))
        for pk, count in sorted(by_zones.items(), key=lambda item: -item[1])
    ]
    never = sum(count for pk, count in by_zones.items() if not openings[pk])
    alternatives = start_alternatives(begins) if batch.starts_at else []
    return Preview(
        total, sum(by_zones.values()), suppressed, lines, never, pace, first, last, left,
        _warnings(batch, never, left, bool(alternatives)), alternatives,
    )  # fmt: skip


def _warnings(batch: Batch, never: int, left: int, near_hour: bool) -> list[str]:
    found = []
    if near_hour:
        found.append("It starts near the full hour, when everybody calls; begin at :15, :30 or :45.")
    if never:
        found.append(
            f"{never} people have no calling window before the batch expires: the hours never meet in all their zones."
        )
    if left - never > 0:
        found.append(f"At this pace {left - never} people will not have been called when the batch expires.")
    if batch.calls_per_second is None and batch.carrier.calls_per_second is None:
        found.append("Neither the batch nor its carrier has a pace: it dials as fast as the lines allow.")
    return found


def _pace(batch: Batch) -> float:
    given = [float(one) for one in (batch.calls_per_second, batch.carrier.calls_per_second) if one is not None]
    return min(given, default=UNPACED)


def _openings(batch: Batch, pk: int, zones: list[str], begins: datetime, until: datetime) -> list[Opening]:
    """The windows of a set of zones from `begins` to `until`, as claims will use them."""
    schedule = Schedule.of(batch.hours, batch.holidays)
    found: list[Opening] = []
    at = begins
    while at < until and len(found) < MOST_OPENINGS:
        opening = next_window(schedule, zones, at, days=(until - at).days + 1)
        if opening is None or opening.opens >= until:
            break
        used = spread(opening, batch=batch.pk or 0, zones=pk, after=at)
        found.append(Opening(used.opens, min(used.closes, until)))
        at = opening.closes
    return found


def _walk(counts: dict[int, int], openings: dict[int, list[Opening]], pace: float) -> tuple[Any, Any, int]:
    """(first call, last call, who is left): from edge to edge of the windows, those that close first served first."""
    left = {pk: float(count) for pk, count in counts.items()}
    edges = sorted({edge for spans in openings.values() for span in spans for edge in (span.opens, span.closes)})
    first: datetime | None = None
    last: datetime | None = None
    for low, high in pairwise(edges):
        room = (high - low).total_seconds() * pace
        at = low
        open_now = [
            (span.closes, pk) for pk, spans in openings.items() for span in spans
            if span.opens <= low and high <= span.closes and left[pk] > 0
        ]  # fmt: skip
        for _closes, pk in sorted(open_now):
            done = min(left[pk], room)
            if done <= 0:
                break
            first = first or at
            left[pk] -= done
            room -= done
            at += timedelta(seconds=done / pace)
            last = min(at, high)
        if not any(value > 0.5 for value in left.values()):
            break
    return first, last, round(sum(left.values()))
