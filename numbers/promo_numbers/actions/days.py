"""The record of use by day (`NumberDay`): made from the numbers' own rows, so that it can be made again at any time."""

from datetime import date, timedelta

from django.db import connection, transaction

from portal.accounts.models import Network
from promo_numbers.queries.usage import today_utc

# Comings and goings by day, and their running sum from the first number on: no row is looked at once per day. A network is
# written from its last recorded day on (that one again), or from %(since)s, or from its first number.
_ROLL_UP = """
WITH events AS (
    SELECT network_id, (created_at AT TIME ZONE 'UTC')::date AS day, ring_pool_id IS NOT NULL AS dynamic, 1 AS step
    FROM numbers_promonumber WHERE %(network)s::bigint IS NULL OR network_id = %(network)s
    UNION ALL
    SELECT network_id, (released_at AT TIME ZONE 'UTC')::date, ring_pool_id IS NOT NULL, -1
    FROM numbers_promonumber WHERE released_at IS NOT NULL AND (%(network)s::bigint IS NULL OR network_id = %(network)s)
), moves AS (
    SELECT network_id, day, sum(step) FILTER (WHERE NOT dynamic) AS static, sum(step) FILTER (WHERE dynamic) AS dynamic,
           count(*) FILTER (WHERE step = 1) AS added, count(*) FILTER (WHERE step = -1) AS released
    FROM events GROUP BY network_id, day
), spans AS (
    SELECT m.network_id, min(m.day) AS first,
           coalesce(%(since)s::date, (SELECT max(d.day) FROM numbers_numberday d WHERE d.network_id = m.network_id),
                    min(m.day)) AS written
    FROM moves m GROUP BY m.network_id
), days AS (
    SELECT s.network_id, d::date AS day, s.written,
           sum(coalesce(m.static, 0)) OVER running AS static, sum(coalesce(m.dynamic, 0)) OVER running AS dynamic,
           coalesce(m.added, 0) AS added, coalesce(m.released, 0) AS released
    FROM spans s
    CROSS JOIN generate_series(s.first, %(until)s::date, interval '1 day') d
    LEFT JOIN moves m ON m.network_id = s.network_id AND m.day = d::date
    WINDOW running AS (PARTITION BY s.network_id ORDER BY d)
)
INSERT INTO numbers_numberday AS n (network_id, day, static_used, dynamic_used, added, released)
SELECT network_id, day, static, dynamic, added, released FROM days WHERE day >= written
ON CONFLICT (network_id, day) DO UPDATE
SET static_used = excluded.static_used, dynamic_used = excluded.dynamic_used, added = excluded.added,
    released = excluded.released
WHERE (n.static_used, n.dynamic_used, n.added, n.released)
      IS DISTINCT FROM (excluded.static_used, excluded.dynamic_used, excluded.added, excluded.released)
"""


def days_roll_up(*, network: Network | None = None, since: date | None = None) -> int:
    """Write down the use of every day up to yesterday (UTC). Safe to run twice and to miss. Returns how many rows changed.

    network: only this one. since: write again from this day on; otherwise from each network's last recorded day, or, for a
    network without a record, from its first number on (the backfill).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        until = today_utc() - timedelta(days=1)
        cursor.execute(_ROLL_UP, {"network": network.pk if network else None, "since": since, "until": until})
        return cursor.rowcount
