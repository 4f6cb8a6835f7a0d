"""Workers are killed with SIGKILL at random while they dial; a carrier on the other side of real HTTP counts for itself.

OUTBOUND_CRASH_CALLS sets how many calls (800; `make bench` and releases use 20 000).
"""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from django.db import connection, transaction
from django.utils import timezone

from outbound import actions
from outbound.models import Attempt, BatchState, Recipient

from .conftest import numbers

pytestmark = pytest.mark.django_db(transaction=True)
CALLS = int(os.environ.get("OUTBOUND_CRASH_CALLS", "800"))
ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = {
    "OUTBOUND_PLACE_TIMEOUT": "3", "OUTBOUND_CLAIM_LEASE": "8", "OUTBOUND_RING_SILENCE": "3", "OUTBOUND_PUMPS": "3",
    "OUTBOUND_IN_FLIGHT": "16", "LOG_LEVEL": "ERROR",
}  # fmt: skip


@contextlib.contextmanager
def program(*command, **environment):
    """A real process on the test's own database; killed at the end."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    values = os.environ | QUICK | environment | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=values, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_nobody_is_dialed_twice_and_nobody_forgotten_while_workers_are_killed(house, live_server):
    dice = random.Random(7)
    with program("manage.py", "carrier_simulator", "--port", "0", "--ring", "0.02", "--talk", "0.05",
                 "--answer", "0.01") as simulator:  # fmt: skip
        address = re.search(r"http://\S+", simulator.stdout.readline()).group()
        house.carrier.settings = {"address": address}
        house.carrier.save()
        batch = house.batch(numbers(CALLS))
        kills = 0
        with program(str(Path(__file__).with_name("crash_workers.py")), OUTBOUND_CALLBACK_URL=live_server.url,
                     PYTHONPATH=str(ROOT)) as workers:  # fmt: skip
            parent = psutil.Process(workers.pid)
            deadline = time.monotonic() + 60 + CALLS / 20
            while BatchState.objects.filter(pk=batch.pk, pending__gt=0).exists():
                assert time.monotonic() < deadline, BatchState.objects.filter(pk=batch.pk).values()
                time.sleep(dice.uniform(0.05, 0.5))
                children = parent.children()
                if children and BatchState.objects.get(pk=batch.pk).attempts:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        dice.choice(children).send_signal(signal.SIGKILL)
                        kills += 1
            # What a killed worker had in hand is asked about in the end: the clock is not waited for.
            while batch.status == "running":
                assert time.monotonic() < deadline, BatchState.objects.filter(pk=batch.pk).values()
                with transaction.atomic():
                    asked = Attempt.objects.filter(state="unknown", look_at__isnull=False)
                    free = asked.select_for_update(skip_locked=True).values_list("pk", flat=True)
                    Attempt.objects.filter(pk__in=list(free)).update(look_at=timezone.now())
                time.sleep(0.2)
                batch.refresh_from_db()
        assert kills >= 3 and batch.status == "completed"
        counts = httpx.get(f"{address}/counts", trust_env=False).json()
        asked = [str(pk) for pk in Attempt.objects.filter(state="unknown").values_list("pk", flat=True)]
        known = httpx.post(f"{address}/lookup", json={"attempts": asked}, trust_env=False).json()["calls"]
    state = BatchState.objects.get(pk=batch.pk)
    assert counts["attempts_twice"] == {} and counts["recipients_taken_twice"] == {}
    assert state.completed + state.unknown == CALLS == Recipient.objects.filter(batch=batch).count()
    assert state.completed == counts["calls"], "every call that the carrier took has its end here"
    assert known == {}, "unknown is only what the carrier never took"
    assert Attempt.objects.filter(batch=batch).exclude(state="not_sent").count() == CALLS
    assert actions.counters_reconcile() == []
