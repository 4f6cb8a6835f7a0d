"""From read rows into the batch: one COPY in one transaction, so that nothing is ever half-done.

The trigger that counts fires once, when the COPY ends: until then the batch's hot row is free, so a live batch goes on
dialing while a long list comes in, and can be stopped at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from pyroaring import BitMap64

from outbound.choices import Refusal
from outbound.models import Batch
from outbound.queries.numbers import ani_numbers

from .rows import NONE, Entry, escaped

_COPY = (
    "COPY outbound_recipient (number, zones_id, ani, parameters, state, reason, batch_id, due_at, attempts, dialed, outcome)"
    " FROM STDIN"
)
_COPY_REFUSED = "COPY outbound_importrejection (line, value, reason, job_id) FROM STDIN"
# While PostgreSQL adds one slice, Python reads the next: a slice, of rows or of bytes of parameters, is what is in memory
# at most twice.
SLICE = 10_000
SLICE_BYTES = 4 << 20
# Refused rows in memory before they go to disk: the connection is busy with the list itself until its end.
REFUSED_BYTES = 1 << 20
# Namespace of the advisory lock that lets one import at a time into a batch (docs/locking.md).
LOCK = 0x0B47C4

Refuse = Callable[[int, str, str], None]


@dataclass
class Loaded:
    """What became of a list's rows. `suppressed`: of those added, who is not to be called."""

    added: int = 0
    suppressed: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many rows were not taken."""
        return sum(self.by_reason.values())


class Rejections:
    """Refused rows on their way to an import's own, kept aside until its list is in."""

    def __init__(self, job: int) -> None:
        self._job = job
        self._rows = SpooledTemporaryFile(REFUSED_BYTES, mode="w+b")  # noqa: SIM115 - lives as long as this

    def add(self, line: int, value: str, reason: str) -> None:
        """Keep one: its line in the file, what stood there, and why it was refused."""
        self._rows.write(f"{line}\t{escaped(value[:200])}\t{reason}\t{self._job}\n".encode())

    def keep(self) -> None:
        """Write them all, in the running transaction."""
        self._rows.seek(0)
        with connection.cursor() as cursor, cursor.copy(_COPY_REFUSED) as copy:
            while piece := self._rows.read(1 << 16):
                copy.write(piece)


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
    """One list at a time into a batch: so nobody else adds a number between our look and our COPY.

    Taken before the batch's hot row, never while holding it (docs/locking.md).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, batch.pk])


def add_few(batch: Batch, entries: Iterable[Entry], *, refuse: Refuse) -> Loaded:
    """Add read rows that fit into memory, by the rules of `add_list`. The caller's transaction has the turn."""
    gate = _Gate(batch, connection, refuse)
    text = gate.passed(list(entries))
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(text)
    return gate.done()


def add_list(
    batch: Batch, entries: Iterable[Entry], *, using: BaseDatabaseWrapper, refuse: Refuse, told: Callable[[str], None]
) -> Loaded:
    """Add read rows (`rows.entries`), however many, to `batch` in the running transaction.

    Do-not-call numbers and those of unknown zones come in as suppressed; foreign anis and duplicates go to `refuse`
    (line, what stood there, reason), as do rows that were refused in reading. `using` is a second connection: it is asked
    while the first one writes. `entries` and `told` (which hears each step) may raise to give up: the caller's
    transaction rolls back.
    """
    take_turn(batch)
    gate = _Gate(batch, using, refuse)
    with (
        psycopg.Cursor(connection.connection) as cursor,
        cursor.copy(_COPY) as copy,
        ThreadPoolExecutor(1, thread_name_prefix="copy") as beside,
    ):
        writing: Future[None] | None = None
        for block in _slices(entries):
            text = gate.passed(block)
            if writing is not None:
                writing.result()
            told(f"adding rows up to line {block[-1][0]}")
            writing = beside.submit(copy.write, text)
        if writing is not None:
            writing.result()
        told("counting")
    return gate.done()


