"""Imports of numbers from CSV files: started by a page, worked off by Celery, exactly once per row whatever dies.

A chunk of rows, what they added and the job's progress are one commit. `done` is the place to go on from: a worker
moves it only from where it read it, so that of two workers on one job the slower writes nothing.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import batched, islice
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid, NotAllowed, Refused
from promo_numbers.choices import JobState
from promo_numbers.csv_files import Row, table_of
from promo_numbers.models import NumberImport, NumberImportRefusal

from .import_chunks import NumberChunk, Unsettled
from .import_rows import NumberRows, StockRows, columns_read, stock_put
from .limits import LimitReached
from .numbers import network_hold

logger = logging.getLogger(__name__)

OPEN = (JobState.WAITING, JobState.RUNNING)
# Rows of one commit: the network's counters are held for so long, and so much is done again after a kill. Numbers are added
# a chunk at once; where that cannot be, and for the stock, whose rows may be ranges, fewer rows are one commit.
CHUNK = 500
ROWS = 20
# How often a chunk is tried at once, when others are faster with what it wanted.
TRIES = 3
# Seconds that one task works before it lets the others of the worker have their turn.
SLICE = 15.0
# A job without a sign of life for so long has lost its worker.
STALE = timedelta(seconds=60)
MOST_OPEN = 5

type Refusal = tuple[Row, Refused]


def _above(by: User | None) -> None:
    if by is not None and not access.stands_above(by):
        raise NotAllowed("Only platform staff fill the stock.", permission="numbers.add_stocknumber")


def import_start(
    *,
    by: User,
    content: bytes,
    file_name: str,
    network: Network | None = None,
    campaign: Campaign | None = None,
    into_stock: bool = False,
) -> NumberImport:
    """Take a CSV file and have its rows added in the background; returns the job to watch.

    campaign: where rows go that name none; needs `manage_numbers` on it. Without one it is needed on some campaign of
    `network`, and is asked again for each row's. into_stock: platform staff alone.

    Raises NotAllowed, Invalid (`wrong_header` and whatever makes the file unusable; nothing was written), and Conflict
    `too_many_imports` while 5 of the same user are open.
    """
    if into_stock:
        _above(by)
        network = campaign = None
    elif campaign is not None:
        access.require(by, "manage_numbers", campaign)
        network = campaign.network
    else:
        assert network is not None
        access.require(by, "view", network)
        if not access.restrict(Campaign.objects.filter(network=network), by, "manage_numbers").exists():
            raise NotAllowed(
                f"You need the permission campaigns.manage_numbers. {access.who_may('manage_numbers', Campaign)}",
                permission="campaigns.manage_numbers",
            )
    table, rows = table_of(content)
    columns_read(table.columns, into_stock=into_stock, with_campaign=campaign is not None)
    if NumberImport.objects.filter(asked_by=by, state__in=OPEN).count() >= MOST_OPEN:
        raise Conflict(
            f"{MOST_OPEN} of your imports are not done yet; wait for one or cancel it.", code="too_many_imports"
        )
    with transaction.atomic():
        job = NumberImport.objects.create(
            network=network, campaign=campaign, into_stock=into_stock, asked_by=by, file_name=file_name[:200] or "numbers.csv",
            content=content, rows=rows,
        )  # fmt: skip
        about = campaign or network
        record(
            event="number_import.start", obj=job, by=by, network=network,
            changes={"file": [None, job.file_name], "rows": [None, rows], "into": [None, str(about or "stock")]},
        )  # fmt: skip
        transaction.on_commit(lambda: _wake(job.pk))
    return job


def _wake(job_id: int) -> None:
    """Ask a worker to go on; the beat does it anyway, should the broker be away."""
    from promo_numbers.tasks import run_number_import

    try:
        run_number_import.delay(job_id)
    except Exception as error:
        logger.warning("the broker cannot be reached; the import goes on with the next beat: %s", error)


def import_cancel(*, by: User | None, job: NumberImport) -> bool:
    """End a job now: rows that were added stay, no other is. For whoever asked for it, and `cancel` (Manager and above).

    False if it had ended already. Waits at most for the chunk that is being written.
    """
    if by is not None and by.pk != job.asked_by_id:
        if job.network is None:
            _above(by)
        else:
            access.require(by, "cancel", job)
    with transaction.atomic():
        now = timezone.now()
        ended = NumberImport.objects.filter(pk=job.pk, state__in=OPEN).update(
            state=JobState.CANCELED, cancel_asked_at=now, ended_at=now, content=b""
        )
        if ended:
            record(event="number_import.cancel", obj=job, by=by, network=job.network)
    return bool(ended)


def import_run(job_id: int, *, seconds: float = SLICE) -> bool:
    """Work on a job for some seconds; True if there is more to do and no other worker is at it."""
    job = NumberImport.objects.select_related("network", "campaign__network").filter(pk=job_id, state__in=OPEN).first()
    if job is None:
        return False
    until = time.monotonic() + seconds
    try:
        table, _rows = table_of(bytes(job.content))
        means = columns_read(table.columns, into_stock=job.into_stock, with_campaign=job.campaign is not None)
    except Invalid as error:
        return _end(job, JobState.FAILED, error.message)
    NumberImport.objects.filter(pk=job.pk, state=JobState.WAITING).update(state=JobState.RUNNING)
    rows, done = table.rows(), job.done
    for _ in islice(rows, done):
        pass
    while chunk := list(islice(rows, ROWS if job.into_stock else CHUNK)):
        # Rights are those of this moment, not of the start: whoever lost his adds nothing more.
        user = User.objects.get(pk=job.asked_by_id)
        if not user.is_active:
            return _end(job, JobState.FAILED, "The account of whoever started it was closed.")
        if job.into_stock and not access.stands_above(user):
            return _end(job, JobState.FAILED, "Whoever started it is not of the platform staff any more.")
        work = _stock_chunk if job.into_stock else _chunk
        if not work(job, done, chunk, user, means):
            return False
        done += len(chunk)
        if time.monotonic() > until:
            return True
    return _end(job, JobState.DONE)


def _end(job: NumberImport, state: JobState, error: str = "") -> bool:
    """End the job unless somebody did; False, as `import_run` answers."""
    with transaction.atomic():
        ended = NumberImport.objects.filter(pk=job.pk, state__in=OPEN).update(
            state=state, error=error[:250], ended_at=timezone.now(), content=b""
        )
        if ended:
            row = NumberImport.objects.defer("content").get(pk=job.pk)
            changes = {"added": [None, row.added], "refused": [None, row.refused], "state": [None, str(state)]}
            record(event="number_import.end", obj=row, by=None, network=row.network, changes=changes, reason=error)
    return False


def _chunk(job: NumberImport, done: int, chunk: list[Row], user: User, means: dict[str, str]) -> bool:
    """Add a chunk of numbers at once, or, where something unforeseen is in the way, row by row. As `_commit` answers."""
    for _try in range(TRIES):
        try:
            return _commit(job, done, chunk, NumberChunk(job, user, means, chunk).add)
        except IntegrityError:
            # Somebody was faster with a number, an id or a lowered limit; it is there to be seen now.
            continue
        except (OperationalError, InterfaceError):
            raise
        except Unsettled as error:
            logger.info("an import goes on row by row: %s", error, extra={"job": job.pk, "line": chunk[0].line})
            break
        except Exception:
            # Of one row, most probably: it is found by itself, and the others are added.
            logger.warning("an import goes on row by row", exc_info=True, extra={"job": job.pk, "line": chunk[0].line})
            break
    return _one_by_one(job, done, chunk, NumberRows(job, user, means))


def _stock_chunk(job: NumberImport, done: int, chunk: list[Row], user: User, means: dict[str, str]) -> bool:
    return _one_by_one(job, done, chunk, StockRows(job, user, means))


def _one_by_one(job: NumberImport, done: int, rows: list[Row], adds: NumberRows | StockRows) -> bool:
    """Add rows one by one, a few in each commit. As `_commit` answers."""
    for few in batched(rows, ROWS, strict=False):
        if not _commit(job, done, few, partial(_each, job, few, adds)):
            return False
        done += len(few)
    return True


def _each(job: NumberImport, rows: Sequence[Row], adds: NumberRows | StockRows, _counters: Any) -> list[Refusal]:
    return [refused for row in rows if (refused := _row(job, row, adds)) is not None]


def _commit(job: NumberImport, done: int, rows: Sequence[Row], add: Callable[[Any], list[Refusal]]) -> bool:
    """Rows and progress in one commit; False if the job is not where it was read: ended, or another worker's.

    add: given the network's counters, held, adds the rows and returns those refused.
    """
    with transaction.atomic():
        # Several adds in one transaction: the network's counters first (docs/locking.md), the job's row after them.
        counters = network_hold(job.network_id) if job.network_id is not None else None
        here = NumberImport.objects.filter(pk=job.pk, state=JobState.RUNNING, done=done)
        if not here.update(done=done + len(rows), seen_at=timezone.now()):
            return False
        refused = [_refusal(job, row, error) for row, error in add(counters)]
        NumberImportRefusal.objects.bulk_create(refused)
        NumberImport.objects.filter(pk=job.pk).update(
            added=F("added") + len(rows) - len(refused), refused=F("refused") + len(refused)
        )
    return True


def _row(job: NumberImport, row: Row, adds: NumberRows | StockRows) -> Refusal | None:
    """Add one row; what refused it, if anything did."""
    try:
        if row.problem:
            raise Invalid(row.problem, code="too_many_cells")
        with transaction.atomic():
            adds.add(row)
        return None
    except Refused as error:
        return row, error
    except (OperationalError, InterfaceError):
        # The database is away, or another transaction won: the chunk is done again.
        raise
    except Exception:
        logger.exception("row of an import could not be added", extra={"job": job.pk, "line": row.line})
        reason = "The portal could not deal with this row; it is in the log of whoever runs it."
        return row, Refused(reason, code="error")


def _refusal(job: NumberImport, row: Row, error: Refused) -> NumberImportRefusal:
    """A refused row as it is kept: as it was, to be sent again."""
    if isinstance(error, LimitReached):
        reason = f"{error.message} {error.explanation}"
    elif isinstance(error, Invalid):
        reason = " ".join(message for _field, _code, message in error.problems)
    else:
        reason = error.message
    cells = json.dumps(row.cells, ensure_ascii=False)
    return NumberImportRefusal(job=job, line=row.line, row=cells, code=error.code[:60], reason=reason)


def imports_take_over() -> int:
    """Wake jobs that have lost their worker, or whose wake-up was lost. Returns how many."""
    lost = NumberImport.objects.filter(state__in=OPEN, seen_at__lt=timezone.now() - STALE).order_by("seen_at")
    ids = list(lost.values_list("pk", flat=True)[:100])
    for job_id in ids:
        _wake(job_id)
    return len(ids)


def stock_range_add(
    *,
    by: User | None,
    first: str,
    last: str,
    network: Network | None = None,
    kind: str,
    locality: str = "",
    region: str = "",
) -> int:
    """Put a range of numbers into the stock. Platform staff alone. Returns how many were new. Raises as `stock_put`."""
    _above(by)
    with transaction.atomic():
        new = stock_put(first=first, last=last, network=network, kind=kind, locality=locality, region=region)
        if by is not None:
            changes = {"numbers": [None, f"{first} to {last}"], "new": [None, new]}
            record(event="stock.add", obj=network or by, by=by, network=network, changes=changes)
    return new
