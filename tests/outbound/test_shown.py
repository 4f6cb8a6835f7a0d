"""What is shown of a batch: its preview, what waits for what, stuck calls with their evidence, lists and figures."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from outbound import actions
from outbound.models import BatchState, Pace, Recipient, Window
from outbound.queries import batches as batch_queries
from outbound.queries.preview import batch_preview
from outbound.queries.rates import batch_progress, outcomes_by_hour
from outbound.queries.stuck import stuck_calls
from outbound.queries.waiting import pending_queue

from .conftest import numbers, refused

pytestmark = pytest.mark.django_db


def test_the_preview_says_how_many_when_and_why_not(house):
    blocked = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    actions.do_not_call_add(by=None, to=blocked, patterns=[numbers(1)[0]])
    batch = house.batch(
        numbers(41) + numbers(60, area="212") + ["+18002255288"], started=False, calls_per_second=2,
        hours={"monday_open": 36000, "monday_closed": 36000 + 3600},
    )  # fmt: skip
    now = datetime(2026, 11, 28, tzinfo=UTC)
    seen = batch_preview(batch=batch, now=now)
    assert (seen.total, seen.to_call, seen.never, seen.pace) == (102, 101, 1, 2.0)
    assert seen.suppressed == {"On a do-not-call list": 1}
    assert [(line.zones, line.count) for line in seen.zones][:2] == [
        (["America/New_York"], 60),
        (["America/Denver"], 40),
    ]
    # Monday 10:00 in New York is 15:00 UTC, spread over the minutes after; Denver two hours later; 40 calls take 20 s.
    assert datetime(2026, 11, 30, 15, 2, tzinfo=UTC) <= seen.first_call <= datetime(2026, 11, 30, 15, 15, tzinfo=UTC)
    denver = next(line for line in seen.zones if line.zones == ["America/Denver"])
    assert seen.last_call == denver.opens + timedelta(seconds=20)
    assert any("no calling window" in words for words in seen.warnings)


def test_the_pending_queue_says_what_waits_for_what(house):
    def codes():
        return {one.code: one.count for one in pending_queue(user=house.people.observer, network=house.network)}

    batch = house.batch(numbers(3) + numbers(2, area="212"), calls_per_second=1)
    actions.beat()
    assert codes() == {"pace": 5}
    soon = timezone.now() + timedelta(hours=1)
    Window.objects.filter(zones__zones=["America/Denver"]).update(open_from=soon, open_until=soon + timedelta(hours=1))
    (waits,) = [one for one in pending_queue(user=house.people.observer, network=house.network) if one.code == "window"]
    assert (waits.count, waits.until) == (3, soon) and "America/Denver" in waits.words
    assert codes() == {"window": 3, "pace": 2}
    Pace.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
    assert codes() == {"no_worker": 5}
    actions.batch_pause(by=house.people.manager, batch=batch, reason="lunch")
    assert codes() == {"paused": 5}
    assert pending_queue(user=house.people.outsider, network=house.network) == []


def test_stuck_calls_come_with_their_evidence(house):
    house.batch(numbers(1))
    (call,) = actions.calls_claim(worker="host:1", limit=1)
    later = timezone.now() + timedelta(seconds=60)
    (stuck,) = stuck_calls(user=house.people.observer, network=house.network, now=later)
    assert "host:1" in stuck.words and stuck.can == ()
    events = [{"attempt": str(call.attempt), "kind": "lost", "key": "lost", "source": "sweep"}]
    actions.events_apply(carrier=house.carrier.pk, events=events)
    for index in range(3):
        events = [{"attempt": str(call.attempt), "kind": "absent", "key": f"absent{index}", "source": "lookup"}]
        actions.events_apply(carrier=house.carrier.pk, events=events)
    (stuck,) = stuck_calls(user=house.people.observer, network=house.network)
    assert stuck.can == ("redial", "cancel") and [one.kind for one in stuck.events] == ["lost"] + ["absent"] * 3
    recipient = Recipient.objects.get()
    assert refused(actions.recipient_redial, by=None, recipient=recipient, reason=" ").code == "required"
    assert refused(actions.recipient_redial, by=house.people.member, recipient=recipient, reason="x").status == 403
    actions.recipient_redial(by=house.people.manager, recipient=recipient, reason="seen")
    history = batch_queries.recipient_history(recipient=recipient)
    assert len(history.attempts) == 1 and history.decisions[0].reason == "seen"
    (again,) = actions.calls_claim(worker="w", limit=1)
    assert (again.attempt_no, again.number) == (2, call.number)
    # The first call is heard of after all: the second stays what it is, and both are on record.
    events = [{"attempt": str(call.attempt), "kind": "answered", "key": "answered", "source": "callback"}]
    actions.events_apply(carrier=house.carrier.pk, events=events)
    assert BatchState.objects.get().queued == 1


def test_a_redial_that_was_not_needed_is_called_off_by_the_news(house):
    house.batch(numbers(1))
    (call,) = actions.calls_claim(worker="w", limit=1)
    kinds = [("lost", "sweep"), ("absent", "a"), ("absent", "b"), ("absent", "c")]
    for kind, key in kinds:
        event = {"attempt": str(call.attempt), "kind": kind, "key": kind + key, "source": "lookup"}
        actions.events_apply(carrier=house.carrier.pk, events=[event])
    actions.recipient_redial(by=None, recipient=Recipient.objects.get(), reason="seen")
    event = {"attempt": str(call.attempt), "kind": "ended", "key": "ended", "source": "callback", "outcome": "answered"}
    actions.events_apply(carrier=house.carrier.pk, events=[event])
    assert Recipient.objects.get().state == "completed"
    assert actions.calls_claim(worker="w", limit=1) == []


def test_lists_and_figures_of_a_batch(house, django_assert_num_queries):
    batch = house.batch(numbers(30))
    for call in actions.calls_claim(worker="w", limit=10):
        event = {"attempt": str(call.attempt), "kind": "ended", "key": "e", "source": "callback", "outcome": "busy"}
        actions.events_apply(carrier=house.carrier.pk, events=[event])
    with django_assert_num_queries(1):
        rows = list(batch_queries.recipient_list(batch=batch, state="failed").order_by("-id")[:5])
    assert len(rows) == 5 and rows[0].attempt_id is not None
    assert batch_queries.recipient_list(batch=batch, search="1303200").count() == 30
    progress = batch_progress(batch=batch)
    assert (progress.percent, progress.state.failed) == (33, 10) and progress.rate > 0 and progress.eta is not None
    ((outcome,),) = {(row["outcome"],) for row in outcomes_by_hour(batch=batch)}
    assert outcome == "busy"
    assert len(batch_queries.recently_completed(batch=batch, limit=4)) == 4
    assert (
        batch_queries.batch_list(user=house.people.observer, network=house.network, status="active").get().state.failed
        == 10
    )
