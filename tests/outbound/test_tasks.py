"""The tasks as Celery calls them: a batch goes all the way on wake-ups alone, and a lost broker is no error."""

import time

import pytest
from kombu.exceptions import OperationalError

from outbound import actions, tasks
from outbound.models import Batch, BatchState

from .conftest import numbers

pytestmark = pytest.mark.django_db(transaction=True)
real_queue = tasks.queue


def test_beats_alone_carry_a_batch_from_list_to_results(house, simulator, receiver, settings):
    settings.OUTBOUND_PUMP_SECONDS, settings.OUTBOUND_RING_SILENCE = 0.5, 0
    batch = house.batch(started=False, result_url=receiver.url)
    lines = "".join(f"{number}\n" for number in numbers(20))
    job = actions.import_create(by=None, batch=batch, file_name="x.csv", pieces=[f"destination\n{lines}".encode()])
    actions.batch_start(by=None, batch=batch)
    assert actions.imports_sweep() == [job.pk]
    tasks.run_import(job.pk)
    for _ in range(100):
        tasks.tick()
        tasks.pump()
        tasks.look_for_silent()
        tasks.send_results()
        if Batch.objects.get(pk=batch.pk).status == "completed":
            break
        time.sleep(0.02)
    assert BatchState.objects.get(pk=batch.pk).completed == 20
    assert len(receiver.received) == 20 and simulator.counts()["requests"] == 20
    assert tasks.reconcile_counters() == 0


def test_a_broker_that_is_away_loses_nothing_but_the_waking(monkeypatch, house):
    def away(*_arguments, **_options):
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks, "queue", real_queue)
    for task in (tasks.tick, tasks.pump, tasks.run_import):
        monkeypatch.setattr(task, "apply_async", away)
    batch = house.batch(numbers(2))
    assert batch.status == "running" and len(actions.calls_claim(worker="w", limit=5)) == 2
