"""Hourly sums of calls and peaks, for charts and lists."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

# Legs that began up to a day before the hour may still be live in it; longer ones are the sweeper's. Money is exact: what
# lasted longer (the workers were away) is found by its own small index, campaigns_leg_long.
_ROLL_UP = """
WITH span AS (
    SELECT %(hour)s::timestamptz AS since, %(hour)s::timestamptz + interval '1 hour' AS until
), called AS (
    SELECT network_id, campaign_id, sum(n)::integer AS calls, sum(n) FILTER (WHERE refusal <> '')::integer AS refused,
           coalesce(jsonb_object_agg(refusal, n) FILTER (WHERE refusal <> ''), '{}') AS reasons
    FROM (
        SELECT network_id, campaign_id, refusal, count(*)::integer AS n
        FROM campaigns_call, span WHERE started_at >= since AND started_at < until
        GROUP BY 1, 2, 3
    ) c GROUP BY 1, 2
), received AS (
    SELECT destination_id AS campaign_id, count(*)::integer AS received, count(answered_at)::integer AS answered
    FROM campaigns_callleg, span WHERE selected_at >= since AND selected_at < until
    GROUP BY 1
), money AS (
    -- Of the hour in which a call ended: what it cost is known then. A leg not priced yet counts as reserved.
    SELECT destination_id AS campaign_id, count(*)::integer AS ended,
           coalesce(sum(extract(epoch FROM ended_at - answered_at)), 0)::bigint AS seconds,
           sum(coalesce(cost, reserved)) AS cost, coalesce(sum(revenue), 0) AS revenue
    FROM (
        SELECT l.* FROM campaigns_callleg l, span
        WHERE ended_at >= since AND ended_at < until AND answered_at IS NOT NULL
          AND selected_at >= since - interval '24 hours' AND selected_at < until
        UNION ALL
        SELECT l.* FROM campaigns_callleg l, span
        WHERE ended_at >= since AND ended_at < until AND answered_at IS NOT NULL
          AND ended_at - selected_at > interval '24 hours' AND selected_at < since - interval '24 hours'
    ) over
    GROUP BY 1
), live AS (
    SELECT destination_id, greatest(selected_at, since) AS began, ended_at
    FROM campaigns_callleg, span
    WHERE holds_slot AND selected_at >= since - interval '1 day' AND selected_at < until
      AND (ended_at IS NULL OR ended_at > since)
), steps AS (
    -- An end comes before a beginning at the same instant: the slot was free again.
    SELECT destination_id, sum(step) OVER (PARTITION BY destination_id ORDER BY at, step ROWS UNBOUNDED PRECEDING) AS live
    FROM (SELECT destination_id, began AS at, 1 AS step FROM live
          UNION ALL SELECT destination_id, ended_at, -1 FROM live, span WHERE ended_at < until) s
), peaks AS (
    SELECT destination_id AS campaign_id, max(live)::integer AS peak FROM steps GROUP BY 1
)
INSERT INTO campaigns_campaignhour AS h
    (network_id, campaign_id, hour, calls, refused, refused_by_reason, received, answered, peak_live, ended, seconds, cost,
     revenue)
SELECT m.network_id, m.id, since, coalesce(c.calls, 0), coalesce(c.refused, 0), coalesce(c.reasons, '{}'),
       coalesce(r.received, 0), coalesce(r.answered, 0), coalesce(p.peak, 0), coalesce(e.ended, 0),
       coalesce(e.seconds, 0), coalesce(e.cost, 0), coalesce(e.revenue, 0)
FROM span, campaigns_campaign m
LEFT JOIN called c ON c.campaign_id = m.id
LEFT JOIN received r ON r.campaign_id = m.id
LEFT JOIN peaks p ON p.campaign_id = m.id
LEFT JOIN money e ON e.campaign_id = m.id
WHERE c.campaign_id IS NOT NULL OR r.campaign_id IS NOT NULL OR p.campaign_id IS NOT NULL OR e.campaign_id IS NOT NULL
ON CONFLICT (campaign_id, hour) DO UPDATE
SET calls = excluded.calls, refused = excluded.refused, refused_by_reason = excluded.refused_by_reason,
    received = excluded.received, answered = excluded.answered, peak_live = excluded.peak_live, ended = excluded.ended,
    seconds = excluded.seconds, cost = excluded.cost, revenue = excluded.revenue
