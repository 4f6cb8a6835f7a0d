"""Starting, pausing, stopping and hanging up."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from outbound.choices import FINISHED, LIVE, BatchStatus, CarrierKind, ImportState
from outbound.models import Batch, BatchImport, BatchState, Recipient, Window
from outbound.queries.numbers import ani_numbers
from outbound.schedule import start_alternatives
from portal import outgoing
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid

from .calls import hang_up_soon, hang_up_wish
from .care import batches_settle
from .common import PUMPS, batch_move, locked, placing_lock, rows
from .windows import windows_renew


@dataclass(frozen=True)
class Started:
    """A batch that was started. `alternatives`: better moments, when it begins within five minutes of a full hour."""

    batch: Batch
    warnings: list[str] = field(default_factory=list)
    alternatives: list[datetime] = field(default_factory=list)


@dataclass(frozen=True)
class Halted:
    """What a stop or pause left behind, counted in one statement at the moment of its answer.

    never_started: who is not called (any more, or until it is resumed). live: calls that a carrier has. taking_back: calls
    that a worker had claimed and of which nothing was heard when our patience ran out, or whose worker is dead; each is
    taken back, or is live after all. quiet: no request is on its way to a carrier any more; else it is one of those.
    """

    batch: Batch
    never_started: int
    live: int
    taking_back: int
    quiet: bool


def batch_start(*, by: User | None, batch: Batch) -> Started:
    """Draft to scheduled (and running at once when its time has come). Needs `operate`.

    Checks what would make every call fail: no recipients, a foreign ani, windows that never open, an expiry that has
    passed, URLs that do not answer 200 (asked once, before any lock). Raises Invalid, Conflict.
    """
    access.require(by, "operate", batch)
    problems = _urls_problems(batch)
    with locked(batch) as now:
        if now.status != BatchStatus.DRAFT:
            raise Conflict("Only a draft can be started.", code="wrong_status", details={"status": now.status})
        windows_renew(now)
        problems += _start_problems(now)
        if problems:
            raise Invalid.of(problems)
        batch_move(now, BatchStatus.SCHEDULED)
        record(event="batch.start", obj=now, by=by, changes={"starts_at": [None, now.starts_at]})
        transaction.on_commit(_wake)
    batches_settle()
    now.refresh_from_db()
    begins = now.starts_at or timezone.now()
    alternatives = start_alternatives(begins)
    warnings = []
    if alternatives:
        warnings.append(
            f"It starts at {begins:%H:%M} UTC, near the full hour, when everybody calls: fewer calls complete then."
            " Begin at :15, :30 or :45."
        )
    return Started(now, warnings, alternatives)


def batch_unschedule(*, by: User | None, batch: Batch) -> Batch:
    """Scheduled back to draft, to be changed. Needs `operate`."""
    access.require(by, "operate", batch)
    with locked(batch) as now:
        batch_move(now, BatchStatus.DRAFT)
        record(event="batch.unschedule", obj=now, by=by)
    return now


def batch_pause(*, by: User | None, batch: Batch, reason: str = "") -> Halted:
    """From the moment of its answer nothing is dialed until it is resumed. Live calls go on. Needs `operate`."""
    access.require(by, "operate", batch)
    with locked(batch, durable=True) as now:
        batch_move(now, BatchStatus.PAUSED, pause_reason=(reason.strip() or _by_whom(by))[:250])
        record(event="batch.pause", obj=now, by=by, reason=reason)
    return _halted(now)


def batch_resume(*, by: User | None, batch: Batch) -> Batch:
    """Paused back to running. Needs `operate`."""
    access.require(by, "operate", batch)
    with locked(batch) as now:
        batch_move(now, BatchStatus.RUNNING, pause_reason="")
        windows_renew(now)
        rows("UPDATE outbound_batchstate SET errors_in_row = 0, look_at = '2000-01-01Z' WHERE batch_id = %s", [now.pk])
        record(event="batch.resume", obj=now, by=by)
        transaction.on_commit(_wake)
    return now


def batch_stop(*, by: User | None, batch: Batch, reason: str = "") -> Halted:
    """Nothing more is claimed or dialed from the moment of the answer. Live calls go on: `batch_hang_up` ends them.

    Who waits is canceled in the background; the batch is stopped when its last live call has ended. Needs `operate`;
    call it outside a transaction. Raises Conflict when it is finished or was never started.
    """
    access.require(by, "operate", batch)
    # Who comes in with a list that is being read would be canceled at once: the import gives up as soon as it sees this.
    stoppable = (BatchStatus.SCHEDULED, BatchStatus.RUNNING, BatchStatus.PAUSED)
    BatchImport.objects.filter(
        batch=batch, batch__status__in=stoppable, state__in=[ImportState.WAITING, ImportState.RUNNING]
    ).update(cancel_asked_at=timezone.now())
    with locked(batch, durable=True) as now:
        if now.status in FINISHED or now.status == BatchStatus.STOPPING:
            raise Conflict(f"The batch is {now.get_status_display().lower()} already.", code="wrong_status")
        if now.status == BatchStatus.DRAFT:
            raise Conflict("The batch was never started: there is nothing to stop.", code="wrong_status")
        pending = now.state.pending
        batch_move(now, BatchStatus.STOPPING, pause_reason="")
        record(event="batch.stop", obj=now, by=by, reason=reason, changes={"pending": [pending, 0]})
        transaction.on_commit(_wake)
    return _halted(now)


def placing_wait(batch: Batch, patience: float) -> bool:
    """Wait until no pump has a request of this batch on its way to a carrier. False when `patience` (seconds) ran out.

    Pumps share this lock while they place calls, look at the batch's status before each, and do not take it again
    while somebody waits for it (docs/locking.md).
    """
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {max(1, int(patience * 1000))}")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [placing_lock(batch.pk)])
        return True
    except OperationalError:
        return False


def batch_hang_up(*, by: User | None, batch: Batch) -> int:
    """Ask the carrier to end every live call of the batch. Returns how many. Needs `operate`; audited."""
    access.require(by, "operate", batch)
    with transaction.atomic():
        # People before their attempts, as news takes them (docs/locking.md).
        live = Recipient.objects.select_for_update(no_key=True).filter(batch=batch, state__in=LIVE).order_by("pk")
        asked = hang_up_wish(live.only("pk"))
        if asked:
            record(event="batch.hang_up", obj=batch, by=by, changes={"calls": [len(asked), 0]})
            transaction.on_commit(lambda: hang_up_soon(asked))
    return len(asked)


def _wake() -> None:
    """Wake-ups may be lost: the beat comes every second anyway."""
    from outbound import tasks

    tasks.wake()


def _halted(batch: Batch) -> Halted:
    """Wait until what was claimed is placed or has been given back, and count."""
    ends = time.monotonic() + settings.OUTBOUND_STOP_PATIENCE
    quiet = placing_wait(batch, settings.OUTBOUND_STOP_PATIENCE)
    # A pump that had claimed, but not yet taken the batch up, holds no lock: it sees the halt next, and gives back.
    while _queued(batch) and time.monotonic() < ends and _pumps_at_work():
        time.sleep(0.02)
    # One statement sees one moment: nobody is counted twice or missed while calls go back and the waiting are canceled.
    ((never_started, live, taking_back),) = rows(
        """
        SELECT s.pending + (SELECT count(*) FROM outbound_recipient r
                            WHERE r.batch_id = s.batch_id AND r.state = 'canceled' AND r.reason = 'batch_stopped'),
               s.dialing + s.connected, s.queued
        FROM outbound_batchstate s WHERE s.batch_id = %s
        """,
        [batch.pk],
    )
    return Halted(batch, never_started, live, taking_back, quiet)


def _queued(batch: Batch) -> int:
    return BatchState.objects.values_list("queued", flat=True).get(pk=batch.pk)


def _pumps_at_work() -> bool:
    """Whether any pump lives that could give calls back; of a dead one only the sweeper will find out."""
    return bool(
        rows(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s::bigint::oid AND objsubid = 1 AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1",
            [PUMPS],
        )
    )


def _by_whom(by: User | None) -> str:
    return f"Paused by {by}" if by else "Paused by the portal"


def _urls_problems(batch: Batch) -> list[tuple[str | None, str, str]]:
    """start_url and result_url must each answer 200 to one GET; never asked at an address that results may not go to."""
    problems: list[tuple[str | None, str, str]] = []
    for name in ("start_url", "result_url"):
        url = getattr(batch, name)
        if not url:
            continue
        try:
            status = outgoing.get_status(url)
        except outgoing.NotReached as error:
            problems.append((name, error.code, f"{name} cannot be used: {error}"))
            continue
        if status != 200:
            problems.append(
                (
                    name,
                    "not_answering",
                    f"{name} answered {status} to a test; it must answer 200 before calls are dialed.",
                )
            )
    return problems


def _start_problems(batch: Batch) -> list[tuple[str | None, str, str]]:
    problems: list[tuple[str | None, str, str]] = []
    if batch.expires_at is not None and batch.expires_at <= max(batch.starts_at or timezone.now(), timezone.now()):
        problems.append(
            ("expires_at", "expires_before_start", "The batch expires before it starts; choose a later expiry.")
        )
    if batch.ani not in ani_numbers(batch.network, [batch.ani]):
        problems.append(("ani", "foreign_ani", f"{batch.ani} is no longer a number of this network; choose another."))
    if not batch.carrier.is_enabled:
        problems.append(
            ("carrier", "carrier_disabled", f"The carrier “{batch.carrier}” is switched off; choose another.")
        )
    if batch.carrier.kind == CarrierKind.TWILIO and not batch.start_url:
        problems.append(
            (
                "start_url",
                "required",
                f"The carrier “{batch.carrier}” asks the start URL what to say; without one it refuses every call. Give one.",
            )
        )
    importing = BatchImport.objects.filter(batch=batch, state__in=[ImportState.WAITING, ImportState.RUNNING]).exists()
    if not batch.state.pending and not importing:
        problems.append((None, "no_recipients", "Nobody in this batch can be called: import a list first."))
    windows = Window.objects.filter(batch=batch)
    last = batch.expires_at or timezone.now() + timedelta(days=400)
    if batch.state.pending and windows.exists() and not windows.filter(open_from__lt=last).exists():
        problems.append(
            (
                "hours",
                "never_open",
                "No calling window opens for anybody in this batch before it expires; widen the hours.",
            )
        )
    return problems
