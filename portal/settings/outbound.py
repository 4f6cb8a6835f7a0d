"""Outbound: paces, leases and bounds. Seconds unless said otherwise."""

from .base import CELERY_BEAT_SCHEDULE
from .env import env

# The whole portal's pace and lines; empty = only those of carriers and batches hold.
OUTBOUND_CALLS_PER_SECOND = env.decimal("OUTBOUND_CALLS_PER_SECOND", None)
OUTBOUND_LINES = env.int("OUTBOUND_LINES", None)
# How many pumps may dial at once over all workers, and how many calls one of them hands to carriers at once. Fewer than
# there are worker processes: a pump keeps one busy for seconds, and results and sweeps need one too.
OUTBOUND_PUMPS = env.int("OUTBOUND_PUMPS", 1)
OUTBOUND_IN_FLIGHT = env.int("OUTBOUND_IN_FLIGHT", 32)
# A pump works this long before it lets Celery start the next.
OUTBOUND_PUMP_SECONDS = env.float("OUTBOUND_PUMP_SECONDS", 5.0)
# How long a carrier may take to answer, and after how long an attempt without an answer is called unknown.
OUTBOUND_PLACE_TIMEOUT = env.float("OUTBOUND_PLACE_TIMEOUT", 10.0)
OUTBOUND_CLAIM_LEASE = env.float("OUTBOUND_CLAIM_LEASE", 30.0)
# A call that nothing was heard of for so long is asked for: while it rings, and while they talk.
OUTBOUND_RING_SILENCE = env.int("OUTBOUND_RING_SILENCE", 120)
OUTBOUND_TALK_SILENCE = env.int("OUTBOUND_TALK_SILENCE", 1800)
# So many carrier errors in a row pause a batch.
OUTBOUND_ERROR_BURST = env.int("OUTBOUND_ERROR_BURST", 25)
# The answer to Stop waits at most so long for requests that are on their way to the carrier.
OUTBOUND_STOP_PATIENCE = env.float("OUTBOUND_STOP_PATIENCE", 15.0)
# Uploads of lists, in bytes, and rows of one request.
OUTBOUND_UPLOAD_LIMIT = env.int("OUTBOUND_UPLOAD_LIMIT", 512 * 1024 * 1024)
OUTBOUND_ROWS_PER_REQUEST = env.int("OUTBOUND_ROWS_PER_REQUEST", 1000)
# Results, URL checks and carriers whose address somebody typed may be at private, loopback and link-local addresses only where
# an operator says so. A timeout is for each step; a whole request has three of them.
OUTGOING_PRIVATE_ADDRESSES = env.bool("OUTGOING_PRIVATE_ADDRESSES", False)
OUTGOING_TIMEOUT = env.float("OUTGOING_TIMEOUT", 10.0)
# Where carriers reach this portal for callbacks, such as https://portal.example.com; empty = they are asked instead.
OUTBOUND_CALLBACK_URL = env.str("OUTBOUND_CALLBACK_URL", "")

# Wake-ups; those that nobody heard in time are worth nothing, because the next looks at the same rows.
CELERY_BEAT_SCHEDULE.update(
    {
        f"outbound-{name}": {"task": f"outbound.tasks.{task}", "schedule": every, "options": {"expires": lives}}
        for name, task, every, lives in (
            ("tick", "tick", 1.0, 2),
            ("pump", "pump", 1.0, 2),
            ("results", "send_results", 2.0, 4),
            ("silent", "look_for_silent", 5.0, 10),
            ("reconcile", "reconcile_counters", 300.0, 300),
        )
    }
)