WHERE (h.calls, h.refused, h.received, h.answered, h.peak_live, h.refused_by_reason, h.ended, h.seconds, h.cost, h.revenue)
      IS DISTINCT FROM (excluded.calls, excluded.refused, excluded.received, excluded.answered, excluded.peak_live,
                        excluded.refused_by_reason, excluded.ended, excluded.seconds, excluded.cost, excluded.revenue)
"""


# One look into an index per network, not at the whole table. The newest of all: one run sums the hour of every network.
_LAST_SUMMED = """
SELECT max(h.hour) FROM accounts_network n
CROSS JOIN LATERAL (SELECT hour FROM campaigns_campaignhour WHERE network_id = n.id ORDER BY hour DESC LIMIT 1) h
"""
# The hours of a span in which a call came, or a leg was there: an hour without either has no row.
_ACTIVE = """
SELECT DISTINCT hour FROM (
    SELECT date_trunc('hour', started_at, 'UTC') AS hour
    FROM campaigns_call WHERE started_at >= %(since)s AND started_at < %(until)s
    UNION ALL
    SELECT generate_series(date_trunc('hour', greatest(selected_at, %(since)s), 'UTC'),
                           least(ended_at, %(until)s), interval '1 hour')
    FROM campaigns_callleg
    WHERE selected_at >= %(since)s::timestamptz - interval '24 hours' AND selected_at < %(until)s
      AND (ended_at IS NULL OR ended_at >= %(since)s)
    UNION ALL
    SELECT date_trunc('hour', ended_at, 'UTC')
    FROM campaigns_callleg
    WHERE ended_at - selected_at > interval '24 hours' AND ended_at >= %(since)s AND ended_at < %(until)s
) active
WHERE hour < %(until)s ORDER BY hour
"""


def hour_of(at: datetime) -> datetime:
    """The full hour (UTC) that `at` falls in."""
    return at.replace(minute=0, second=0, microsecond=0)


def _hour_sum(hour: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROLL_UP, {"hour": hour})
        return cursor.rowcount


def _missed(before: datetime) -> list[datetime]:
    """The hours before `before` in which something happened since the last one that was summed, that one too: it may have
    been summed before it was over. In their order, so that whoever stops in the middle goes on from there."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SUMMED)
        (last,) = cursor.fetchone()
        if last is None:
            cursor.execute("SELECT date_trunc('hour', started_at, 'UTC') FROM campaigns_call ORDER BY id LIMIT 1")
            row = cursor.fetchone()
            last = row[0] if row else before
        if last >= before:
            return []
        cursor.execute(_ACTIVE, {"since": last, "until": before})
        return [hour for (hour,) in cursor.fetchall()]


def hours_roll_up(*, since: datetime | None = None) -> int:
    """Sum up every hour from `since` (default: the hour before this one) to now, and before it those that were missed,
    however long nobody was there to sum them. May be repeated at any time.

    Returns the number of (campaign, hour) rows that changed.
    """
    now = timezone.now()
    hour = hour_of(since or now - timedelta(hours=1))
    changed = sum(_hour_sum(missed) for missed in _missed(hour))
    while hour <= now:
        changed += _hour_sum(hour)
        hour += timedelta(hours=1)
    return changed


def hours_sum_again(moments: Iterable[datetime | None]) -> None:
    """Sum up again the hours of these moments that `hours_roll_up` does not look at by itself any more."""
    recent = hour_of(timezone.now() - timedelta(hours=1))
    for hour in sorted({hour_of(at) for at in moments if at is not None and at < recent}):
        _hour_sum(hour)
