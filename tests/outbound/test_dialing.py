"""Real pumps against the simulator over real HTTP, with callbacks over real HTTP too."""

import json
import time
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from django.db import connection
from django.utils import timezone

from outbound import actions
from outbound.dialing.pump import Pump
from outbound.models import Attempt, AttemptEvent, Batch, BatchState, Carrier, CarrierState, Recipient
from portal.webhooks import signed_headers

from .conftest import numbers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.OUTBOUND_PLACE_TIMEOUT = 0.6
    settings.OUTBOUND_CLAIM_LEASE = 4.0
    settings.OUTBOUND_RING_SILENCE = 1


@pytest.fixture
def callbacks(live_server, settings):
    settings.OUTBOUND_CALLBACK_URL = live_server.url
    return live_server


def pump(**values):
    return Pump(seconds=values.pop("seconds", 5), idle=values.pop("idle", 0.2), **values).run()


def work_off(batch, *, rounds=80, pumping=True):
    """Do what the tasks do, over and over, until the batch has ended."""
    for _ in range(rounds):
        if pumping:
            pump(seconds=1, idle=0.05)
        actions.waiting_drain()
        # The carrier is asked again after 2, 5 and 15 s; the tests do not wait for the clock.
        Attempt.objects.filter(state="unknown", look_at__isnull=False).update(look_at=timezone.now())
        actions.silent_look()
        actions.deliveries_send()
        actions.batches_settle()
        batch.refresh_from_db()
        if batch.status in ("completed", "stopped", "expired"):
            return batch
        time.sleep(0.05)
    raise AssertionError(f"the batch stays {batch.status}: {BatchState.objects.filter(pk=batch.pk).values()}")


def test_every_kind_of_call_comes_to_its_end(house, simulator, callbacks):
    """One number for each of the simulator's hundred courses; the answers that never come are found out from its log."""
    people = [f"+1303555{index:02d}{index:02d}" for index in range(99)]
    batch = house.batch(people, max_attempts=1)
    work_off(batch)
    ends = {one.number[-2:]: one for one in Recipient.objects.filter(batch=batch)}
    assert {last for last, one in ends.items() if one.state == "unknown"} == {"93"}, "taken by nobody, so nobody knows"
    assert all(ends[f"{last:02d}"].outcome == "answered" for last in range(60))
    assert all(ends[str(last)].outcome == "machine" for last in range(60, 70))
    assert all((ends[str(last)].state, ends[str(last)].outcome) == ("failed", "busy") for last in range(70, 78))
    assert all(ends[str(last)].outcome == "no_answer" for last in range(78, 86))
    assert (
        ends["86"].outcome == "fax" and ends["88"].outcome == "invalid_number" and ends["98"].outcome == "carrier_error"
    )
    assert all(ends[last].outcome == "answered" for last in ("89", "90", "91", "92", "94", "95", "96", "97"))
    counts = simulator.counts()
    assert counts["attempts_twice"] == {} and counts["recipients_taken_twice"] == {}
    repeated = AttemptEvent.objects.get(attempt__recipient=ends["95"].pk, kind="answered")
    assert repeated.heard == 2
    assert Attempt.objects.get(recipient=ends["98"].pk).cause == "34", "the carrier's own code stays beside our label"
    assert actions.counters_reconcile() == []
    assert BatchState.objects.get(pk=batch.pk).completed == 80


def test_without_callbacks_the_carriers_log_tells_everything(house, simulator):
    people = [{"destination": number, "first_name": "Ann"} for number in numbers(20)]
    batch = work_off(house.batch(people, parameters={"topic": "visit"}))
    assert {json.dumps(call.parameters) for call in simulator.carrier.calls.values()} == {
        '{"topic": "visit", "first_name": "Ann"}'
    }
    assert batch.status == "completed" and BatchState.objects.get(pk=batch.pk).completed == 20


def test_after_stop_answers_the_outside_counter_never_rises(house, simulator):
    batch = house.batch(numbers(600), calls_per_second=300)
    running = Thread(target=lambda: (pump(seconds=3), connection.close()))
    running.start()
    while simulator.carrier.requests < 40:
        time.sleep(0.01)
    halted = actions.batch_stop(by=None, batch=batch)
    after = simulator.counts()["requests"]
    assert halted.quiet and 0 < halted.never_started < 600
    running.join()
    pump(seconds=0.5)
    assert simulator.counts()["requests"] == after
    batch = work_off(batch)
    state = BatchState.objects.get(pk=batch.pk)
    assert batch.status == "stopped" and state.completed == after and state.canceled == 600 - after
    assert actions.counters_reconcile() == []


def test_pause_and_resume_dial_everybody_once(house, simulator):
    batch = house.batch(numbers(200), calls_per_second=400)
    stop = Event()
    running = Thread(target=lambda: (pump(seconds=20, idle=20, stop=stop.is_set), connection.close()))
    running.start()
    try:
        for _ in range(3):
            seen = simulator.carrier.requests
            while simulator.carrier.requests < min(seen + 20, 150):
                time.sleep(0.01)
            actions.batch_pause(by=None, batch=batch, reason="lunch")
            quiet = simulator.carrier.requests
            time.sleep(0.1)
            assert simulator.carrier.requests == quiet
            actions.batch_resume(by=None, batch=batch)
        while simulator.carrier.requests < 200:
            time.sleep(0.01)
    finally:
        stop.set()
        running.join()
    work_off(batch)
    assert BatchState.objects.get(pk=batch.pk).completed == 200
    assert simulator.counts()["recipients_taken_twice"] == {} and simulator.counts()["requests"] == 200


