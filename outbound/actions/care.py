"""The care of the queue: what nobody asks for and must happen all the same. Safe to repeat, to overlap and to miss."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from outbound.choices import BatchStatus, CatchUp, ImportState, Reason
from outbound.models import Batch, BatchImport, Pace
from portal.audit.actions import record
from portal.prepared import one

from .common import batch_move, locked, rows

logger = logging.getLogger(__name__)
DRIFT = Counter("headroom_outbound_drift", "Batches whose counters did not match their recipients.")

DRAIN_STEP = 5_000
# A gap this long between two beats means that the portal was down.
DOWN = timedelta(minutes=5)
IMPORT_SILENCE = timedelta(seconds=90)
MOST_IMPORT_RUNS = 3


def batches_settle() -> list[tuple[int, str]]:
    """Start what is due, end what has its last status and result. Returns (batch, what it became)."""
    moved = rows("SELECT batch_id, became FROM outbound_settle()")
    for batch, became in moved:
        logger.info("batch moved", extra={"batch": batch, "became": became})
    return moved


def waiting_drain(*, most: int = 200_000) -> int:
    """End who still waits in batches that are stopping or have expired: step by step, so that nothing is held long."""
    count = 0
    stopping = Batch.objects.filter(status=BatchStatus.STOPPING).values_list("pk", flat=True)
    expired = Batch.objects.filter(
        status__in=[BatchStatus.SCHEDULED, BatchStatus.RUNNING, BatchStatus.PAUSED], expires_at__lte=timezone.now()
    ).values_list("pk", flat=True)
    for batches, state, reason in (
        (stopping, "canceled", Reason.BATCH_STOPPED),
        (expired, "expired", Reason.BATCH_EXPIRED),
    ):
        for batch in batches:
            while count < most:
                (done,) = one("SELECT outbound_drain(%s, %s, %s, %s)", (batch, state, reason, DRAIN_STEP)) or (0,)
                count += done
                if done < DRAIN_STEP:
                    break
    return count


def beat() -> timedelta:
    """Note that the portal lives. After a gap, batches that ask for it are paused instead of going on (catch-up).

    Returns the time since the last beat.
    """
    Pace.objects.get_or_create(
        pk=1
    )  # nothing is claimed without its row: whatever took it, the next beat brings it back
    with transaction.atomic():
        # Claims wait for this row: nobody is dialed before the batches that ask for it are paused.
        pace = Pace.objects.select_for_update(no_key=True).get(pk=1)
        now = timezone.now()
        since, gap = pace.beat_at, now - pace.beat_at
        if gap > DOWN:
            _catch_up(since, now)
        Pace.objects.filter(pk=1).update(beat_at=now)
    return gap


def _catch_up(since: datetime, now: datetime) -> None:
    """Pause the batches that ask for it, now that the portal was down."""
    asking = Batch.objects.filter(status=BatchStatus.RUNNING, catch_up=CatchUp.PAUSE, started_at__lt=since)
    for batch in asking.order_by("pk"):
        with locked(batch) as held:
            if held.status != BatchStatus.RUNNING:
                continue
            reason = f"The portal was down from {since:%H:%M} to {now:%H:%M} UTC; resume when it may go on."
            batch_move(held, BatchStatus.PAUSED, pause_reason=reason)
            record(event="batch.pause", obj=held, by=None, reason=reason)


def counters_reconcile(*, batches: list[int] | None = None) -> list[dict[str, Any]]:
    """Compare counters with rows and repair them; a drift is an error in the log and a metric. Returns the drifts.

    Without `batches`: those that are at work or ended within the last hour.
    """
    if batches is None:
        recent = timezone.now() - timedelta(hours=1)
        active = Batch.objects.filter(status__in=["scheduled", "running", "paused", "stopping"])
        batches = list((active | Batch.objects.filter(finished_at__gt=recent)).values_list("pk", flat=True))
    drifts = []
    for batch in sorted(batches):
        row = one("SELECT was, is_now FROM outbound_reconcile(%s)", (batch,))
        if row and row[0] != row[1]:
            was, now = json.loads(row[0]), json.loads(row[1])
            drifts.append({"batch": batch, "was": was, "is": now})
            DRIFT.inc()
            logger.error("batch counters had drifted and were repaired: %s", drifts[-1])
    return drifts


def imports_sweep() -> list[int]:
    """Imports that should be run: waiting ones, and running ones whose worker fell silent (which may have been killed).

    Nothing of a half-run import exists, so it simply begins again; after three tries it has failed.
    """
    silent = BatchImport.objects.filter(state=ImportState.RUNNING, alive_at__lt=timezone.now() - IMPORT_SILENCE)
    silent.filter(runs__gte=MOST_IMPORT_RUNS).update(
        state=ImportState.FAILED, finished_at=timezone.now(),
        error="The worker that ran it ended three times without a word. Upload the list again, in smaller parts.",
    )  # fmt: skip
    silent.update(state=ImportState.WAITING, step="waiting for another worker")
    return list(BatchImport.objects.filter(state=ImportState.WAITING).order_by("pk").values_list("pk", flat=True))
