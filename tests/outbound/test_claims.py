"""Claims on a clock of their own: pace, lines, fairness, windows, retries."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from outbound import actions
from outbound.models import Attempt, BatchState, Recipient, Window

from .conftest import ALWAYS, numbers

pytestmark = pytest.mark.django_db


def claim(limit=50, **values):
    return actions.calls_claim(worker="test", limit=limit, **values)


def test_a_claim_writes_the_attempts_and_gives_each_recipient_once(house):
    batch = house.batch(numbers(30))
    first, second, third = claim(20), claim(20), claim(20)
    assert [len(part) for part in (first, second, third)] == [20, 10, 0]
    assert len({call.recipient for call in first + second}) == 30
    assert Attempt.objects.filter(batch=batch, state="queued", number=1).count() == 30
    state = BatchState.objects.get(pk=batch.pk)
    assert (state.pending, state.queued, state.attempts) == (0, 30, 30)
    assert actions.counters_reconcile() == []


def test_pace_of_batch_holds_in_any_ten_seconds_with_five_workers(house):
    """A clock of our own: five workers ask every 40 ms for half a minute; every dial moment is on record."""
    house.batch(numbers(900), calls_per_second=20)
    begins = timezone.now() + timedelta(seconds=1)
    dialed = []
    for step in range(750):
        now = begins + timedelta(milliseconds=40 * step)
        for worker in range(5):
            dialed += [call.dial_at for call in actions.calls_claim(worker=str(worker), limit=50, now=now)]
    dialed.sort()
    assert len(dialed) > 500
    for first, at in enumerate(dialed[:-220]):
        within = sum(1 for other in dialed[first:] if other < at + timedelta(seconds=10))
        assert within <= 20 * 10 * 1.05
        assert within >= 20 * 10 * 0.95


def test_paces_of_carrier_and_portal_hold_over_all_batches(house, settings):
    house.carrier.calls_per_second = 50
    house.carrier.save()
    for index in range(3):
        house.batch(numbers(300, area=["303", "720", "970"][index]), name=f"Batch {index}")
    begins = timezone.now() + timedelta(seconds=1)

    def rate(begins):
        dialed = []
        for step in range(50):
            dialed += actions.calls_claim(worker="w", limit=50, now=begins + timedelta(milliseconds=100 * step))
        return len(dialed) / 5

    assert rate(begins) == pytest.approx(50, rel=0.1)
    settings.OUTBOUND_CALLS_PER_SECOND = 20
    assert rate(begins + timedelta(minutes=1)) == pytest.approx(20, rel=0.15)


def test_lines_of_batch_carrier_and_portal_are_never_exceeded(house, settings):
    first = house.batch(numbers(40), lines=10)
    house.batch(numbers(40, area="720"), name="Second")
    assert Counter(call.batch for call in claim())[first.pk] == 10
    house.carrier.lines = 55
    house.carrier.save()
    settings.OUTBOUND_LINES = 53
    claim()
    assert Attempt.objects.count() <= 53
    assert claim() == []
    done = Attempt.objects.filter(batch=first).first()
    end(house, [done], "answered")
    assert len(claim()) == 1


def end(house, attempts, outcome, **more):
    now = more.pop("now", None)
    return actions.events_apply(
        carrier=house.carrier.pk, now=now,
        events=[{"attempt": str(a.pk), "kind": "ended", "key": "ended", "source": "callback", "outcome": outcome, **more}
                for a in attempts],
    )  # fmt: skip


def test_batches_share_by_priority(house):
    house.carrier.calls_per_second = 40
    house.carrier.save()
    low = house.batch(numbers(300), priority=2)
    high = house.batch(numbers(300, area="720"), priority=6, name="High")
    begins = timezone.now() + timedelta(seconds=1)
    served = Counter()
    for step in range(100):
        for call in claim(now=begins + timedelta(milliseconds=50 * step)):
            served[call.batch] += 1
    assert served[high.pk] / served[low.pk] == pytest.approx(3, rel=0.25)


def test_a_batch_that_comes_later_does_not_make_up_for_its_absence(house):
    house.carrier.calls_per_second = 40
    house.carrier.save()
    early = house.batch(numbers(400))
    begins = timezone.now() + timedelta(seconds=1)
    for step in range(60):
        claim(now=begins + timedelta(milliseconds=50 * step))
    late = house.batch(numbers(400, area="720"), name="Late")
    served = Counter()
    for step in range(60, 140):
        for call in claim(now=begins + timedelta(milliseconds=50 * step)):
            served[call.batch] += 1
    assert served[early.pk] / served[late.pk] == pytest.approx(1, rel=0.3)


def test_who_is_outside_his_window_is_not_claimed(house):
    batch = house.batch(numbers(5) + numbers(5, area="212"))
    closed = Window.objects.get(batch=batch, zones__zones=["America/Denver"])
    closed.open_from = timezone.now() + timedelta(hours=1)
    closed.open_until = timezone.now() + timedelta(hours=2)
    closed.save()
    assert {call.number[:5] for call in claim()} == {"+1212"}
    # Nothing is claimed that would be dialed after the window closes, and nothing may be dialed later.
    got = claim(now=closed.open_from)
    assert len(got) == 5 and all(call.not_after <= closed.open_until for call in got)


def test_nothing_is_claimed_in_the_last_moment_of_a_window(house):
    batch = house.batch(numbers(5))
    Window.objects.filter(batch=batch).update(open_until=timezone.now() + timedelta(seconds=100))
    assert len(claim(2, now=timezone.now() + timedelta(seconds=60))) == 2
    assert claim(now=timezone.now() + timedelta(seconds=99.9)) == []


def test_retries_wait_from_dispatch_with_one_maximum_and_a_count_per_outcome(house):
    batch = house.batch(numbers(1), max_attempts=3, retry_interval=120, retries={"busy": {"delay": 600, "count": 1}})
    now = timezone.now()
    outcomes = ["busy", "no_answer", "busy"]
    for number, outcome in enumerate(outcomes, 1):
        (call,) = claim(now=now)
        assert call.attempt_no == number
        attempt = Attempt.objects.get(pk=call.attempt)
        end(house, [attempt], outcome, now=now + timedelta(seconds=30))
        recipient = Recipient.objects.get(batch=batch)
        if number < 3:
            wait = 600 if outcome == "busy" else 120
            assert recipient.state == "pending" and recipient.due_at == now + timedelta(seconds=wait)
            assert claim(now=recipient.due_at - timedelta(seconds=1)) == []
            now = recipient.due_at + timedelta(seconds=1)
    assert (recipient.state, recipient.outcome, recipient.dialed) == ("failed", "busy", 3)


def test_a_count_per_outcome_ends_it_before_the_maximum(house):
    batch = house.batch(numbers(1), max_attempts=5, retries={"busy": {"delay": 60, "count": 1}})
    now = timezone.now()
    for _ in range(2):
        (call,) = claim(now=now)
        end(house, [Attempt.objects.get(pk=call.attempt)], "busy", now=now)
        now += timedelta(seconds=61)
    assert Recipient.objects.get(batch=batch).state == "failed"


def test_who_was_promised_another_try_comes_before_who_was_never_called(house):
    batch = house.batch(numbers(20), max_attempts=2, retry_interval=60)
    now = timezone.now()
    (call,) = claim(1, now=now)
    end(house, [Attempt.objects.get(pk=call.attempt)], "busy", now=now)
    (again,) = claim(1, now=now + timedelta(seconds=61))
    assert again.recipient == call.recipient and batch.state.pending >= 0


def test_do_not_call_is_checked_again_in_the_claim(house):
    batch = house.batch([*numbers(6), "+18002255288"], hours=ALWAYS)
    blocked = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    actions.do_not_call_add(by=None, to=blocked, patterns=[numbers(1)[0], "+130320001*"])
    Window.objects.filter(batch=batch).update(
        open_from=timezone.now() - timedelta(hours=1), open_until=timezone.now() + timedelta(hours=1)
    )
    claimed = claim()
    suppressed = Recipient.objects.filter(batch=batch, state="suppressed", reason="do_not_call")
    assert {one.number for one in suppressed} == {numbers(2)[0], numbers(2)[1]}
    assert len(claimed) == 5 and not {call.number for call in claimed} & {one.number for one in suppressed}


def test_a_paused_or_expired_batch_is_not_claimed_from(house):
    batch = house.batch(numbers(5), expires_at=timezone.now() + timedelta(hours=1))
    assert claim(now=timezone.now() + timedelta(hours=1)) == []
    assert claim(now=datetime(2020, 1, 1, tzinfo=UTC)) == []
    actions.batch_pause(by=None, batch=batch)
    assert claim() == []
    actions.batch_resume(by=None, batch=batch)
    assert len(claim()) == 5
