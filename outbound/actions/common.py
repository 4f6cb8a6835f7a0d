"""What the writes of outbound share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from outbound.choices import BATCH_MOVES, BatchStatus
from outbound.models import Batch
from portal.errors import Conflict, NotFound
from portal.prepared import one

# Namespaces of advisory locks, in the upper half of their 64 bits (docs/locking.md).
PLACING, PUMPS, HANG_UPS = 0x0B47C1, 0x0B47C2, 0x0B47C5


def placing_lock(batch: int) -> int:
    """The key of the lock that pumps share while they hand a batch's calls to a carrier."""
    return (PLACING << 32) + batch


@contextmanager
def locked(batch: Batch | int, *, durable: bool = False) -> Iterator[Batch]:
    """A transaction that holds the batch's hot row: no claim happens meanwhile. Yields the batch as it is now."""
    pk = batch if isinstance(batch, int) else batch.pk
    with transaction.atomic(durable=durable):
        if one("SELECT 1 FROM outbound_batchstate WHERE batch_id = %s FOR NO KEY UPDATE", (pk,)) is None:
            raise NotFound("There is no such batch.")
        yield Batch.objects.select_related("network", "carrier", "campaign", "state").get(pk=pk)


def batch_move(batch: Batch, status: str, **values: Any) -> None:
    """Move a locked batch to `status` by a conditional UPDATE. Raises Conflict where the table does not allow it."""
    came_from = [old for old, new in BATCH_MOVES.items() if status in new]
    moved = Batch.objects.filter(pk=batch.pk, status=batch.status, status__in=came_from).update(status=status, **values)
    if not moved:
        raise Conflict(
            f"The batch is {BatchStatus(batch.status).label.lower()}; it cannot become {BatchStatus(status).label.lower()} now.",
            code="wrong_status", details={"status": batch.status},
        )  # fmt: skip
    batch.status = status
    for name, value in values.items():
        setattr(batch, name, value)


def rows(sql: str, params: tuple[Any, ...] | list[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []
