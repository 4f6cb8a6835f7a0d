"""From staging into the batch: set-based, in one transaction, so that nothing is ever half-done."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from outbound.choices import Refusal
from outbound.models import Batch
from outbound.queries.numbers import ani_numbers

_STAGING = """
DROP TABLE IF EXISTS pg_temp.outbound_staging, pg_temp.outbound_forbidden;
CREATE TEMPORARY TABLE outbound_staging (
    line integer, number text, zones integer, ani text, parameters jsonb, refusal text, value text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE outbound_forbidden (line integer PRIMARY KEY) ON COMMIT DROP
"""
_COPY = "COPY outbound_staging (line, number, zones, ani, parameters, refusal, value) FROM STDIN"
# Many lines in one write: each costs a call into the driver.
LINES_PER_WRITE = 2000
# While PostgreSQL adds one slice, Python reads the next: both cores work, and a slice is what is in memory at most twice.
SLICE = 50_000
# Namespace of the advisory lock that lets one import at a time into a batch (docs/locking.md).
LOCK = 0x0B47C4


@dataclass
class Loaded:
    """What became of a list's rows."""

    added: int = 0
    suppressed: int = 0
    refused: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)


def zone_set_id(zones: tuple[str, ...], using: BaseDatabaseWrapper) -> int:
    """The id of a set of zones, made if it is new."""
    with using.cursor() as cursor:
        names = sorted(set(zones))
        cursor.execute("SELECT id FROM outbound_zoneset WHERE zones = %s::varchar[]", [names])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(
                "INSERT INTO outbound_zoneset (zones) VALUES (%s) ON CONFLICT (zones) DO UPDATE SET zones = excluded.zones"
                " RETURNING id",
                [names],
            )
            found = cursor.fetchone()
    return found[0]


def take_turn(batch: Batch) -> None:
    """One list at a time into a batch: so "stood in the batch before" is a question of ids alone.

    Taken before the batch's hot row, never while holding it (docs/locking.md).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, batch.pk])


def load(batch: Batch, lines: Iterable[str], *, told: Callable[[str], None] = lambda step: None) -> Loaded:
    """Add lines (`rows.staged`) to `batch`, through a staging table that lives as long as the transaction.

    Do-not-call numbers and those of unknown zones come in as suppressed; foreign anis and duplicates are refused. `lines`
    and `told` (which hears each step) may raise to give up: the caller's transaction rolls back.
    """
    loaded = Loaded()
    with connection.cursor() as cursor, ThreadPoolExecutor(1, thread_name_prefix="add") as beside:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        take_turn(batch)
        cursor.execute(_STAGING)
        cursor.execute("SELECT nextval('outbound_recipient_id_seq')")
        (before,) = cursor.fetchone()
        forbid = _forbidding(cursor, batch)
        adding: Future[int] | None = None
        low = 0
        for block in batched(lines, SLICE, strict=False):
            # Only one of the two speaks to the database at any time: here, with the slice before added.
            if adding is not None:
                loaded.added += adding.result()
            part = _staged(cursor, block, low)
            told(f"adding rows up to line {part['high']}")
            _refuse_foreign_anis(cursor, batch, part)
            for statement, values in forbid:
                cursor.execute(statement, values | part)
            adding = beside.submit(_added, connection.connection, {"batch": batch.pk} | part)
            low = part["high"]
        if adding is not None:
            loaded.added += adding.result()
        told("looking for duplicates")
        cursor.execute("SELECT count(*) FROM outbound_staging WHERE refusal IS NULL")
        if cursor.fetchone()[0] != loaded.added:
            values = {"batch": batch.pk, "before": before, "reason": Refusal.DUPLICATE}
            cursor.execute("ANALYZE outbound_staging")
            cursor.execute(_IN_BATCH_BEFORE, values)
            cursor.execute(_DUPLICATES, values)
        cursor.execute(
            "INSERT INTO outbound_window (batch_id, zones_id) SELECT %s, zones FROM outbound_staging"
            " WHERE zones IS NOT NULL AND refusal IS NULL GROUP BY zones ON CONFLICT DO NOTHING",
            [batch.pk],
        )
        cursor.execute("SELECT refusal, count(*) FROM outbound_staging WHERE refusal IS NOT NULL GROUP BY refusal")
        loaded.by_reason = dict(cursor.fetchall())
        loaded.refused = sum(loaded.by_reason.values())
        cursor.execute(
            "SELECT count(*) FROM outbound_staging s WHERE refusal IS NULL"
            " AND (zones IS NULL OR EXISTS (SELECT 1 FROM outbound_forbidden f WHERE f.line = s.line))"
        )
        loaded.suppressed = cursor.fetchone()[0]
    return loaded


def _staged(cursor: CursorWrapper, block: Sequence[str], low: int) -> dict[str, Any]:
    """Copy a slice into the staging table. Returns where it stands: its lines, and the page on which they begin."""
    cursor.execute("SELECT greatest(pg_relation_size('outbound_staging') / current_setting('block_size')::int - 1, 0)")
    (page,) = cursor.fetchone()
    with cursor.copy(_COPY) as copy:
        for some in batched(block, LINES_PER_WRITE, strict=False):
            copy.write("".join(some))
    return {"page": f"({page},0)", "low": low, "high": int(block[-1].partition("\t")[0])}


def _added(raw: psycopg.Connection[Any], values: dict[str, Any]) -> int:
    """Add a slice to the batch (a thread's work, on the same connection). Returns how many are new."""
    with psycopg.Cursor(raw) as cursor:
        return cursor.execute(_INSERT, values).rowcount


def keep_refused(job: int) -> None:
    """Write the refused rows of the staging table to an import's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outbound_importrejection (job_id, line, value, reason)"
            " SELECT %s, line, coalesce(value, number, ''), refusal FROM outbound_staging"
            " WHERE refusal IS NOT NULL ORDER BY line",
            [job],
        )


def refused_rows() -> list[dict[str, object]]:
    """The refused rows of the staging table, for a list that came with one request."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line, coalesce(value, number, ''), refusal FROM outbound_staging WHERE refusal IS NOT NULL ORDER BY line"
        )
        return [{"line": line, "value": value, "reason": reason} for line, value, reason in cursor.fetchall()]


