"""How fast it goes, when it will be over, and how it went by the hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncHour
from django.utils import timezone

from outbound.models import Attempt, Batch, BatchState

from .preview import batch_preview

RECENT = timedelta(minutes=1)


@dataclass(frozen=True)
class Progress:
    """A batch's live figures. rate: calls dialed per second over the last minute; eta: when the last first call is likely."""

    state: BatchState
    percent: int
    rate: float
    eta: datetime | None


def batch_progress(*, batch: Batch, now: datetime | None = None) -> Progress:
    """Counters as they are, the rate of the last minute, and the likely end (windows and pace considered)."""
    now = now or timezone.now()
    state = BatchState.objects.get(pk=batch.pk)
    dialed = Attempt.objects.filter(batch=batch, claimed_at__gt=now - RECENT).exclude(state="not_sent").count()
    total = state.total - state.suppressed
    percent = round(100 * (state.completed + state.failed + state.canceled + state.expired) / total) if total else 100
    eta = (
        batch_preview(batch=batch, now=now).last_call
        if state.pending and batch.status in ("scheduled", "running")
        else None
    )
    return Progress(state, percent, dialed / RECENT.total_seconds(), eta)


def outcomes_by_hour(*, batch: Batch, hours: int = 48, now: datetime | None = None) -> list[dict[str, object]]:
    """[{hour, outcome, count}] of ended attempts in the last `hours`, oldest first: the batch page's chart."""
    since = (now or timezone.now()) - timedelta(hours=hours)
    rows = (
        Attempt.objects.filter(batch=batch, ended_at__gte=since)
        .exclude(outcome="")
        .annotate(hour=TruncHour("ended_at"))
        .values("hour", "outcome")
        .annotate(count=Count("*"))
        .order_by("hour", "outcome")
    )
    return [dict(row) for row in rows]
