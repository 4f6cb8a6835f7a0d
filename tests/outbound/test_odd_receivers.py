"""Receivers of results that answer nonsense, or byte by byte: they harm nobody but themselves."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from outbound import actions
from outbound.bodies import body_of
from outbound.models import ResultDelivery
from portal import outgoing
from tests.servers import Handler, Server

from .conftest import numbers
from .scenes import apply

pytestmark = pytest.mark.django_db(transaction=True)


class _Says(Handler):
    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        self.body()
        self.owner.say(self)


class Odd(Server):
    """Answers each POST by `say(handler)`."""

    handler = _Says

    def __init__(self, say):
        self.say = say
        super().__init__()


@pytest.fixture
def odd(house):
    made = []

    def server(say):
        made.append(Odd(say))
        return made[-1]

    yield server
    for one in made:
        one.close()


def end_all(house):
    for call in actions.calls_claim(worker="w", limit=20):
        apply(house, call, "accepted", "answered", ended={"outcome": "answered", "cause": "16"})


def drip(handler, head, count):
    """`count` bytes after `head`, one each tenth of a second."""
    try:
        handler.wfile.write(head)
        for _ in range(count):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass
    handler.close_connection = True


def test_an_answer_that_no_column_can_hold_keeps_nobodys_results_from_being_noted(house, receiver, odd):
    bad = house.batch(numbers(1), name="bad", result_url=odd(lambda handler: handler.answer(500, b"a\x00b")).url)
    good = house.batch(numbers(1, area="212"), name="good", result_url=receiver.url)
    end_all(house)
    actions.deliveries_send()
    assert ResultDelivery.objects.get(batch=good).state == "delivered"
    refused = ResultDelivery.objects.get(batch=bad)
    assert (refused.state, refused.last_status, refused.last_error) == ("pending", 500, "a\ufffdb")


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-A: "], ids=["body", "head"]
)
def test_who_answers_byte_by_byte_is_waited_for_no_longer_than_a_whole_request_may_take(settings, odd, head):
    settings.OUTGOING_TIMEOUT = 0.3
    begin = time.monotonic()
    with pytest.raises(outgoing.NotReached) as caught:
        outgoing.post(odd(lambda handler: drip(handler, head, 60)).url, b"{}", {})
    assert caught.value.code == "timeout"
    assert time.monotonic() - begin < 3, "each byte came in time; all of them take six seconds"


def test_what_waits_behind_slow_receivers_is_given_back_and_sent_once(house, settings, monkeypatch, odd):
    """Five results, one at a time, half a second each, of which only the first surely fit into the time that they are ours."""
    settings.OUTGOING_TIMEOUT = 0.2
    monkeypatch.setattr("outbound.actions.deliveries.LEASE", timedelta(seconds=1))
    monkeypatch.setattr("outbound.actions.deliveries.AT_ONCE", 1)
    seen = []

    def slow(handler):
        seen.append(handler.headers["webhook-id"])
        # Within the whole request's time, and a step never takes too long.
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(4):
            time.sleep(0.1)
            handler.wfile.write(b"X-A: b\r\n")
        handler.wfile.write(b"Content-Length: 0\r\n\r\n")

    house.batch(numbers(5), result_url=odd(slow).url)
    end_all(house)

    def send():
        while actions.deliveries_send():
            pass
        connection.close()

    other = threading.Thread(target=send)
    other.start()
    time.sleep(1.1)
    send()
    other.join()
    assert len(seen) == len(set(seen)) == 5
    assert set(ResultDelivery.objects.values_list("state", "tries")) == {("delivered", 1)}, "waiting is no try"


def test_a_pin_does_not_travel_in_the_open(house, receiver):
    for form in ("json", "form"):
        house.batch(
            [{"destination": numbers(1)[0], "pin": "98761", "greeting": "hello"}], name=form, result_format=form,
            result_url=receiver.url, parameters={"password": "98762"},
        )  # fmt: skip
    end_all(house)
    actions.deliveries_send()
    assert len(receiver.received) == 2
    for _path, _headers, body in receiver.received:
        assert b"98761" not in body and b"98762" not in body and b"hello" in body
    sent = ResultDelivery.objects.select_related("batch").first()
    sent.batch.result_url = "https://example.com/results"
    assert b"98761" in body_of(sent, sent.batch)[0], "over TLS the receiver gets what the call was given"
