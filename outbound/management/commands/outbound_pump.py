"""`manage.py outbound_pump`: dial without Celery, as one process that does what worker and beat would."""

import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from outbound import actions
from outbound.dialing.pump import Pump


class Command(BaseCommand):
    help = (
        "Claims and dials calls, asks about silent ones, sends results and settles batches, until Ctrl-C or --seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=None, help="work so long (until it is stopped)")

    def handle(self, *_args: Any, seconds: float | None, **_options: Any) -> None:
        stopped = False

        def stop(*_: object) -> None:
            nonlocal stopped
            stopped = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        ends = time.monotonic() + seconds if seconds is not None else float("inf")
        dialed = 0
        while not stopped and time.monotonic() < ends:
            dialed += round_of_work(lambda: stopped)
        self.stdout.write(f"{dialed} calls were handed to carriers.")


def round_of_work(stop: Any = lambda: False, *, seconds: float = 1.0) -> int:
    """What worker and beat do in about a second. Returns how many calls were dialed."""
    actions.beat()
    actions.windows_keep()
    actions.batches_settle()
    dialed = Pump(seconds=seconds, idle=0.3, stop=stop).run()
    actions.waiting_drain()
    for job in actions.imports_sweep():
        actions.import_run(job=job)
    actions.hang_ups_keep()
    actions.silent_look()
    actions.deliveries_send()
    if not dialed:
        time.sleep(0.1)
    return dialed
