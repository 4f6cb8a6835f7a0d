"""Calls of which too little is known, each with the evidence and what a person may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.utils import timezone

from outbound.choices import FINISHED, BatchStatus, StuckKind
from outbound.models import Attempt, AttemptEvent, Batch
from portal.accounts import access
from portal.accounts.models import Network, User

from .batches import batches_visible
from .waiting import at

OPEN = ["queued", "dialing", "connected", "unknown"]


@dataclass(frozen=True)
class Stuck:
    """A call of which too little is known. `can`: what a person may do (redial, cancel, hang_up), `words`: why it is here."""

    attempt: Attempt
    kind: str
    words: str
    events: list[AttemptEvent]
    can: tuple[str, ...]


def stuck_list(
    *, user: User, network: Network, batch: int | None = None, kind: str = "", now: datetime | None = None
) -> QuerySet[Attempt]:
    """Calls without news for too long and unknown ones, to be ordered by `claimed_at`, `id` and cut.

    batch: of this one only; kind: one of `StuckKind`. Each row has `stuck` (its kind), `recipient`, `batch`, `carrier`.
    """
    kinds = _kinds(now or timezone.now())
    rows = Attempt.objects.filter(batch__in=batches_visible(user, network).values("pk"), state__in=OPEN)
    if batch is not None:
        rows = rows.filter(batch=batch)
    of_kind = Case(
        *[When(which, then=Value(str(name))) for name, which in kinds.items()], default=Value(""),
        output_field=CharField(),
    )  # fmt: skip
    wanted = kinds[StuckKind(kind)] if kind in StuckKind.values else reduce(or_, kinds.values())
    rows = rows.annotate(stuck=of_kind).filter(wanted)
    return rows.select_related("recipient", "batch", "carrier")


def stuck_counts(*, user: User, network: Network, now: datetime | None = None) -> dict[str, int]:
    """How many calls are stuck, by kind. One statement."""
    rows = stuck_list(user=user, network=network, now=now).order_by()
    found = dict(rows.values_list("stuck").annotate(n=Count("*")))  # type: ignore[misc]
    return {kind: found.get(kind, 0) for kind in StuckKind.values}


def stuck_batches(*, user: User, network: Network, most: int = 200, now: datetime | None = None) -> QuerySet[Batch]:
    """The batches that have stuck calls: what one may filter by."""
    rows = stuck_list(user=user, network=network, now=now).order_by()
    return Batch.objects.filter(pk__in=rows.values("batch")).only("pk", "name").order_by("name", "pk")[:most]


def stuck_explained(attempts: list[Attempt], *, now: datetime | None = None) -> list[Stuck]:
    """Rows of `stuck_list` with everything that was heard of each. One statement."""
    heard: dict[object, list[AttemptEvent]] = {one.pk: [] for one in attempts}
    if heard:
        for event in AttemptEvent.objects.filter(attempt__in=list(heard)).order_by("at", "id"):
            heard[event.attempt_id].append(event)
    return [_explained(one, heard[one.pk]) for one in attempts]


def operable_batches(*, user: User, attempts: list[Attempt]) -> set[int]:
    """Of the batches of these calls those on whose calls the user may act."""
    batches = Batch.objects.filter(pk__in={one.batch_id for one in attempts})
    return set(access.restrict(batches, user, "operate").values_list("pk", flat=True)) if attempts else set()


def redial_hindrance(batch: Batch, *, now: datetime | None = None) -> str:
    """Why nobody of this batch can be dialed again; empty when somebody can (`recipient_redial` decides)."""
    if batch.status == BatchStatus.STOPPING or (batch.status in FINISHED and batch.status != BatchStatus.COMPLETED):
        return f"the batch is {batch.get_status_display().lower()}"
    if batch.expires_at is not None and batch.expires_at <= (now or timezone.now()):
        return f"the batch expired on {batch.expires_at:%Y-%m-%d at %H:%M} UTC"
    return ""


def stuck_calls(*, user: User, network: Network, limit: int = 100, now: datetime | None = None) -> list[Stuck]:
    """The `limit` oldest, with their evidence."""
    rows = stuck_list(user=user, network=network, now=now).order_by("claimed_at", "pk")
    return stuck_explained(list(rows[:limit]))


def _kinds(now: datetime) -> dict[StuckKind, Q]:
    silent = Q(claimed_at__lt=now - timedelta(seconds=settings.OUTBOUND_CLAIM_LEASE))
    # Of somebody who was dialed again the last call counts: the one before is history.
    unknown = Q(state="unknown", recipient__state="unknown", recipient__attempts=F("number"))
    return {
        StuckKind.UNREPORTED: silent & Q(state="queued"),
        StuckKind.SILENT: silent & (Q(state="dialing") | Q(state="connected", look_at__lt=now)),
        StuckKind.ASKED: unknown & Q(look_at__isnull=False),
        StuckKind.NO_RECORD: unknown & Q(look_at__isnull=True),
    }


def _explained(attempt: Attempt, events: list[AttemptEvent]) -> Stuck:
    kind: str = attempt.stuck  # type: ignore[attr-defined]
    absent = sum(one.kind == "absent" for one in events)
    can: tuple[str, ...] = ()
    if kind == StuckKind.NO_RECORD:
        hindrance = redial_hindrance(attempt.batch)
        words = f"The carrier was asked {attempt.looks} times and has no record of it: " + (
            f"{hindrance}, so call the number in a new batch" if hindrance else "it may be dialed again"
        )
        can = ("cancel",) if hindrance else ("redial", "cancel")
    elif kind == StuckKind.ASKED:
        words = f"No answer came when it was placed; the carrier is being asked (no record so far: {absent})"
    elif kind == StuckKind.UNREPORTED:
        words = f"The worker {attempt.worker} claimed it and has not reported"
    else:
        words = f"Nothing was heard since {at(attempt.placed_at)}; the carrier is asked next"
        can = ("hang_up",)
    return Stuck(attempt, kind, words, events, can)
