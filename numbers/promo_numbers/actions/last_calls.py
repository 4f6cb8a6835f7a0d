"""When each number was called last: summed up from the calls, a few minutes of them at a time."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from promo_numbers.models import RollUpMark

MARK = "last_calls"
# A call is committed a moment after it began: so much is read twice.
AGAIN = timedelta(minutes=10)
STEP = timedelta(days=7)
# How far back it looks the first time.
FIRST = timedelta(days=90)

# Through the index of calls by time; a number is written once a day at most.
_ROLL_UP = """
UPDATE numbers_promonumber n SET last_called_on = c.day
FROM (
    SELECT network_id, promo_number, (max(started_at) AT TIME ZONE 'UTC')::date AS day
    FROM campaigns_call WHERE started_at >= %s AND started_at < %s AND promo_number <> ''
    GROUP BY network_id, promo_number
) c
WHERE n.network_id = c.network_id AND n.number = c.promo_number AND n.state = 'active'
  AND (n.last_called_on IS NULL OR n.last_called_on < c.day)
"""


def last_calls_roll_up(now: datetime | None = None) -> int:
    """Bring `last_called_on` up to `now`. Returns how many numbers changed.

    Only calls since the last run are read (some minutes twice), a week at a time after a longer pause. Runs that overlap
    wait for each other; a run that breaks off is made good by the next.
    """
    now = now or timezone.now()
    changed = 0
    while True:
        with transaction.atomic():
            RollUpMark.objects.get_or_create(name=MARK, defaults={"until": now - FIRST})
            mark = RollUpMark.objects.select_for_update(no_key=True).get(name=MARK)
            if mark.until >= now:
                return changed
            until = min(now, mark.until + STEP)
            with connection.cursor() as cursor:
                cursor.execute(_ROLL_UP, [mark.until - AGAIN, until])
                changed += cursor.rowcount
            mark.until = until
            mark.save(update_fields=["until"])
