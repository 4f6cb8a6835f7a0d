"""Calls: claiming, what is heard of them, asking the carrier, and what a person may do with one."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.types.json import Jsonb

from outbound.carriers import adapter_of
from outbound.carriers.port import Event, Known, NotSent, event
from outbound.choices import LIVE, BatchStatus, EventKind, EventSource, Reason, RecipientState
from outbound.models import Attempt, AttemptEvent, Carrier, Recipient
from outbound.queries.stuck import redial_hindrance
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid, NotFound
from portal.prepared import one

from .common import HANG_UPS, batch_move, locked, rows

logger = logging.getLogger(__name__)

# A claim reaches so far ahead of the clock: each call still waits for its own slot.
HORIZON = timedelta(milliseconds=250)
MOST_LOOKS = 500
MOST_ROUNDS = 5
# A carrier that did not take so many hang-ups in a row is left alone until the next round.
MOST_MISSES = 3
# However long a carrier asks to be left alone, it is tried again after an hour.
MOST_BACKOFF = 3600


@dataclass(frozen=True)
class Claimed:
    """A call to be dialed: its attempt is committed. Not before `dial_at`, not after `not_after` (database clock)."""

    attempt: UUID
    recipient: int
    batch: int
    carrier: int
    number: str
    ani: str
    attempt_no: int
    parameters: dict[str, Any] | None
    dial_at: datetime
    not_after: datetime


def calls_claim(*, worker: str, limit: int, now: datetime | None = None) -> list[Claimed]:
    """Claim up to `limit` calls that may be dialed now; their attempts are written in the same transaction.

    The caller dials them only after this has committed, each at its `dial_at`, with its UUID.
    """
    return [
        Claimed(*row[:7], json.loads(row[7]) if row[7] else None, *row[8:])  # type: ignore[call-arg]
        for row in rows(
            "SELECT * FROM outbound_claim(%s, %s, %s, %s, %s, %s, p_now => %s)",
            [
                worker[:60], limit, HORIZON, timedelta(seconds=settings.OUTBOUND_CLAIM_LEASE),
                settings.OUTBOUND_CALLS_PER_SECOND, settings.OUTBOUND_LINES, now,
            ],
        )
    ]  # fmt: skip


def events_apply(*, carrier: int, events: list[Event], backoff: int = 0, now: datetime | None = None) -> int:
    """Apply what was heard of a carrier's attempts, all in one transaction. Idempotent, in any order.

    backoff: seconds for which the carrier asked to be left alone. Returns how many attempts moved.
    """
    if not events:
        return 0
    params = (
        carrier, Jsonb(events), settings.OUTBOUND_RING_SILENCE, settings.OUTBOUND_TALK_SILENCE,
        settings.OUTBOUND_ERROR_BURST, min(backoff, MOST_BACKOFF), now,
    )  # fmt: skip
    for round_ in range(MOST_ROUNDS):
        try:
            (moved,) = one("SELECT outbound_apply(%s, %s, %s, %s, %s, %s, %s)", params) or (0,)
            return moved
        except DatabaseError as error:
            lost = isinstance(error.__cause__, SerializationFailure | DeadlockDetected)
            if connection.in_atomic_block or not lost or round_ == MOST_ROUNDS - 1:
                raise
    return 0


def silent_look(*, now: datetime | None = None, most: int = MOST_LOOKS) -> int:
    """Ask carriers about attempts that fell silent. Returns how many were asked about.

    A queued one whose lease ran out (its worker died) becomes unknown first: it may have been dialed, so it is asked
    about and never dialed again by itself. A carrier that cannot be asked is asked again in half a minute.
    """
    now = now or timezone.now()
    due = Attempt.objects.filter(look_at__lte=now).select_related("recipient", "batch").order_by("look_at")[:most]
    by_carrier: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in due:
        by_carrier[attempt.carrier_id].append(attempt)
    asked = 0
    for carrier_id, attempts in sorted(by_carrier.items()):
        died = [attempt for attempt in attempts if attempt.state == "queued"]
        events_apply(
            carrier=carrier_id, now=now,
            events=[
                event(attempt.pk, EventKind.LOST, EventSource.SWEEP, cause=f"worker {attempt.worker} fell silent")
                for attempt in died
            ],
        )  # fmt: skip
        others = [attempt for attempt in attempts if attempt.state != "queued"]
        if others:
            asked += _ask(Carrier.objects.get(pk=carrier_id), others, now)
    return asked


def known_of(attempt: Attempt) -> Known:
    """An attempt as a carrier is asked about it."""
    ani = attempt.recipient.ani or attempt.batch.ani
    return Known(attempt.pk, attempt.carrier_call_id, attempt.recipient.number, ani, attempt.claimed_at)


def _ask(carrier: Carrier, attempts: list[Attempt], now: datetime) -> int:
    # Whoever else sweeps at this moment leaves these alone; if we die, they are due again soon.
    taken = _look_later([attempt.pk for attempt in attempts], before=now, at=now + timedelta(seconds=30))
    mine = [attempt for attempt in attempts if attempt.pk in taken]
    try:
        with closing(adapter_of(carrier)) as adapter:
            events = adapter.lookup([known_of(attempt) for attempt in mine])
    except NotSent as error:
        logger.warning("carrier cannot be asked", extra={"carrier": carrier.pk, "cause": error.cause})
        return 0
    except Exception:  # one carrier's nonsense must not keep the others from being asked
        logger.exception("a carrier could not be asked", extra={"carrier": carrier.pk})
        return 0
    for item in events:
        # Each time that the carrier knows nothing is evidence of its own.
        if item["kind"] == EventKind.ABSENT:
            item["key"] = f"{item['key']}:{now:%Y%m%d%H%M%S%f}"[:80]
    events_apply(carrier=carrier.pk, events=events, now=now)
    return len(mine)


def calls_hang_up(*, attempts: list[UUID]) -> int:
    """Ask carriers to end these calls (a task's work). Returns how many requests were taken.

    One that is still on its way to the carrier cannot be asked for yet: `hang_ups_keep` comes back to it.
    """
    count = 0
    found = Attempt.objects.filter(pk__in=attempts, state__in=["dialing", "connected"]).select_related(
        "recipient", "batch", "carrier"
    )
    by_carrier: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in found:
        by_carrier[attempt.carrier_id].append(attempt)
    for carrier_id, live in by_carrier.items():
        events = []
        try:
            with closing(adapter_of(live[0].carrier)) as adapter:
                misses = 0
                for attempt in live:
                    if adapter.hangup(known_of(attempt)):
                        events.append(event(attempt.pk, EventKind.HANGUP_ASKED, EventSource.PERSON))
                        misses = 0
                    elif (misses := misses + 1) >= MOST_MISSES:
                        # Each may have taken a timeout; `hang_ups_keep` comes back to those that are left.
                        break
        except Exception:  # nor its failure the calls of others from being ended
            logger.exception("a carrier could not be asked to hang up", extra={"carrier": carrier_id})
        count += len(events)
        events_apply(carrier=carrier_id, events=events)
        # If its end is not heard soon, the carrier is asked.
        _look_later([attempt.pk for attempt in live], at=timezone.now() + timedelta(seconds=10))
    return count


def hang_ups_keep() -> int:
    """Ask for the ends that were wished for and that no carrier was asked for yet. Returns how many requests were taken.

    The wish stands in the row (`hangup_asked_at`), so neither a lost wake-up, nor a carrier that could not be asked, nor a
    call that was just being placed makes it be forgotten.
    """
    asked = AttemptEvent.objects.filter(attempt=OuterRef("pk"), kind=EventKind.HANGUP_ASKED)
    wished = Attempt.objects.filter(state__in=["dialing", "connected"], hangup_asked_at__isnull=False)
    left = wished.exclude(Exists(asked)).order_by("hangup_asked_at").values_list("pk", flat=True)[:MOST_LOOKS]
    if not left:
        return 0
    # One worker at a time: a carrier that does not answer must not take all of them.
    (mine,) = one("SELECT pg_try_advisory_lock(%s)", (HANG_UPS << 32,)) or (False,)
    if not mine:
        return 0
    try:
        return calls_hang_up(attempts=list(left))
    finally:
        rows("SELECT pg_advisory_unlock(%s)", [HANG_UPS << 32])


def hang_up_wish(recipients: Iterable[Recipient]) -> list[UUID]:
    """Note on the last attempts of these people (locked by the caller) that they are to be ended. Returns those attempts.

    From then on they are never tried again, and who is just being taken up is canceled if he was not dialed.
    """
    wished = rows(
        "UPDATE outbound_attempt a SET hangup_asked_at = coalesce(a.hangup_asked_at, clock_timestamp())"
        " FROM outbound_recipient r WHERE r.id = ANY(%s) AND a.recipient_id = r.id AND a.number = r.attempts"
        " AND a.state IN ('queued', 'dialing', 'connected', 'unknown') RETURNING a.id",
        [[one.pk for one in recipients]],
    )
    return [pk for (pk,) in wished]


def _look_later(attempts: list[UUID], *, at: datetime, before: datetime | None = None) -> set[UUID]:
    """Move the moment at which attempts are asked about; only those due by `before`, if given. Returns which.

    One of which news is being applied just now is left out: the news sets its own moment, and waiting for several rows
    that `outbound_apply` holds could deadlock (docs/locking.md).
    """
    found = rows(
        "UPDATE outbound_attempt a SET look_at = %s FROM (SELECT id FROM outbound_attempt WHERE id = ANY(%s)"
        " AND look_at <= coalesce(%s::timestamptz, 'infinity') FOR NO KEY UPDATE SKIP LOCKED) free WHERE a.id = free.id RETURNING a.id",
        [at, attempts, before],
    )
    return {pk for (pk,) in found}


def recipient_cancel(*, by: User | None, recipient: Recipient, reason: str = "") -> str:
    """Cancel one person's call: never dialed if it waits, hung up if it lives. Needs `operate`. Returns the state.

    Raises Conflict when it has ended.
    """
    access.require(by, "operate", recipient)
    with transaction.atomic():
        now = Recipient.objects.select_for_update(no_key=True).get(pk=recipient.pk)
        if now.state == RecipientState.PENDING:
            Recipient.objects.filter(pk=now.pk, state=RecipientState.PENDING).update(
                state=RecipientState.CANCELED, reason=Reason.BY_HAND
            )
        elif now.state in LIVE:
            live = hang_up_wish([now])
            transaction.on_commit(lambda: hang_up_soon(live))
        elif now.state != RecipientState.UNKNOWN:
            raise Conflict(f"This call is {now.get_state_display().lower()} already.", code="call_ended")
        else:
            # Should it turn out to live after all, it is hung up.
            hang_up_wish([now])
            Recipient.objects.filter(pk=now.pk).update(state=RecipientState.CANCELED, reason=Reason.BY_HAND)
        record(
            event="recipient.cancel",
            obj=recipient.batch,
            by=by,
            reason=reason,
            changes={"number": [now.number, now.number]},
        )
    recipient.refresh_from_db()
    return recipient.state


def recipient_redial(*, by: User | None, recipient: Recipient, reason: str) -> Recipient:
    """Dial somebody again whose last call is unknown: a person's decision after seeing the evidence. Needs `operate`.

    A batch that had completed runs again for it (docs/adr/0007). Raises Invalid (no reason), Conflict (not unknown, or
    the carrier is still being asked, or the batch was stopped or expired).
    """
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why it may be dialed again; the reason is kept.", field="reason", code="required")
    access.require(by, "operate", recipient)
    with transaction.atomic():
        found = Recipient.objects.select_for_update(no_key=True).filter(pk=recipient.pk).first()
        if found is None:
            raise NotFound("There is no such call.")
        with locked(found.batch_id) as batch:
            if found.state != RecipientState.UNKNOWN:
                raise Conflict(
                    f"Only a call whose outcome is unknown can be redialed; this one is {found.get_state_display().lower()}.",
                    code="not_unknown",
                )
            last = Attempt.objects.get(recipient=found.pk, number=found.attempts)
            if last.look_at is not None:
                raise Conflict(
                    f"The carrier is still being asked about it; its answer is due by {last.look_at:%H:%M:%S} UTC.",
                    code="still_asking",
                )
            if hindrance := redial_hindrance(batch):
                raise Conflict(
                    f"{hindrance[0].upper()}{hindrance[1:]}; call the number in a new batch.", code="batch_finished"
                )
            if batch.status == BatchStatus.COMPLETED:
                batch_move(batch, BatchStatus.RUNNING, finished_at=None)
            Recipient.objects.filter(pk=found.pk).update(state=RecipientState.PENDING, due_at=timezone.now())
            record(
                event="recipient.redial", obj=batch, by=by, reason=reason,
                changes={"number": [found.number, found.number], "attempt": [str(last.pk), None]},
            )  # fmt: skip
    recipient.refresh_from_db()
    return recipient


def hang_up_soon(attempts: list[UUID]) -> None:
    """Have carriers asked at once; where that is lost, `hang_ups_keep` does it some seconds later."""
    from outbound import tasks

    tasks.queue(tasks.hang_up_calls, [str(pk) for pk in attempts])
