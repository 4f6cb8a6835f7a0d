"""Many rows of a model in one statement and one value, where Django's `bulk_create` is too slow."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Model


def _as_json(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of a row")


def rows_insert(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows {column: value}, all with the same columns, in their order; the other columns get the fields' defaults.

    Without objects, signals and `pre_save`: a third of the time of `bulk_create`. Values are text, numbers, dates and JSON.
    """
    if not rows:
        return
    meta = model._meta
    others = {
        str(field.column): field.get_default()
        for field in meta.concrete_fields
        if field.column not in rows[0] and not field.primary_key
    }
    quoted = connection.ops.quote_name
    columns, table = ", ".join(map(quoted, [*others, *rows[0]])), quoted(meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns}"  # noqa: S608
            f" FROM jsonb_populate_recordset(jsonb_populate_record(NULL::{table}, %s::jsonb), %s::jsonb)",
            [json.dumps(others, default=_as_json), json.dumps(rows, default=_as_json)],
        )
