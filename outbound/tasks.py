"""Celery tasks: wake-ups. Each only calls actions; all are safe to repeat, to overlap and to miss.

The beat wakes `tick` and `pump` every second and the others now and then; whatever made work wakes them at once.
A lost broker loses only the waking: the next beat finds the same rows.
"""

import logging
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from kombu.exceptions import OperationalError

from outbound import actions
from outbound.dialing.pump import Pump

logger = logging.getLogger(__name__)
# A wake-up that was not heard by then is no use: another has come.
HEARD_WITHIN = 5
RESULTS_PER_RUN = 2000


@shared_task(ignore_result=True)
def tick() -> None:
    """What time alone brings: batches begin and end, windows move on, who waits in a stopped batch is canceled."""
    actions.beat()
    actions.windows_keep()
    actions.waiting_drain()
    actions.batches_settle()
    for job in actions.imports_sweep():
        queue(run_import, job)


@shared_task(ignore_result=True)
def pump() -> int:
    """Dial what may be dialed now. Ends at once when enough pumps are at work."""
    return Pump().run()


@shared_task(ignore_result=True)
def send_results() -> int:
    """Send results that are due, until none is (or for long enough)."""
    count = 0
    while count < RESULTS_PER_RUN and (sent := actions.deliveries_send()):
        count += sent
    return count


@shared_task(ignore_result=True)
def look_for_silent() -> int:
    """Ask carriers about attempts that nothing was heard of, and for the ends that are still to be asked for."""
    asked = actions.silent_look()
    actions.hang_ups_keep()
    return asked


@shared_task(ignore_result=True)
def reconcile_counters() -> int:
    """Compare batches' counters with their recipients; returns how many had drifted."""
    return len(actions.counters_reconcile())


@shared_task(ignore_result=True)
def run_import(job: int) -> None:
    """Run one import to its end."""
    actions.import_run(job=job)


@shared_task(ignore_result=True)
def hang_up_calls(attempts: list[str]) -> int:
    """Ask carriers to end these calls."""
    return actions.calls_hang_up(attempts=[UUID(text) for text in attempts])


def queue(task: Task, *arguments: Any, expires: int | None = None) -> None:
    """Queue a task; a broker that is away is no error, because the rows stay and the beat comes again."""
    try:
        task.apply_async(arguments, expires=expires, retry=False)
    except (OperationalError, OSError):
        logger.warning("the broker could not be reached; the next beat will see to it", extra={"task": task.name})


def wake() -> None:
    """Look now instead of at the next beat."""
    queue(tick, expires=HEARD_WITHIN)
    queue(pump, expires=HEARD_WITHIN)
