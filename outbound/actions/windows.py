"""Keeping every batch's windows computed: what the claim compares with the clock."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from outbound.models import Batch, Window
from outbound.schedule import Schedule, next_window, spread

from .common import locked


def windows_renew(batch: Batch, *, everything: bool = False, now: datetime | None = None) -> int:
    """Compute the windows of a locked batch that have passed or were never computed (or all). Returns how many.

    The caller holds the batch's hot row, so that a change of hours and a renewal cannot overtake each other.
    """
    now = now or timezone.now()
    schedule = Schedule.of(batch.hours, batch.holidays)
    stale = Window.objects.filter(batch=batch).select_related("zones")
    if not everything:
        stale = stale.filter(Q(computed_at=None) | Q(open_until__lte=now))
    changed = []
    for window in stale:
        opening = next_window(schedule, window.zones.zones, now)
        if opening is not None:
            opening = spread(opening, batch=batch.pk, zones=window.zones_id, after=now)
        window.open_from = opening.opens if opening else None
        window.open_until = opening.closes if opening else None
        window.computed_at = now
        changed.append(window)
    Window.objects.bulk_update(changed, ["open_from", "open_until", "computed_at"], batch_size=500)
    return len(changed)


def windows_keep(*, now: datetime | None = None) -> int:
    """Renew what is due over all batches that may dial. One batch's hot row at a time. Returns how many windows."""
    now = now or timezone.now()
    due = (
        Batch.objects.filter(status__in=["scheduled", "running", "paused"])
        .filter(Q(windows__computed_at=None, windows__isnull=False) | Q(windows__open_until__lte=now))
        .distinct()
        .order_by("pk")
    )
    count = 0
    for batch in due:
        with locked(batch) as held:
            count += windows_renew(held, now=now)
    return count
