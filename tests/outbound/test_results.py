"""Results: signed, in order, at least once, never to a private place, and again by hand."""

import json
import socket
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from outbound import actions
from outbound.models import Attempt, ResultDelivery
from portal import outgoing
from portal.audit.models import AuditEvent
from portal.webhooks import RETRY_SECONDS

from .conftest import numbers, refused

pytestmark = pytest.mark.django_db(transaction=True)


def play(house, batch, outcomes):
    """Claim and end as many calls as there are outcomes."""
    now = timezone.now()
    for outcome in outcomes:
        (call,) = actions.calls_claim(worker="w", limit=1, now=now)
        events = [
            {"attempt": str(call.attempt), "kind": kind, "key": kind, "source": "callback", "outcome": outcome,
             "callee": "voice", "duration": 7}
            for kind in ("accepted", "answered", "ended")
        ]  # fmt: skip
        if outcome != "answered":
            events = [events[0], events[2]]
        actions.events_apply(carrier=house.carrier.pk, events=events, now=now)
        now += timedelta(seconds=61)


def test_each_attempt_and_the_outcome_arrive_signed_and_in_order(house, receiver):
    batch = house.batch(
        [{"destination": numbers(1)[0], "first_name": "Ann"}], result_url=receiver.url + "/results", max_attempts=3,
        retry_interval=60, result_each_attempt=True, message_reference="ref-7", parameters={"topic": "visit"},
    )  # fmt: skip
    play(house, batch, ["busy", "no_answer", "answered"])
    while actions.deliveries_send():
        pass
    bodies = []
    for path, headers, body in receiver.received:
        assert path == "/results"
        bodies.append(Webhook(batch.signing_secret()).verify(body, headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(batch.signing_secret()).verify(body + b" ", headers)
    assert [one["type"] for one in bodies] == ["attempt.ended"] * 3 + ["call.ended"]
    assert [one["data"]["calls"][-1]["outcome"] for one in bodies] == ["busy", "no_answer", "answered", "answered"]
    final = bodies[-1]["data"]
    assert (final["status"], final["attempts"], final["message_reference"]) == ("completed", 3, "ref-7")
    assert final["call_parameters"] == {"topic": "visit", "first_name": "Ann"}
    assert set(ResultDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_failing_receiver_holds_up_only_that_call_and_only_for_its_schedule(house, receiver):
    batch = house.batch(
        numbers(1), result_url=receiver.url, max_attempts=2, retry_interval=60, result_each_attempt=True
    )
    play(house, batch, ["busy", "answered"])
    receiver.answers["*"] = [500, 302, 404]
    assert actions.deliveries_send() == 1 and actions.deliveries_send() == 0
    first = ResultDelivery.objects.order_by("id").first()
    assert (first.state, first.tries, first.last_status) == ("pending", 1, 500)
    assert timedelta(seconds=4) < first.next_at - timezone.now() < timedelta(seconds=6)
    for tries in (2, 3):
        ResultDelivery.objects.filter(pk=first.pk).update(next_at=timezone.now())
        assert actions.deliveries_send() == 1, "the second result waits for the first"
        first.refresh_from_db()
        assert first.tries == tries
    assert not any(path == "/elsewhere" for path, _, _ in receiver.received), "redirects are not followed"
    ResultDelivery.objects.filter(pk=first.pk).update(next_at=timezone.now(), tries=len(RETRY_SECONDS) - 1)
    receiver.answers["*"] = 503
    actions.deliveries_send()
    first.refresh_from_db()
    assert first.state == "failed"
    receiver.answers["*"] = 204
    assert actions.deliveries_send() == 1, "now the next one's turn has come"
    ids = {dict(headers)["webhook-id"] for _, headers, _ in receiver.received[:4]}
    assert len(ids) == 1, "the same message on every try"


def test_gone_disables_and_a_replay_asks_again(house, receiver):
    batch = house.batch(numbers(3), result_url=receiver.url)
    play(house, batch, ["answered", "busy", "answered"])
    receiver.answers["*"] = 410
    actions.deliveries_send(limit=1)
    batch.refresh_from_db()
    assert batch.result_disabled_at is not None
    assert set(ResultDelivery.objects.values_list("state", flat=True)) == {"disabled"}
    receiver.answers["*"] = 200
    one = ResultDelivery.objects.first()
    assert refused(actions.delivery_replay, by=house.people.observer, delivery=one).status == 403
    assert actions.delivery_replay(by=house.people.member, delivery=one).state == "pending"
    assert refused(actions.delivery_replay, by=None, delivery=one).code == "delivery_pending"
    assert actions.deliveries_send() == 1
    one.refresh_from_db()
    assert one.state == "delivered" and AuditEvent.objects.filter(event="delivery.replay").exists()


def test_a_worker_that_dies_with_a_result_lets_it_go_again(house, receiver):
    batch = house.batch(numbers(1), result_url=receiver.url)
    play(house, batch, ["answered"])
    from outbound.actions.common import rows

    assert len(rows("SELECT outbound_take_deliveries(10, '60 s')")) == 1
    assert actions.deliveries_send() == 0
    ResultDelivery.objects.update(next_at=timezone.now())
    assert actions.deliveries_send() == 1
    assert batch.state.pending >= 0 and len(receiver.received) == 1


@pytest.mark.parametrize("result_format", ["call_details", "form"])
def test_the_older_bodies(house, receiver, result_format):
    batch = house.batch(
        numbers(1), result_url=receiver.url, result_format=result_format, message_reference="m-1", retry_interval=90
    )
    play(house, batch, ["answered"])
    actions.deliveries_send()
    ((_, headers, body),) = receiver.received
    if result_format == "form":
        fields = {name: value[0] for name, value in parse_qs(body.decode()).items()}
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert (fields["status"], fields["callee_type"], fields["message_reference"]) == ("completed", "voice", "m-1")
    else:
        details = json.loads(body)["call_details"]
        assert (details["status"], details["attempts"], details["reattempt_wait"]) == ("completed", 1, 90)
        assert [one["event"] for one in details["events"]] == ["queued", "dialing", "connected", "disconnected"]
    Webhook(batch.signing_secret()).verify(body, headers, json_parse=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1", "fc00::1", "fec0::1", "::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
def test_private_addresses_are_never_asked(settings, receiver, address):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    assert not outgoing.is_public(address)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(outgoing.NotReached) as caught:
        outgoing.get_status(f"http://{host}:{receiver.port}/")
    assert caught.value.code == "private_address"


def test_a_name_that_changes_its_address_gains_nothing(settings, receiver, monkeypatch):
    """The connection goes to the address that was checked: a second answer of the name service is never asked for."""
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    real, asked = socket.getaddrinfo, []

    def rebinding(host, port, *rest, **more):
        asked.append(host)
        address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return real(address if host == "rebind.example" else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(outgoing.NotReached) as caught:
        outgoing.request("GET", f"http://rebind.example:{receiver.port}/", timeout=0.3)
    assert caught.value.code in ("timeout", "unreachable") and receiver.received == []
    assert asked.count("rebind.example") == 1


def test_urls_are_asked_once_before_the_start(house, receiver, settings):
    batch = house.batch(numbers(2), started=False, result_url=receiver.url + "/r", start_url=receiver.url + "/s")
    receiver.answers["/s"] = 404
    error = refused(actions.batch_start, by=None, batch=batch)
    assert (error.field, error.code) == ("start_url", "not_answering") and "404" in error.message
    receiver.answers["/s"] = 200
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    error = refused(actions.batch_start, by=None, batch=batch)
    assert [problem[1] for problem in error.problems] == ["private_address", "private_address"]
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    assert actions.batch_start(by=None, batch=batch).batch.status == "running"


def test_who_never_was_dialed_is_told_too_when_the_batch_is_stopped(house, receiver):
    batch = house.batch(numbers(3), result_url=receiver.url)
    play(house, batch, ["answered"])
    actions.batch_stop(by=None, batch=batch)
    actions.waiting_drain()
    while actions.deliveries_send():
        pass
    states = sorted(json.loads(body)["data"]["status"] for _, _, body in receiver.received)
    assert states == ["canceled", "canceled", "completed"]
    actions.batches_settle()
    batch.refresh_from_db()
    assert batch.status == "stopped" and Attempt.objects.count() == 1


def test_a_new_secret_signs_what_waits_too_and_voids_the_old_one(house, receiver):
    batch = house.batch(numbers(1), result_url=receiver.url)
    old = batch.signing_secret()
    play(house, batch, ["answered"])
    assert refused(actions.result_secret_renew, by=house.people.observer, batch=batch).status == 403
    assert refused(actions.result_secret_renew, by=house.people.outsider, batch=batch).status == 404
    new = actions.result_secret_renew(by=house.people.member, batch=batch)
    assert actions.deliveries_send() == 1
    _, headers, body = receiver.received[-1]
    assert Webhook(new).verify(body, headers)["type"] == "call.ended"
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers)
    event = AuditEvent.objects.get(event="batch.result_secret")
    assert event.actor == house.people.member and new not in json.dumps(event.changes)
