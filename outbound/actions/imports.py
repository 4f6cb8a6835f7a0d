"""Imports: receiving a list, running the job, canceling it; and adding a few calls with one request."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from campaigns.callers import NotANumber, e164
from outbound.choices import FINISHED, BatchStatus, ImportState, Refusal
from outbound.imports import load as loading
from outbound.imports.numbers import NumberReader, Refused
from outbound.imports.reader import Layout, layout_of, rows_of
from outbound.imports.rows import Entry, Tools, entries
from outbound.models import Batch, BatchImport, ImportChunk
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid
from portal.errors import Refused as ActionRefused

from .common import locked
from .windows import windows_renew

logger = logging.getLogger(__name__)
PIECE = 1 << 20
TOLD_EVERY = 0.3


class _Canceled(Exception):
    """Somebody asked the import to stop, or another worker took it over."""


def import_create(
    *, by: User | None, batch: Batch, file_name: str, pieces: Iterable[bytes], columns: Mapping[str, str] | None = None
) -> BatchImport:
    """Receive a list in pieces and queue its import. Needs `change` on the batch.

    columns: {name in the file: destination | time_zone | ani | a parameter's name, "" = leave out}; without it the
    usual names count. Raises Invalid (too large, empty, no column of numbers), Conflict (batch finished).
    """
    access.require(by, "change", batch)
    _may_take(batch)
    with transaction.atomic():
        job = BatchImport.objects.create(
            batch=batch, file_name=str(file_name)[:250], columns=dict(columns or {}), created_by=by
        )
        size = 0
        for place, piece in enumerate(_even(pieces)):
            size += len(piece)
            if size > settings.OUTBOUND_UPLOAD_LIMIT:
                raise Invalid(
                    f"The file is larger than {settings.OUTBOUND_UPLOAD_LIMIT // 1_000_000} MB; split it and import the parts in turn.",
                    field="file", code="too_large",
                )  # fmt: skip
            ImportChunk.objects.create(job=job, place=place, data=piece)
        if not size:
            raise Invalid("The file is empty.", field="file", code="empty")
        job.size = size
        job.save(update_fields=["size"])
        _header(job, connection)
        record(event="batch.import", obj=batch, by=by, changes={"file": [None, job.file_name]})
        transaction.on_commit(lambda: _queue(job.pk))
    return job


def import_cancel(*, by: User | None, job: BatchImport) -> BatchImport:
    """Ask an import to stop; nothing of it stays. Needs `change`. Raises Conflict when it has ended."""
    access.require(by, "change", job)
    now = timezone.now()
    waiting = BatchImport.objects.filter(pk=job.pk, state=ImportState.WAITING)
    running = BatchImport.objects.filter(pk=job.pk, state=ImportState.RUNNING)
    if waiting.update(state=ImportState.CANCELED, cancel_asked_at=now, finished_at=now):
        ImportChunk.objects.filter(job=job).delete()
    elif not running.update(cancel_asked_at=now):
        job.refresh_from_db()
        raise Conflict(f"The import is {job.get_state_display().lower()} already.", code="import_ended")
    record(event="batch.import_cancel", obj=job.batch, by=by, changes={"file": [job.file_name, None]})
    job.refresh_from_db()
    return job


def import_run(*, job: int) -> BatchImport | None:
    """Run a waiting import to its end. None when somebody else has it. Never leaves half a list behind.

    Everything happens in one transaction; progress, and the question whether to stop, go over a second connection.
    """
    found = BatchImport.objects.select_related("batch__network").filter(pk=job, state=ImportState.WAITING).first()
    if found is None:
        return None
    busy = BatchImport.objects.filter(batch=found.batch_id, state=ImportState.RUNNING).exists()
    taken = not busy and BatchImport.objects.filter(pk=job, state=ImportState.WAITING, runs=found.runs).update(
        state=ImportState.RUNNING,
        runs=found.runs + 1,
        alive_at=timezone.now(),
        step="reading",
        bytes_read=0,
        rows_read=0,
    )
    if not taken:
        return None
    found.runs += 1
    beside = connection.copy()
    try:
        _Run(found, beside).run()
    except _Canceled:
        _end(found, ImportState.CANCELED, "")
    except ActionRefused as refused:
        _end(found, ImportState.FAILED, str(refused))
    except Exception:
        logger.exception("import failed", extra={"import": job})
        _end(found, ImportState.FAILED, "The import failed by a fault of ours; it is in the log. Nothing was added.")
    finally:
        beside.close()
    found.refresh_from_db()
    if found.state != ImportState.RUNNING:
        ImportChunk.objects.filter(job=found).delete()
    return found


@dataclass(frozen=True)
class Added:
    """What became of calls added with one request. `refused`: [{line (1 = the first), value, reason}]."""

    added: int
    suppressed: int
    refused: list[dict[str, Any]]


def recipients_add(*, by: User | None, batch: Batch, calls: list[Mapping[str, Any]]) -> Added:
    """Add a few calls to a draft or to a live batch: [{destination, time_zone?, ani?, any parameter}]. Needs `change`.

    The same rules as for a list: what cannot be taken is refused with its reason, the rest is added.
    """
    access.require(by, "change", batch)
    most = settings.OUTBOUND_ROWS_PER_REQUEST
    if not 1 <= len(calls) <= most:
        raise Invalid(f"Give 1 to {most} calls; for more import a list.", field="calls", code="out_of_range")
    names = list(dict.fromkeys(str(name) for call in calls for name in call))
    layout = layout_of(names, {})
    table = [(line, [_text(call.get(name)) for name in names]) for line, call in enumerate(calls, 1)]
    read = list(entries(table, layout, _tools(batch, connection)))
    with transaction.atomic():
        loading.take_turn(batch)
        return _added(by, batch, read)


def _added(by: User | None, batch: Batch, read: list[Entry]) -> Added:
    """Put read calls into the batch, which must still take any."""
    refused: list[dict[str, Any]] = []
    with locked(batch) as now:
        _may_take(now)
        loaded = loading.add_few(
            now, read, refuse=lambda *row: refused.append(dict(zip(("line", "value", "reason"), row, strict=True)))
        )
        windows_renew(now)
        record(event="batch.add_calls", obj=now, by=by, changes={"calls": [0, loaded.added]})
        if loaded.added:
            transaction.on_commit(_wake)
    return Added(loaded.added, loaded.suppressed, refused)


class _Run:
    """One run of an import: reads over `beside`, writes over the default connection."""

    def __init__(self, job: BatchImport, beside: BaseDatabaseWrapper) -> None:
        self.job, self.beside = job, beside
        self.bytes_read = self.rows_read = 0
        self._told = 0.0

    def run(self) -> None:
        rows = self._counted(rows_of(lambda: _stored(self.job, self.beside), self._heard))
        _, header = next(rows)
        layout = layout_of(header, self.job.columns)
        with transaction.atomic(durable=True):
            rejections = loading.Rejections(self.job.pk)
            loaded = loading.add_list(
                self.job.batch,
                entries(rows, layout, _tools(self.job.batch, self.beside)),
                using=self.beside,
                refuse=rejections.add,
                told=lambda step: self._tell(step, at_once=True),
            )
            rejections.keep()
            done = BatchImport.objects.filter(
                pk=self.job.pk, state=ImportState.RUNNING, runs=self.job.runs, cancel_asked_at=None
            ).update(
                state=ImportState.DONE, step="", bytes_read=self.job.size, rows_read=self.rows_read,
                rows_added=loaded.added, rows_suppressed=loaded.suppressed, rows_refused=loaded.refused,
                refused_by_reason=loaded.by_reason, finished_at=timezone.now(),
            )  # fmt: skip
            if not done:
                raise _Canceled
            with locked(self.job.batch) as batch:
                _may_take(batch)
                windows_renew(batch)
        transaction.on_commit(_wake)

    def _heard(self, size: int) -> None:
        self.bytes_read += size
        self._tell("reading")

    def _counted(self, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        for row in rows:
            self.rows_read += 1
            yield row

    def _tell(self, step: str, at_once: bool = False) -> None:
        """Write progress, and stop where that was asked for or where another worker has taken over."""
        if not at_once and time.monotonic() - self._told < TOLD_EVERY:
            return
        self._told = time.monotonic()
        with self.beside.cursor() as cursor:
            cursor.execute(
                "UPDATE outbound_batchimport SET step = %s, bytes_read = %s, rows_read = %s, alive_at = now()"
                " WHERE id = %s AND state = 'running' AND runs = %s AND cancel_asked_at IS NULL",
                [step, self.bytes_read, max(0, self.rows_read - 1), self.job.pk, self.job.runs],
            )
            if not cursor.rowcount:
                raise _Canceled


def _tools(batch: Batch, using: BaseDatabaseWrapper) -> Tools:
    country = batch.network.country
    known: dict[str, str] = {}

    def zones_id(zones: tuple[str, ...]) -> int:
        return loading.zone_set_id(zones, using)

    def ani(text: str) -> str:
        if text not in known:
            try:
                known[text] = e164(text, country)
            except NotANumber as error:
                raise Refused(Refusal.FOREIGN_ANI) from error
        return "" if known[text] == batch.ani else known[text]

    return Tools(NumberReader(country, zones_id), zones_id, ani)


def _may_take(batch: Batch) -> None:
    if batch.status in FINISHED or batch.status == BatchStatus.STOPPING:
        raise Conflict(
            f"The batch is {batch.get_status_display().lower()}; make a new one for these calls.", code="batch_finished"
        )


def _even(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one megabyte."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        while len(rest) >= PIECE:
            yield bytes(rest[:PIECE])
            del rest[:PIECE]
    if rest:
        yield bytes(rest)


def _stored(job: BatchImport, using: BaseDatabaseWrapper) -> Iterator[bytes]:
    with using.cursor() as cursor:
        place = 0
        while True:
            cursor.execute("SELECT data FROM outbound_importchunk WHERE job_id = %s AND place = %s", [job.pk, place])
            found = cursor.fetchone()
            if found is None:
                return
            yield bytes(found[0])
            place += 1


def _header(job: BatchImport, using: BaseDatabaseWrapper) -> Layout:
    """Check the header at once, so that a wrong file is refused while its sender still looks. Raises Invalid."""
    _, header = next(rows_of(lambda: _stored(job, using)), (0, []))
    return layout_of(header, job.columns)


def _end(job: BatchImport, state: str, error: str) -> None:
    BatchImport.objects.filter(pk=job.pk, runs=job.runs, state=ImportState.RUNNING).update(
        state=state, error=error, step="", finished_at=timezone.now()
    )


def _text(value: Any) -> str:
    # Half of a pair of surrogates (JSON can write one) is no text that a database takes.
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def _queue(job: int) -> None:
    from outbound import tasks

    tasks.queue(tasks.run_import, job)


def _wake() -> None:
    from outbound import tasks

    tasks.wake()
