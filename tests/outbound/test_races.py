"""Real threads against the real database: nobody is claimed twice, counters stay exact, stop is stop.

The first test does what the queue does not do - it reads who is pending and then claims - and shows that the same
threads then dial people twice: so that the others mean something.
"""

import contextlib
import random
import time
from collections import Counter
from datetime import timedelta
from threading import Event
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from outbound import actions
from outbound.models import Attempt, AttemptEvent, Batch, BatchState, Recipient
from portal.audit.models import AuditEvent
from portal.errors import Refused
from tests.campaigns.race import deadlocks, together

from .conftest import numbers

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


@pytest.fixture(autouse=True)
def no_deadlocks():
    before = deadlocks()
    yield
    assert deadlocks() == before


def tell(house, call, kind, outcome=""):
    events = [{"attempt": str(call.attempt), "kind": kind, "key": kind, "source": "callback", "outcome": outcome}]
    return actions.events_apply(carrier=house.carrier.pk, events=events)


def test_without_the_lock_the_same_threads_dial_people_twice(house):
    batch = house.batch(numbers(60))
    dialed = []

    def naive(_number):
        for pk in Recipient.objects.filter(batch=batch, state="pending").values_list("pk", flat=True)[:10]:
            dialed.append(pk)
            time.sleep(0.001)
            Recipient.objects.filter(pk=pk, state="pending").update(state="queued")

    together(naive, THREADS)
    assert max(Counter(dialed).values()) > 1, "the race did not show: the other tests here would prove nothing"


def test_eight_workers_claim_everybody_once(house):
    batch = house.batch(numbers(1200))
    got = []

    def work(number):
        dice = random.Random(number)
        empty = 0
        while empty < 5:
            calls = actions.calls_claim(worker=str(number), limit=dice.randrange(1, 40))
            got.extend(call.recipient for call in calls)
            empty = 0 if calls else empty + 1
            if not calls:
                time.sleep(0.1)

    together(work, THREADS)
    assert sorted(got) == sorted(Recipient.objects.filter(batch=batch).values_list("pk", flat=True))
    assert Attempt.objects.filter(batch=batch).count() == 1200
    assert actions.counters_reconcile() == []


