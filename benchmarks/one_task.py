"""The usual way, as a yardstick: one Celery task per call, each with a transaction of its own before and after dialing."""

import os
import uuid

from celery import Celery

app = Celery("one_task", broker=os.environ.get("BROKER_URL", ""))
app.conf.task_ignore_result = True
app.conf.worker_hijack_root_logger = False
app.conf.task_default_queue = "benchmark-one-task"


@app.task
def dial(recipient: int, batch: int, carrier: int) -> None:
    """Claim one recipient, dial (which takes no time here), write the outcome."""
    import django

    django.setup()
    from django.db import connection, transaction

    attempt = uuid.uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outbound_recipient SET state = 'queued', attempts = 1, dialed = 1 WHERE id = %s", [recipient]
        )
        cursor.execute(
            "INSERT INTO outbound_attempt (id, recipient_id, batch_id, carrier_id, number, state, claimed_at, dial_at, outcome,"
            " cause, callee_type, carrier_call_id, worker, looks)"
            " VALUES (%s, %s, %s, %s, 1, 'queued', now(), now(), '', '', '', '', 'celery', 0)",
            [attempt, recipient, batch, carrier],
        )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outbound_attempt SET state = 'completed', outcome = 'answered', ended_at = now() WHERE id = %s",
            [attempt],
        )
        cursor.execute(
            "UPDATE outbound_recipient SET state = 'completed', outcome = 'answered' WHERE id = %s", [recipient]
        )