def test_a_dead_carrier_slows_itself_and_pauses_the_batch_with_the_reason(house, simulator, settings):
    settings.OUTBOUND_ERROR_BURST = 6
    batch = house.batch(numbers(50))
    simulator.control(dead=True)
    for _ in range(20):
        CarrierState.objects.update(backoff_until=None)
        pump(seconds=0.4, idle=0.05)
        batch.refresh_from_db()
        if batch.status == "paused":
            break
    assert batch.status == "paused" and "HTTP 503" in batch.pause_reason
    health = CarrierState.objects.get(pk=house.carrier.pk)
    assert health.slowed > 0 and health.backoff_until > timezone.now()
    assert Recipient.objects.filter(batch=batch, state="pending", dialed=0).count() == 50, "nobody lost an attempt"
    simulator.control(dead=False)
    actions.carrier_clear(by=None, carrier=house.carrier)
    actions.batch_resume(by=None, batch=batch)
    work_off(batch)
    assert BatchState.objects.get(pk=batch.pk).completed == 50


def test_an_unknown_call_is_dialed_again_only_by_a_person(house, simulator):
    batch = work_off(house.batch([f"+1303555{index}93" for index in range(10, 13)]))
    assert batch.status == "completed" and BatchState.objects.get(pk=batch.pk).unknown == 3
    requests = simulator.counts()["requests"]
    pump(seconds=0.3)
    assert simulator.counts()["requests"] == requests == 3
    one = Recipient.objects.filter(batch=batch).first()
    evidence = list(AttemptEvent.objects.filter(attempt__recipient=one.pk).values_list("kind", flat=True))
    assert evidence.count("absent") >= 2 and "lost" in evidence
    actions.carrier_clear(by=None, carrier=house.carrier)
    actions.recipient_redial(by=house.people.manager, recipient=one, reason="the carrier knows nothing of it")
    batch.refresh_from_db()
    assert batch.status == "running"
    pump(seconds=1)
    assert simulator.counts()["requests"] == 4
    assert Attempt.objects.filter(recipient=one.pk).count() == 2


def test_hanging_up_ends_live_calls(house, simulator):
    batch = house.batch([f"+1303555{index}99" for index in range(10, 16)])
    pump(seconds=1)
    for _ in range(40):
        actions.silent_look(now=timezone.now() + timezone.timedelta(seconds=3))
        if BatchState.objects.get(pk=batch.pk).connected == 6:
            break
        time.sleep(0.05)
    actions.batch_stop(by=None, batch=batch)
    asked = []
    from outbound.actions import running

    running_hang_up, running.hang_up_soon = running.hang_up_soon, asked.extend
    try:
        assert actions.batch_hang_up(by=house.people.manager, batch=batch) == 6
    finally:
        running.hang_up_soon = running_hang_up
    assert actions.calls_hang_up(attempts=asked) == 6
    time.sleep(0.1)
    actions.silent_look(now=timezone.now() + timezone.timedelta(seconds=12))
    batch = work_off(batch, pumping=False)
    assert batch.status == "stopped" and simulator.counts()["live"] == 0
    assert Carrier.objects.count() == 1 and Batch.objects.count() == 1


def test_a_call_without_an_answer_does_not_keep_others_from_being_dialed(house, simulator, settings):
    settings.OUTBOUND_PLACE_TIMEOUT, settings.OUTBOUND_PUMPS = 4.0, 1
    silent = house.batch(["+13035550191"])
    first = Thread(target=lambda: (pump(seconds=0.3), connection.close()))
    first.start()
    while not simulator.carrier.requests:
        time.sleep(0.01)
    time.sleep(0.5)
    other = house.batch(numbers(3))
    began = time.monotonic()
    assert pump(seconds=0.5) == 3, "the first one's place is free while it waits"
    assert first.is_alive() and time.monotonic() - began < 4, "it still waits for the silent call"
    first.join()
    assert BatchState.objects.get(pk=other.pk).total == 3
    assert Attempt.objects.get(batch=silent).state == "unknown"


@pytest.mark.parametrize(
    "events",
    [[{"attempt": "nonsense", "kind": "ended", "at": "2026-11-25T12:00:00Z"}], "x", [{"attempt": None}], [7], None,
     [{"attempt": "00000000-0000-0000-0000-000000000000", "kind": "ended", "at": 7}],
     [{"attempt": "00000000-0000-0000-0000-000000000000", "kind": "ended", "at": "2026-13-45"}]],
)  # fmt: skip
def test_a_signed_callback_of_nonsense_is_refused_and_breaks_nothing(house, client, events):
    body = json.dumps({"events": events}).encode()
    headers = signed_headers(house.carrier.secret("callback_secret"), "m", body)
    answer = client.post(f"/carriers/{house.carrier.pk}/events", body, content_type="application/json", headers=headers)
    assert answer.status_code in (204, 400)


def test_an_old_callback_is_not_accepted_again(house, client):
    house.batch(numbers(1))
    (call,) = actions.calls_claim(worker="w", limit=1)
    event = {"attempt": str(call.attempt), "kind": "ended", "outcome": "busy", "at": "2026-11-25T12:00:00Z"}
    body = json.dumps({"events": [event]}).encode()
    then = datetime.now(UTC) - timedelta(hours=1)
    headers = signed_headers(house.carrier.secret("callback_secret"), "m", body, then)
    where = f"/carriers/{house.carrier.pk}/events"
    assert client.post(where, body, content_type="application/json", headers=headers).status_code == 403
    assert Attempt.objects.get().state == "queued"
