"""What the batch page asks every two seconds: cheap, however large the batch is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone

from outbound.choices import BatchStatus
from outbound.models import Attempt, Batch, BatchState
from portal.memory import Memory
from portal.web.charts import Chart, Series

from .preview import batch_preview
from .rates import RECENT, outcomes_by_hour

# Foreseeing the end walks over the whole batch: all who look at it share one walk for so long.
FORESEEN_SECONDS = 20.0
MOST_LIVE = 50
_ends: Memory[tuple[int, str], datetime | None] = Memory(lambda: FORESEEN_SECONDS, 500)
_UNKNOWN = datetime.min

_CHART = (
    ("Answered", ("answered",), "main"),
    ("Machine or fax", ("machine", "fax"), "second"),
    ("Busy, no answer, rejected", ("busy", "no_answer", "rejected", "canceled"), "muted"),
    ("Invalid number or carrier error", ("invalid_number", "carrier_error"), "bad"),
)


@dataclass(frozen=True)
class Now:
    """A batch as it stands. rate: calls a second over the last minute; eta: when the last first call is likely."""

    state: BatchState
    done: int
    total: int
    rate: float
    eta: datetime | None


def batch_now(*, batch: Batch, now: datetime | None = None) -> Now:
    """The batch's live figures: two statements, and one walk over the batch every 20 seconds at most."""
    now = now or timezone.now()
    state = BatchState.objects.get(pk=batch.pk)
    total = state.total - state.suppressed
    done = state.completed + state.failed + state.canceled + state.expired
    return Now(state, done, total, rates_of([batch.pk], now=now).get(batch.pk, 0.0), _end_of(batch, state, now))


def rates_of(batches: list[int], *, now: datetime | None = None) -> dict[int, float]:
    """{batch: calls dialed per second over the last minute}, for a whole page of batches in one statement."""
    now = now or timezone.now()
    recent = Attempt.objects.filter(batch__in=batches, claimed_at__gt=now - RECENT).exclude(state="not_sent")
    counts = recent.values_list("batch").annotate(n=Count("*")).order_by()
    return {batch: count / RECENT.total_seconds() for batch, count in counts}


def _end_of(batch: Batch, state: BatchState, now: datetime) -> datetime | None:
    if not state.pending or batch.status not in (BatchStatus.SCHEDULED, BatchStatus.RUNNING):
        return None
    found = _ends.get((batch.pk, batch.status))
    if found is None:
        found = batch_preview(batch=batch, now=now).last_call or _UNKNOWN
        _ends.put((batch.pk, batch.status), found)
    return None if found is _UNKNOWN else found


def live_calls(*, batch: Batch) -> QuerySet[Attempt]:
    """The batch's calls that hold a line now, the newest first, `MOST_LIVE` at most."""
    live = Attempt.objects.filter(batch=batch, state__in=["queued", "dialing", "connected"])
    return live.select_related("recipient").order_by("-claimed_at", "-id")[:MOST_LIVE]


def outcome_chart(*, batch: Batch, zone: str) -> Chart:
    """Outcomes by the hour of the network's clock, the last two days in which the batch dialed. One statement."""
    from zoneinfo import ZoneInfo

    place = ZoneInfo(zone)
    last = batch.finished_at or timezone.now()
    rows = outcomes_by_hour(batch=batch, now=last)
    hours: list[datetime] = sorted({row["hour"] for row in rows})  # type: ignore[type-var,misc]
    if hours:
        steps = int((hours[-1] - hours[0]) / timedelta(hours=1)) + 1
        hours = [hours[0] + timedelta(hours=step) for step in range(steps)]
    counts = {(row["hour"], row["outcome"]): row["count"] for row in rows}
    return Chart(
        title="Outcomes by hour", kind="bar", stacked=True,
        labels=[f"{hour.astimezone(place):%b %d %H:00}" for hour in hours],
        series=[
            Series(name, [sum(int(counts.get((hour, one), 0)) for one in outcomes) for hour in hours], role)  # type: ignore[call-overload]
            for name, outcomes, role in _CHART
        ],
    )  # fmt: skip
