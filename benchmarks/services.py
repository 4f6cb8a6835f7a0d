"""Durable throw-away services for a benchmark, and the database behind them."""

import contextlib
import os
from collections.abc import Iterator

import psycopg
from psycopg.conninfo import make_conninfo

from portal.runtime.throwaway import throwaway_services


@contextlib.contextmanager
def services() -> Iterator[dict[str, str]]:
    """Run PostgreSQL (fsync and synchronous commit on) and Valkey. Yields the whole environment for a process on them."""
    with throwaway_services(durable=True) as environment:
        yield (
            os.environ
            | environment
            | {
                "DJANGO_SETTINGS_MODULE": "portal.settings",
                "LOG_LEVEL": "ERROR",
                # The load comes from one machine with one token: otherwise its own limits would be what is measured.
                "API_CALL_RATE_LIMIT": "1000000000/min",
                "API_RATE_LIMIT": "1000000000/min",
            }
        )


def prepare() -> None:
    """Set Django up on the services that the environment names, and bring their database to the newest schema."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", "--no-input", verbosity=0)
    # Rounds of a few seconds must not differ by which of them a checkpoint fell into: they are asked for in between.
    execute("ALTER SYSTEM SET checkpoint_timeout = '1h'")
    execute("ALTER SYSTEM SET max_wal_size = '32GB'")
    execute("SELECT pg_reload_conf()")


def conninfo() -> str:
    """How libpq programs (pgbench) reach the database that Django uses."""
    from django.db import connection

    settings = connection.settings_dict
    given = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "dbname": settings["NAME"]}
    return make_conninfo(
        "", **{name: value for name, value in given.items() if value}, password=settings["PASSWORD"] or None
    )


def execute(sql: str) -> list[tuple]:
    """Run one statement in autocommit on a connection of its own (VACUUM and the like); its rows, if any."""
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def settle() -> None:
    """Vacuum, analyze and write everything out, so that what came before does not burden the next measurement."""
    execute("VACUUM ANALYZE")
    execute("CHECKPOINT")
