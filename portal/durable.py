"""Commits that let their locks go before the disk has them, and the wait that makes them good.

A hot row is held until its transaction is on disk, so whoever comes next waits for the disk, too. A transaction that
commits asynchronously lets go at once; `make_durable` then waits for the disk, together with everybody else who does.
Nobody may be told of the change before that.
"""

from .prepared import one


def make_durable() -> None:
    """Return when everything that was committed before, by whatever session, is as durable as this session commits.

    Call it outside transactions. It commits a record of its own in the log, and the log is written in order.
    """
    one("SELECT pg_logical_emit_message(true, 'headroom', '')", ())
