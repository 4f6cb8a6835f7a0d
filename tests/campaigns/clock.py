"""Another time for a test: the database and Python agree that it is then, and it goes on from there.

The portal's SQL says `now()` and `clock_timestamp()` without a schema, so a schema before `pg_catalog` in the search path
answers instead, for the connections that ask for it. Nothing of the code under test is changed.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection

_SCHEMA = """
CREATE SCHEMA test_clock;
CREATE FUNCTION test_clock.now() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$SELECT pg_catalog.now() + current_setting('test_clock.ahead')::interval$$;
CREATE FUNCTION test_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$SELECT pg_catalog.clock_timestamp() + current_setting('test_clock.ahead')::interval$$;
"""


class Clock:
    """Use as a context manager; other threads call `enter` on their own connection before they work."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def set(self, at: datetime) -> None:
        """It is `at` now. Threads that work already go on with the time that they entered with."""
        self.ahead = at - datetime.now(UTC)
        self.enter()

    def enter(self) -> None:
        """Let this thread's connection live by this clock."""
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = test_clock, public, pg_catalog")
            cursor.execute(
                "SELECT set_config('test_clock.ahead', %s, false)", [f"{self.ahead.total_seconds()} seconds"]
            )

    def __enter__(self) -> "Clock":
        with connection.cursor() as cursor:
            cursor.execute(_SCHEMA)
        self.enter()
        return self

    def __exit__(self, *_error: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path")
            cursor.execute("DROP SCHEMA test_clock CASCADE")