def _slices(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    block: list[Entry] = []
    size = 0
    for entry in entries:
        block.append(entry)
        size += len(entry[4])
        if len(block) >= SLICE or size > SLICE_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


class _Gate:
    """Who of a list comes in, and how. Knows every number that did, in some fifteen bytes each."""

    def __init__(self, batch: Batch, using: BaseDatabaseWrapper, refuse: Refuse) -> None:
        self.batch, self.using, self.refuse = batch, using, refuse
        self.loaded = Loaded()
        self._refused: Counter[str] = Counter()
        self._seen = BitMap64()
        self._zones: set[int] = set()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00'), l.lists, l.lengths,"
                " EXISTS (SELECT 1 FROM outbound_recipient r WHERE r.batch_id = %s) FROM outbound_lists(%s) l",
                [batch.pk, batch.pk],
            )
            now, self._lists, self._lengths, self._stands_some = cursor.fetchone()
        rest = f"{batch.pk}\t{now}\t0\t0\t\n"
        self._pending = f"pending\t\t{rest}"
        self._do_not_call = f"suppressed\tdo_not_call\t{rest}"
        self._unknown_zone = f"suppressed\tunknown_zone\t{rest}"

    def passed(self, block: list[Entry]) -> bytes:
        """Those of some rows that come in, in COPY's text form; the others go to `refuse`."""
        foreign = self._foreign({ani for _, _, _, ani, _, reason, _ in block if ani and not reason})
        numbers = [number for _, number, *_ in block if number]
        stands = self._standing(numbers)
        forbidden = self._forbidden(numbers)
        seen, loaded, found = self._seen, self.loaded, []
        for line, number, zones, ani, parameters, reason, value in block:
            if not reason:
                # The digits of an E.164 number fit into 64 bits.
                key = int(number)
                if ani in foreign:
                    reason, value = Refusal.FOREIGN_ANI, f"{number} ani {ani}"
                elif key in seen or number in stands:
                    reason = Refusal.DUPLICATE
                else:
                    seen.add(key)
            if reason:
                self._refused[reason] += 1
                self.refuse(line, value or number, reason)
                continue
            if number in forbidden:
                how = self._do_not_call
                loaded.suppressed += 1
            elif zones:
                how = self._pending
            else:
                how = self._unknown_zone
                loaded.suppressed += 1
            self._zones.add(zones)
            found.append(f"{number}\t{zones or NONE}\t{ani}\t{parameters}\t{how}")
        loaded.added += len(found)
        return "".join(found).encode()

    def done(self) -> Loaded:
        """The windows of zones that are new to the batch, and what became of all rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO outbound_window (batch_id, zones_id) SELECT %s, z FROM unnest(%s::int[]) z ORDER BY z"
                " ON CONFLICT DO NOTHING",
                [self.batch.pk, sorted(self._zones - {0})],
            )
        self.loaded.by_reason = dict(self._refused)
        return self.loaded

    def _foreign(self, anis: set[str]) -> set[str]:
        return anis - ani_numbers(self.batch.network, anis, using=self.using).keys()

    def _standing(self, numbers: list[str]) -> set[str]:
        """Which of some numbers stood in the batch before."""
        if not self._stands_some or not numbers:
            return set()
        # One text for all of them: the driver would quote every member of a list.
        return self._asked(
            "SELECT number FROM outbound_recipient WHERE batch_id = %s AND number = ANY (string_to_array(%s, ','))",
            [self.batch.pk, ",".join(numbers)],
        )

    def _forbidden(self, numbers: list[str]) -> set[str]:
        """Which of some numbers stand on a list that binds the batch, themselves or by a prefix."""
        if not self._lists or not numbers:
            return set()
        lengths = self._lengths or []
        prefixes = {f"{number[:length]}*" for length in lengths for number in numbers}
        found = self._asked(
            "SELECT p FROM unnest(string_to_array(%s, ',')) p WHERE EXISTS ("
            "SELECT 1 FROM outbound_donotcallentry e WHERE e.list_id = ANY (%s) AND e.pattern = p)",
            [",".join([*numbers, *prefixes]), self._lists],
        )
        starts = tuple(pattern[:-1] for pattern in found if pattern.endswith("*"))
        return found | {number for number in numbers if number.startswith(starts)} if starts else found

    def _asked(self, sql: str, values: list[Any]) -> set[str]:
        with self.using.cursor() as cursor:
            cursor.execute(sql, values)
            return {found for (found,) in cursor.fetchall()}
