"""Stop's sentence is exact: whoever was not called is counted as never started, wherever a worker had him just then."""

import time
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread, Timer

import pytest
from django.db import connection

from outbound import actions
from outbound.dialing.pump import Pump
from outbound.models import Attempt, BatchState, Recipient

from .conftest import numbers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pumping():
    """`pumping()`: a real pump at work in a thread of its own, until the test ends."""
    stop, threads = Event(), []

    def start():
        def work():
            Pump(seconds=30, idle=30, stop=stop.is_set).run()
            connection.close()

        threads.append(Thread(target=work))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def far_slots(monkeypatch):
    """Calls are claimed seconds ahead, so that some wait for their slot however long this machine takes to stop."""
    monkeypatch.setattr("outbound.actions.calls.HORIZON", timedelta(seconds=3))


@pytest.fixture
def gate(monkeypatch):
    """Pumps that claimed wait here before they take the batch up: `claimed` is set when one stands there."""
    claimed, opened, real = Event(), Event(), Pump._open

    def slow(self, pk):
        claimed.set()
        assert opened.wait(20)
        return real(self, pk)

    monkeypatch.setattr(Pump, "_open", slow)
    yield claimed, opened
    opened.set()


def canceled(batch):
    return Recipient.objects.filter(batch=batch, state="canceled", reason="batch_stopped").count()


@pytest.mark.parametrize("at_least", [1, 12, 25])
def test_stop_while_calls_wait_for_their_slot_counts_everybody_once(house, simulator, pumping, far_slots, at_least):
    # Nobody hangs up: what was placed is live, and nothing else is.
    simulator.carrier.pace = replace(simulator.carrier.pace, talk=60)
    batch = house.batch(numbers(300), calls_per_second=20)
    pumping()
    while simulator.carrier.requests < at_least:
        time.sleep(0.002)
    halted = actions.batch_stop(by=None, batch=batch)
    placed = simulator.counts()["requests"]
    assert Attempt.objects.filter(batch=batch, state="not_sent").exists(), "nobody waited for his slot: no race was run"
    assert (halted.quiet, halted.taking_back) == (True, 0)
    assert (halted.never_started, halted.live) == (300 - placed, placed)
    while actions.waiting_drain():
        pass
    assert canceled(batch) == halted.never_started


def test_never_started_live_and_finished_are_all_when_calls_end_meanwhile(house, simulator, pumping, far_slots):
    batch = house.batch(numbers(400), calls_per_second=25)
    pumping()
    while simulator.carrier.requests < 20:
        time.sleep(0.002)
    halted = actions.batch_stop(by=None, batch=batch)
    while actions.waiting_drain():
        pass
    state = BatchState.objects.get(pk=batch.pk)
    assert canceled(batch) == halted.never_started
    assert halted.never_started + state.live + state.completed == 400 and halted.live <= state.live + state.completed


def test_pause_counts_those_that_were_given_back_as_waiting(house, simulator, pumping, far_slots):
    simulator.carrier.pace = replace(simulator.carrier.pace, talk=60)
    batch = house.batch(numbers(300), calls_per_second=20)
    pumping()
    while simulator.carrier.requests < 10:
        time.sleep(0.002)
    halted = actions.batch_pause(by=None, batch=batch)
    assert halted.taking_back == 0 and halted.never_started == 300 - simulator.counts()["requests"]
    assert halted.never_started == BatchState.objects.get(pk=batch.pk).pending


def test_stop_waits_for_a_pump_that_claimed_and_has_not_taken_the_batch_up(house, simulator, pumping, gate):
    claimed, opened = gate
    batch = house.batch(numbers(40))
    pumping()
    assert claimed.wait(10) and Attempt.objects.filter(batch=batch, state="queued").exists()
    Timer(0.4, opened.set).start()
    halted = actions.batch_stop(by=None, batch=batch)
    assert (halted.never_started, halted.live, halted.taking_back) == (40, 0, 0)
    assert simulator.counts()["requests"] == 0


def test_when_patience_runs_out_it_says_how_many_are_still_being_taken_back(house, simulator, pumping, gate, settings):
    settings.OUTBOUND_STOP_PATIENCE = 0.3
    claimed, opened = gate
    batch = house.batch(numbers(40), lines=25)
    pumping()
    assert claimed.wait(10)
    halted = actions.batch_stop(by=None, batch=batch)
    assert (halted.never_started, halted.live, halted.taking_back, halted.quiet) == (15, 0, 25, True)
    opened.set()
    until = time.monotonic() + 10
    while BatchState.objects.get(pk=batch.pk).queued and time.monotonic() < until:
        time.sleep(0.02)
    while actions.waiting_drain():
        pass
    assert canceled(batch) == 40 and simulator.counts()["requests"] == 0


def test_stop_does_not_wait_for_a_worker_that_is_dead(house):
    batch = house.batch(numbers(10))
    actions.calls_claim(worker="dead", limit=4)
    began = time.monotonic()
    halted = actions.batch_stop(by=None, batch=batch)
    assert time.monotonic() - began < 5
    assert (halted.never_started, halted.live, halted.taking_back) == (6, 0, 4)