# A slice of the staging table: its pages are read, not all that came before.
_PART = "s.ctid >= %(page)s::tid AND s.line > %(low)s AND s.line <= %(high)s"
_INSERT = f"""
INSERT INTO outbound_recipient (batch_id, number, zones_id, state, reason, attempts, dialed, due_at, outcome, ani, parameters)
SELECT %(batch)s, s.number, s.zones,
       CASE WHEN s.zones IS NULL OR f.line IS NOT NULL THEN 'suppressed' ELSE 'pending' END,
       CASE WHEN f.line IS NOT NULL THEN 'do_not_call' WHEN s.zones IS NULL THEN 'unknown_zone' ELSE '' END,
       0, 0, now(), '', s.ani, s.parameters
FROM outbound_staging s LEFT JOIN outbound_forbidden f ON f.line = s.line
WHERE {_PART} AND s.refusal IS NULL
ON CONFLICT (batch_id, number) DO NOTHING
"""  # noqa: S608 - a constant
# Few numbers stand twice, so only those are sorted.
_DUPLICATES = """
UPDATE outbound_staging s SET refusal = %(reason)s
FROM (
    SELECT o.line, row_number() OVER (PARTITION BY o.number ORDER BY o.line) AS place
    FROM outbound_staging o
    WHERE o.refusal IS NULL AND o.number IN (
        SELECT number FROM outbound_staging WHERE refusal IS NULL GROUP BY number HAVING count(*) > 1)
) twice
WHERE s.line = twice.line AND twice.place > 1
"""
_IN_BATCH_BEFORE = """
UPDATE outbound_staging s SET refusal = %(reason)s
FROM outbound_recipient r
WHERE r.batch_id = %(batch)s AND r.number = s.number AND r.id < %(before)s AND s.refusal IS NULL
"""


_FORBIDDEN_NUMBERS = f"""
INSERT INTO outbound_forbidden
SELECT s.line FROM outbound_staging s JOIN outbound_donotcallentry e ON e.pattern = s.number
WHERE {_PART} AND e.list_id = ANY(%(lists)s) AND s.refusal IS NULL ON CONFLICT DO NOTHING
"""  # noqa: S608 - a constant
_FORBIDDEN_PREFIXES = f"""
INSERT INTO outbound_forbidden
SELECT s.line FROM outbound_staging s JOIN outbound_donotcallentry e ON e.pattern = left(s.number, %(length)s) || '*'
WHERE {_PART} AND e.list_id = ANY(%(lists)s) AND s.refusal IS NULL ON CONFLICT DO NOTHING
"""  # noqa: S608 - a constant


def _refuse_foreign_anis(cursor: CursorWrapper, batch: Batch, part: dict[str, Any]) -> None:
    cursor.execute(f"SELECT DISTINCT ani FROM outbound_staging s WHERE {_PART} AND ani <> '' AND refusal IS NULL", part)  # noqa: S608 - constant
    given = [ani for (ani,) in cursor.fetchall()]
    foreign = sorted(set(given) - set(ani_numbers(batch.network, given))) if given else []
    if foreign:
        cursor.execute(
            f"UPDATE outbound_staging s SET refusal = %(reason)s, value = number || ' ani ' || ani WHERE {_PART}"  # noqa: S608
            " AND ani = ANY(%(foreign)s)",
            part | {"reason": Refusal.FOREIGN_ANI, "foreign": foreign},
        )


def _forbidding(cursor: CursorWrapper, batch: Batch) -> list[tuple[str, dict[str, Any]]]:
    """What finds the lines of a slice whose number stands on a list that binds the batch: (statement, values) each.

    One join per length of pattern, not one look per row.
    """
    cursor.execute("SELECT lists, lengths FROM outbound_lists(%s)", [batch.pk])
    lists, lengths = cursor.fetchone()
    if not lists:
        return []
    prefixes = [(_FORBIDDEN_PREFIXES, {"lists": lists, "length": length}) for length in lengths or []]
    return [(_FORBIDDEN_NUMBERS, {"lists": lists}), *prefixes]
