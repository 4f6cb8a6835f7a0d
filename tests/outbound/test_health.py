"""A carrier that fails is slowed by itself; one that fails now and then is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from outbound import actions
from outbound.models import Attempt, Batch, Carrier, CarrierState
from outbound.queries.waiting import waiting_for

from .conftest import numbers

pytestmark = pytest.mark.django_db


class Line:
    """Calls of one batch and what the carrier answers to them, on a clock of its own."""

    def __init__(self, house):
        self.house, self.batch = house, house.batch(numbers(400))
        self.now = timezone.now() + timedelta(seconds=1)

    def claim(self, count=1):
        found = actions.calls_claim(worker="w", limit=count, now=self.now)
        assert len(found) == count, "nothing is held back here"
        return found

    def answers(self, *kinds, after=0.1, backoff=0):
        """Each of `kinds` answers another call, all heard at once."""
        CarrierState.objects.update(backoff_until=None)
        self.now += timedelta(seconds=after)
        self.tell([(call, kind) for call, kind in zip(self.claim(len(kinds)), kinds, strict=True)], backoff=backoff)
        return self.health

    def tell(self, news, backoff=0, source="place"):
        events = [
            {"attempt": str(call.attempt), "kind": kind, "key": kind, "source": source,
             "cause": "" if kind in ("accepted", "answered") else "HTTP 503"}
            for call, kind in news
        ]  # fmt: skip
        actions.events_apply(carrier=self.house.carrier.pk, events=events, backoff=backoff, now=self.now)

    @property
    def health(self):
        return CarrierState.objects.get(pk=self.house.carrier.pk)


@pytest.fixture
def line(house, settings):
    settings.OUTBOUND_ERROR_BURST = 1000
    return Line(house)


def test_an_error_now_and_then_does_not_slow_a_carrier(line):
    for _ in range(30):
        line.answers("not_sent")
        line.answers("lost")
        assert line.answers(*["accepted"] * 5).slowed == 0
    health = line.health
    assert health.errors_in_row == 0 and health.last_error == "HTTP 503" and health.backoff_until is None


def test_three_errors_in_a_row_slow_it_and_leave_it_alone(line):
    assert line.answers("not_sent").slowed == 0
    assert line.answers("not_sent").backoff_until is None
    health = line.answers("lost")
    assert (health.slowed, health.errors_in_row) == (1, 3)
    assert health.backoff_until == line.now + timedelta(seconds=1)
    assert line.answers("not_sent").slowed == 1, "at most once a second"
    health = line.answers("not_sent", after=1)
    assert health.slowed == 2 and health.backoff_until == line.now + timedelta(seconds=2)
    for _ in range(8):
        health = line.answers("not_sent", after=1)
    assert health.slowed == 6 and health.backoff_until == line.now + timedelta(seconds=60)


def test_most_of_what_came_at_once_counts_like_a_row(line):
    assert line.answers("not_sent", "not_sent", "accepted").slowed == 0
    assert line.answers("not_sent", "not_sent", "not_sent", "accepted").slowed == 1


def test_calls_that_it_took_before_do_not_hide_that_it_refuses_new_ones(line):
    before = line.claim(4)
    line.tell([(call, "accepted") for call in before])
    for call in before:
        line.answers("not_sent")
        line.tell([(call, "answered")], source="callback")
    assert line.health.slowed == 1 and line.health.errors_in_row == 4


def test_what_it_asks_for_itself_is_kept_to_each_time(line):
    health = line.answers("not_sent", backoff=7)
    assert health.backoff_until == line.now + timedelta(seconds=7) and health.slowed == 0
    assert actions.calls_claim(worker="w", limit=1, now=line.now + timedelta(seconds=6)) == []
    assert len(actions.calls_claim(worker="w", limit=1, now=line.now + timedelta(seconds=8))) == 1


def test_good_answers_give_its_pace_back_although_one_fails_now_and_then(line):
    for _ in range(3):
        line.answers("not_sent", "not_sent", "not_sent", after=1)
    assert line.health.slowed == 3
    paces = []
    for _ in range(18):
        line.answers("not_sent")
        line.now += timedelta(seconds=2)
        CarrierState.objects.update(next_slot_at=line.now)
        paces.append(line.answers("accepted").slowed)
    assert paces[:2] == [3, 3] and paces[-1] == 0 and sorted(paces, reverse=True) == paces


def test_the_queue_says_that_the_carrier_is_slowed(line):
    for _ in range(3):
        line.answers("not_sent")
    CarrierState.objects.update(backoff_until=None)
    (row,) = waiting_for(batch=Batch.objects.get(pk=line.batch.pk))
    assert row.code == "carrier_slowed" and "1/2" in row.words and "HTTP 503" in row.words


def test_the_cause_is_that_of_the_end_not_of_an_answer_that_did_not_come(line):
    (call,) = line.claim()
    line.tell([(call, "lost")])
    events = [
        {"attempt": str(call.attempt), "kind": "ended", "key": "ended", "source": "callback", "outcome": "answered",
         "cause": "16"}
    ]  # fmt: skip
    actions.events_apply(carrier=line.house.carrier.pk, events=events, now=line.now)
    assert Attempt.objects.get(pk=call.attempt).cause == "16"
    line.tell([(call, "lost")])
    assert Attempt.objects.get(pk=call.attempt).cause == "16"


def test_the_queue_names_the_slower_pace(line):
    def words():
        (row,) = waiting_for(batch=Batch.objects.get(pk=line.batch.pk))
        return row.words

    Batch.objects.filter(pk=line.batch.pk).update(calls_per_second=50)
    assert words() == "Their turn at 50 calls a second"
    Carrier.objects.filter(pk=line.house.carrier.pk).update(calls_per_second=4)
    assert words() == "Their turn at the carrier's 4 calls a second, shared with other batches"
    Batch.objects.filter(pk=line.batch.pk).update(calls_per_second=2)
    assert words() == "Their turn at 2 calls a second"
