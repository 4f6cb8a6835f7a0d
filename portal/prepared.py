"""Prepared statements for what every call asks: Django's own cursors bind on the client and never prepare."""

from typing import Any

import psycopg
from django.db import connection


def one(sql: str, params: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The first row of a statement, planned once per connection; None when there is none. Errors are Django's."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, params, prepare=True).fetchone()
