"""What every call runs reads by index from the first call on, also where its plan was made on empty tables."""

import pytest
from django.db import connection

from campaigns import actions
from tests.factories import bundle_of, destinations

pytestmark = pytest.mark.django_db(transaction=True)

HOT = ("campaigns_call", "campaigns_callleg")
CALLS = 60


def rows_read_whole():
    """Rows that this connection's scans of whole tables read (reported at once, not when the session is idle)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY(%s)", [list(HOT)])
        return cursor.fetchone()[0]


def test_a_call_never_reads_the_calls_before_it():
    bundle = bundle_of(*destinations(2, [None, None]))
    with connection.cursor() as cursor:
        # Statistics that say “empty”: what a new installation's planner knows, or autovacuum's last visit.
        cursor.execute("VACUUM ANALYZE campaigns_call, campaigns_callleg")
    before = rows_read_whole()
    for _ in range(CALLS):
        routed = actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123")
        actions.call_event(by=None, network=bundle.network, call=routed.call_id, event="answered")
        actions.call_event(by=None, network=bundle.network, call=routed.call_id, event="ended")
    assert rows_read_whole() == before
