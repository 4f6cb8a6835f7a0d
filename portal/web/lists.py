"""Lists by keyset: the next page begins after the last row of this one, so page 1000 costs what page 1 costs."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    """One page of a list. `after` and `before` are the cursors of the neighbours; None where there is none."""

    rows: list[Any]
    after: str | None
    before: str | None

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def _cursor(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, name.lstrip("-")) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def _values(cursor: str, order: Sequence[str]) -> list[Any] | None:
    """What a cursor holds; None for one that was not made by `_cursor` (then the list starts at its beginning)."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        return None
    simple = isinstance(values, list) and all(
        isinstance(value, str | int) and "\x00" not in str(value) for value in values
    )
    return values if simple and len(values) == len(order) else None


def _beyond(order: Sequence[str], values: list[Any], *, forward: bool) -> Q:
    """Rows after (or before) the one with `values`. `order` is all ascending or all descending.

    The first column's >= stands alone, so that PostgreSQL can enter the index there.
    """
    descending = order[0].startswith("-")
    compare = "gt" if forward != descending else "lt"
    names = [name.lstrip("-") for name in order]
    beyond = Q(pk__in=[])
    for index, name in enumerate(names):
        equal = dict(zip(names[:index], values[:index], strict=True))
        beyond |= Q(**equal, **{f"{name}__{compare}": values[index]})
    return Q(**{f"{names[0]}__{compare}e": values[0]}) & beyond


def keyset(
    queryset: QuerySet, query: QueryDict, *, order: Sequence[str] = ("name", "id"), size: int = PAGE_SIZE
) -> Page:
    """The page of `queryset` that `query` asks for with `after` or `before`. One statement.

    order: column names, all ascending or all descending (“-id”); the last one must be unique.
    """
    backward = "before" in query and "after" not in query
    cursor = query.get("before" if backward else "after", "")
    values = _values(cursor, order) if cursor else None
    flipped = [name[1:] if name.startswith("-") else f"-{name}" for name in order]
    rows_asked = queryset.order_by(*(flipped if backward else order))
    if values is not None:
        try:
            rows = list(rows_asked.filter(_beyond(order, values, forward=not backward))[: size + 1])
        except (ValueError, TypeError, ValidationError):  # such as a word where the column holds moments
            values, backward = None, False
    if values is None:
        rows = list(queryset.order_by(*order)[: size + 1])
        backward = False
    more = len(rows) > size
    rows = rows[:size]
    if backward:
        rows.reverse()
    has_next, has_previous = (True, more) if backward else (more, values is not None)
    return Page(
        rows,
        after=_cursor(rows[-1], order) if rows and has_next else None,
        before=_cursor(rows[0], order) if rows and has_previous else None,
    )
