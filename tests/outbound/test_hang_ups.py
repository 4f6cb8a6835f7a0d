"""Whose call somebody asked to end: he is hung up, however early the wish came, and never dialed again."""

import time
from contextlib import contextmanager

import pytest
from django.db import connection

from outbound import actions, tasks
from outbound.actions.common import HANG_UPS
from outbound.carriers import adapter_of
from outbound.carriers.port import Order, event
from outbound.choices import EventKind, EventSource
from outbound.models import Attempt, Batch, Carrier, Recipient
from outbound.queries.batches import recipient_history

from .conftest import ANI, numbers
from .scenes import apply

pytestmark = pytest.mark.django_db(transaction=True)


def told(house, call, kind, **more):
    """What the worker that placed the call has to say."""
    actions.events_apply(
        carrier=house.carrier.pk, events=[event(call.attempt, EventKind(kind), EventSource.PLACE, **more)]
    )


def placed(house, call):
    """The worker hands the call to the carrier, and says so."""
    adapter = adapter_of(Carrier.objects.get(pk=house.carrier.pk))
    answer = adapter.place(Order(call.attempt, call.recipient, call.number, ANI))
    adapter.close()
    told(house, call, "accepted", carrier_call_id=answer.carrier_call_id)


@contextmanager
def other_connection():
    """Another worker's connection."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def until_silent(simulator):
    for _ in range(50):
        tasks.look_for_silent()
        if simulator.counts()["live"] == 0:
            return True
        time.sleep(0.05)
    return False


def test_who_is_canceled_while_he_is_taken_up_is_not_dialed_later(house):
    house.batch(numbers(1), max_attempts=3)
    (call,) = actions.calls_claim(worker="w", limit=1)
    one = Recipient.objects.get()
    assert actions.recipient_cancel(by=None, recipient=one) == "queued"
    told(house, call, "not_sent", cause="HTTP 429")
    one.refresh_from_db()
    assert (one.state, one.reason, one.dialed) == ("canceled", "by_hand", 0)
    assert actions.calls_claim(worker="w", limit=1) == []


def test_who_is_hung_up_while_it_rings_is_not_tried_again(house):
    house.batch(numbers(2), max_attempts=3)
    first, second = actions.calls_claim(worker="w", limit=2)
    for call in (first, second):
        apply(house, call, "accepted", "ringing")
    actions.recipient_cancel(by=None, recipient=Recipient.objects.get(pk=first.recipient))
    for call in (first, second):
        apply(house, call, ended={"outcome": "no_answer", "cause": "19"})
    states = dict(Recipient.objects.values_list("pk", "state"))
    assert states == {first.recipient: "failed", second.recipient: "pending"}, "only the other one has another try"


def test_a_wish_that_came_before_the_carrier_had_the_call_is_kept(house, simulator):
    house.batch(numbers(1, last="99"))
    (call,) = actions.calls_claim(worker="w", limit=1)
    actions.recipient_cancel(by=None, recipient=Recipient.objects.get())
    assert actions.calls_hang_up(attempts=[call.attempt]) == 0, "the carrier does not know it yet"
    placed(house, call)
    assert simulator.counts()["live"] == 1 and until_silent(simulator)


def test_hanging_up_a_batch_needs_no_broker_and_outlives_a_carrier_that_is_away(house, simulator):
    batch = house.batch(numbers(4, last="99"))
    calls = actions.calls_claim(worker="w", limit=4)
    for call in calls[:3]:
        placed(house, call)
    simulator.control(dead=True)
    assert actions.batch_hang_up(by=None, batch=batch) == 4
    assert actions.hang_ups_keep() == 0
    simulator.control(dead=False)
    placed(house, calls[3])
    assert simulator.counts()["live"] == 4
    assert until_silent(simulator), "the wake-up never came, and the carrier was away: the rows know"
    assert actions.hang_ups_keep() == 0, "whom the carrier was asked for is not asked for again"
    assert Attempt.objects.filter(events__kind="hangup_asked").count() == 4


def test_a_canceled_unknown_call_that_lives_after_all_is_hung_up(house, simulator):
    house.batch(numbers(1, last="99"))
    (call,) = actions.calls_claim(worker="w", limit=1)
    adapter = adapter_of(Carrier.objects.get(pk=house.carrier.pk))
    adapter.place(Order(call.attempt, call.recipient, call.number, ANI))
    adapter.close()
    told(house, call, "lost", cause="ReadTimeout")
    one = Recipient.objects.get()
    assert actions.recipient_cancel(by=None, recipient=one) == "canceled"
    told(house, call, "accepted")
    assert until_silent(simulator)


def test_a_canceled_person_of_a_stopped_batch_counts_among_those_who_never_started(house):
    batch = house.batch(numbers(1))
    (call,) = actions.calls_claim(worker="w", limit=1)
    Batch.objects.filter(pk=batch.pk).update(status="stopping")
    actions.batch_hang_up(by=None, batch=batch)
    told(house, call, "not_sent")
    history = recipient_history(recipient=Recipient.objects.get())
    assert (history.recipient.state, history.recipient.reason) == ("canceled", "batch_stopped")


def test_a_carrier_that_takes_no_hang_up_is_not_asked_without_end(house, monkeypatch):
    batch = house.batch(numbers(8, last="99"))
    for call in actions.calls_claim(worker="w", limit=8):
        told(house, call, "accepted")
    actions.batch_hang_up(by=None, batch=batch)
    asked = []
    monkeypatch.setattr(
        "outbound.carriers.simulator.Simulator.hangup", lambda self, known: asked.append(known) and False
    )
    assert actions.hang_ups_keep() == 0
    assert len(asked) == 3, "each may take a timeout"
    with other_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [HANG_UPS << 32])
        assert actions.hang_ups_keep() == 0 and len(asked) == 3, "one worker at a time"
    assert actions.hang_ups_keep() == 0 and len(asked) == 6