def test_the_database_itself_refuses_a_second_open_attempt_and_a_wrong_move(house):
    batch = house.batch(numbers(1))
    (call,) = actions.calls_claim(worker="w", limit=1)
    values = {"recipient_id": call.recipient, "batch": batch, "carrier": house.carrier, "claimed_at": timezone.now()}
    for number in (1, 2):
        with pytest.raises(IntegrityError), transaction.atomic():
            Attempt.objects.create(id=uuid4(), number=number, dial_at=timezone.now(), **values)
    tell(house, call, "ended", "answered")
    with pytest.raises(IntegrityError, match="cannot move"), transaction.atomic():
        Recipient.objects.filter(pk=call.recipient).update(state="pending")
    with pytest.raises(IntegrityError, match="cannot move"), transaction.atomic():
        Attempt.objects.filter(pk=call.attempt).update(state="queued")
    with pytest.raises(IntegrityError, match="cannot move"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(status="draft")
    with pytest.raises(IntegrityError, match="has recipients"), transaction.atomic():
        batch.delete()


def test_events_in_any_order_from_any_thread_end_in_the_same_state(house):
    batch = house.batch(numbers(40))
    calls = actions.calls_claim(worker="w", limit=40)

    def work(number):
        dice = random.Random(number)
        todo = [(call, kind) for call in calls for kind in ("accepted", "ringing", "answered", "ended")]
        dice.shuffle(todo)
        for call, kind in todo:
            tell(house, call, kind, "answered" if kind == "ended" else "")

    together(work, 6)
    assert set(Attempt.objects.filter(batch=batch).values_list("state", "outcome")) == {("completed", "answered")}
    assert not Attempt.objects.filter(answered_at=None).exists()
    heard = set(AttemptEvent.objects.values_list("kind", "heard"))
    assert heard == {(kind, 6) for kind in ("accepted", "ringing", "answered", "ended")}
    assert BatchState.objects.get(pk=batch.pk).completed == 40
    assert actions.counters_reconcile() == []


def test_nothing_is_claimed_after_stop_has_answered(house):
    for attempt in range(6):
        batch = house.batch(numbers(400, area=["303", "720", "970", "719", "983", "505"][attempt]))
        stopped_at, claims = [], []

        def work(number, batch=batch, stopped_at=stopped_at, claims=claims):
            if number == 0:
                time.sleep(0.02)
                actions.batch_stop(by=None, batch=batch)
                stopped_at.append(Attempt.objects.filter(batch=batch).count())
            else:
                for _ in range(40):
                    claims.extend(actions.calls_claim(worker="w", limit=3))

        together(work, 5)
        assert Attempt.objects.filter(batch=batch).count() == stopped_at[0] == len(claims)
        for call in claims:
            tell(house, call, "ended", "busy")
        actions.waiting_drain()
        actions.batches_settle()
        batch.refresh_from_db()
        assert batch.status == "stopped"
        Batch.objects.filter(pk=batch.pk).update(priority=1)


def test_counters_are_exact_whatever_happens_at_once(house):
    """Claims, every kind of news, pauses, cancels, additions, drains, reconciliations: together, and no drift is seen."""
    first = house.batch(numbers(400), max_attempts=2, retry_interval=60)
    second = house.batch(numbers(400, area="720"), max_attempts=3, retry_interval=60, name="Second")
    drifts, done = [], Event()

    def work(number):
        dice = random.Random(number)
        try:
            for step in range(45):
                if number < 4:
                    held = actions.calls_claim(worker=str(number), limit=dice.randrange(1, 9))
                    for call in held:
                        for kind in dice.sample(["accepted", "ringing", "answered"], dice.randrange(0, 3)):
                            tell(house, call, kind)
                        if dice.random() < 0.8:
                            outcome = dice.choice(["answered", "busy", "no_answer", "carrier_error", "machine"])
                            tell(house, call, dice.choice(["ended", "ended", "ended", "not_sent"]), outcome)
                elif number == 4:
                    drifts.extend(actions.counters_reconcile())
                elif number == 5:
                    batch = dice.choice([first, second])
                    with contextlib.suppress(Refused):
                        actions.batch_pause(by=None, batch=batch)
                        actions.batch_resume(by=None, batch=batch)
                elif number == 6:
                    one = Recipient.objects.filter(batch=second).order_by("?").first()
                    with contextlib.suppress(Refused):
                        actions.recipient_cancel(by=None, recipient=one)
                else:
                    house.add(first, [f"+1970{200 + step:03d}{index:04d}" for index in range(5)])
                    actions.batches_settle()
        finally:
            done.set()

    together(work, 8)
    assert drifts == [] and actions.counters_reconcile() == []
    for batch in (first, second):
        state = BatchState.objects.get(pk=batch.pk)
        assert state.total == Recipient.objects.filter(batch=batch).count()
        assert state.attempts == Attempt.objects.filter(batch=batch).count()
        live = Attempt.objects.filter(batch=batch, state__in=["queued", "dialing", "connected"]).count()
        assert state.live == live


def test_a_drift_is_found_repaired_and_told(house, caplog):
    batch = house.batch(numbers(10))
    BatchState.objects.filter(pk=batch.pk).update(pending=7, failed=2)
    (drift,) = actions.counters_reconcile()
    assert (drift["was"]["pending"], drift["is"]["pending"]) == (7, 10) and "drifted" in caplog.text
    assert actions.counters_reconcile() == []


def test_workers_that_hear_410_at_once_take_turns(house, receiver):
    batch = house.batch(numbers(8), result_url=receiver.url)
    receiver.answers["*"] = 410
    for call in actions.calls_claim(worker="w", limit=8):
        tell(house, call, "accepted")
        tell(house, call, "ended", "busy")
    held = Event()

    def work(number):
        if number == 0:
            # All have sent and want to write before the first of them may.
            with transaction.atomic():
                Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
                held.set()
                while len(receiver.received) < 4:
                    time.sleep(0.02)
                time.sleep(0.3)
        else:
            held.wait(10)
            actions.deliveries_send(limit=1)

    together(work, 5)
    assert set(batch.deliveries.values_list("state", flat=True)) == {"disabled"}


def test_the_sweeper_never_waits_for_calls_of_which_news_is_being_applied(house):
    batch = house.batch(numbers(6))
    calls = actions.calls_claim(worker="w", limit=6)
    for call in calls:
        tell(house, call, "accepted")
    Attempt.objects.filter(batch=batch).update(look_at=timezone.now())
    held, done, later = Event(), Event(), timezone.now() + timedelta(minutes=5)

    def work(number):
        if number == 0:
            with transaction.atomic():
                list(Attempt.objects.select_for_update(no_key=True).filter(pk__in=[one.attempt for one in calls[:2]]))
                held.set()
                assert done.wait(10), "the sweeper waited for the rows held here"
        else:
            held.wait(10)
            actions.silent_look(now=later)
            done.set()

    together(work, 2)
    untouched = Attempt.objects.filter(batch=batch, look_at__lt=later).values_list("pk", flat=True)
    assert set(untouched) == {one.attempt for one in calls[:2]}


def test_a_draft_is_deleted_while_somebody_cancels_one_of_its_people(house):
    """People before the hot row, here too: the one waits for the other, and neither is thrown out."""
    draft = house.batch(numbers(5), started=False)
    one = Recipient.objects.filter(batch=draft).order_by("pk").last()
    ends = []

    def work(number):
        if number:
            with transaction.atomic():
                Recipient.objects.select_for_update(no_key=True).get(pk=one.pk)
                time.sleep(0.5)
                ends.append(actions.recipient_cancel(by=None, recipient=one))
        else:
            time.sleep(0.2)
            actions.batch_delete(by=None, batch=draft)
            ends.append("deleted")

    together(work, 2)
    assert ends == ["canceled", "deleted"] and not Batch.objects.exists()
    assert AuditEvent.objects.get(event="batch.delete").changes == {"recipients": [5, None]}
