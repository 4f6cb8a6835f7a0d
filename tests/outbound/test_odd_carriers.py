"""One carrier's nonsense, lost keys or private address: its own calls suffer, nobody else's."""

import json
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.utils import timezone

from outbound import actions
from outbound.carriers import adapter_of, guard
from outbound.carriers.port import NotSent, Order, event
from outbound.choices import EventKind, EventSource
from outbound.dialing.pump import Pump
from outbound.forms import CarrierForm
from outbound.models import Attempt, Batch, Carrier, Pace, Recipient

from .conftest import ANI, numbers, refused
from .test_odd_receivers import odd

__all__ = ["odd"]

pytestmark = pytest.mark.django_db(transaction=True)


def other_carrier(house, **values):
    return actions.carrier_create(by=None, network=house.network, **{"kind": "simulator", "name": "Other", **values})


def states(batch):
    return set(Attempt.objects.filter(batch=batch).values_list("state", flat=True))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((422, {"outcome": "nonsense" * 9, "cause": "1"}, {}), "failed"),
        ((422, {"outcome": "busy", "cause": "a\x00b"}, {}), "failed"),
        ((429, {}, {"Retry_After": "9" * 12}), "not_sent"),
        ((429, {}, {"Retry_After": "9" * 5000}), "not_sent"),
        ((201, {"id": "a\x00b"}, {}), "dialing"),
        ((201, {"id": ["a"]}, {}), "dialing"),
    ],
)
def test_an_odd_answer_to_placing_is_brought_into_shape(house, simulator, odd, answer, state):
    status, content, headers = answer
    there = odd(lambda handler: handler.answer(status, json.dumps(content).encode(), **headers))
    bad = house.batch(numbers(1), name="bad", carrier=other_carrier(house, base_url=there.url))
    good = house.batch(numbers(3, area="212"), name="good")
    Pump(seconds=1, idle=0.2).run()
    assert states(good) == {"dialing"} and states(bad) == {state}


def test_a_carrier_whose_keys_cannot_be_read_dials_nobody_and_burns_nobody(house, simulator):
    broken = other_carrier(
        house, kind="twilio", settings={"account_sid": "AC1"}, secrets={"auth_token": "x"}, base_url=simulator.url
    )
    Carrier.objects.filter(pk=broken.pk).update(secrets={"auth_token": "sealed with another key"})
    bad = house.batch(numbers(3), name="bad", carrier=broken, start_url=simulator.url + "/counts")
    good = house.batch(numbers(3, area="212"), name="good")
    Pump(seconds=1, idle=0.2).run()
    assert simulator.counts()["calls"] == 3 and states(good) == {"dialing"}
    assert set(Recipient.objects.filter(batch=bad).values_list("state", "dialed")) == {("pending", 0)}
    broken.state.refresh_from_db()
    assert "cannot be read" in broken.state.last_error, "the queue says why nothing goes on"


def test_a_carrier_that_answers_no_json_does_not_keep_others_from_being_asked(house, simulator, odd):
    sane = other_carrier(house, base_url=simulator.url)
    Carrier.objects.filter(pk=house.carrier.pk).update(base_url=odd(lambda handler: handler.answer(200, b"<html>")).url)
    house.batch(numbers(1), name="bad")
    house.batch(numbers(1, area="212"), name="good", carrier=sane)
    for call in actions.calls_claim(worker="w", limit=2):
        lost = event(call.attempt, EventKind.LOST, EventSource.PLACE)
        actions.events_apply(carrier=call.carrier, events=[lost])
    Attempt.objects.update(look_at=timezone.now())
    actions.silent_look()
    assert Attempt.objects.get(carrier=sane).looks == 1
    assert Attempt.objects.get(carrier=house.carrier).look_at > timezone.now() + timedelta(seconds=20), "asked later"


@pytest.mark.parametrize("kind", ["simulator", "twilio"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_no_carrier_at_a_private_address_is_connected_to(house, settings, odd, kind, host):
    asked = []
    there = odd(lambda handler: (asked.append(handler.path), handler.answer(201, b'{"id": "x", "sid": "CA1"}')))
    url = there.url.replace("127.0.0.1", host)
    values = {"settings": {"account_sid": "AC1"}, "secrets": {"auth_token": "x"}} if kind == "twilio" else {}
    carrier = other_carrier(house, kind=kind, base_url=there.url, **values)
    carrier.base_url = url
    guard._addresses.clear()
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    adapter = adapter_of(carrier)
    with pytest.raises(NotSent):
        adapter.place(Order(uuid4(), 1, "+13035550100", ANI))
    adapter.close()
    assert asked == []
    error = refused(actions.carrier_update, by=None, carrier=carrier, base_url=url + "/", secrets={"auth_token": "y"})
    assert (error.field, error.code) == ("base_url", "private_address") and "not public" in error.message


def test_the_operators_own_simulator_may_be_on_this_machine(house, settings, simulator):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    Carrier.objects.filter(pk=house.carrier.pk).update(base_url="", settings={"address": simulator.url})
    adapter = adapter_of(Carrier.objects.get(pk=house.carrier.pk))
    assert adapter.place(Order(uuid4(), 1, "+13035550100", ANI)).carrier_call_id
    adapter.close()
    form = CarrierForm(QueryDict("name=S&base_url=&settings=x&address=http://10.0.0.1"), carrier=house.carrier)
    assert form.is_valid() and "address" not in form.values()["settings"]


@pytest.mark.parametrize("kind", ["simulator", "twilio"])
def test_a_carriers_name_that_changes_its_address_gains_nothing(house, settings, odd, monkeypatch, kind):
    """What was checked is what is connected to, under the name that was asked for."""
    hosts = []
    there = odd(
        lambda handler: (hosts.append(handler.headers["Host"]), handler.answer(201, b'{"id": "x", "sid": "CA1"}'))
    )
    values = {"settings": {"account_sid": "AC1"}, "secrets": {"auth_token": "x"}} if kind == "twilio" else {}
    carrier = other_carrier(house, kind=kind, base_url=there.url, **values)
    carrier.base_url = f"http://rebind.example:{there.port}"
    guard._addresses.clear()
    asked = []
    monkeypatch.setattr("portal.outgoing.address_of", lambda url: asked.append(url.host) or "127.0.0.1")
    adapter = adapter_of(carrier)
    for _ in range(2):
        adapter.place(Order(uuid4(), 1, "+13035550100", ANI))
    adapter.close()
    assert asked == ["rebind.example"] and hosts == [f"rebind.example:{there.port}"] * 2


def test_a_carriers_fields_are_refused_with_their_names(house):
    other_carrier(house, name="B")
    for field, value, code in (
        ("name", "B", "exists"),
        ("calls_per_second", Decimal("0.001"), "out_of_range"),
        ("base_url", "https://user:word@carrier.example", "secret_in_address"),
        ("base_url", "http://[x", "not_an_address"),
        ("base_url", "https://carrier.example/" + "a" * 200, "too_long"),
    ):
        error = refused(actions.carrier_update, by=None, carrier=house.carrier, **{field: value})
        assert (error.field, error.code, error.status) == (field, code, 422)
    house.carrier.refresh_from_db()
    assert (house.carrier.name, house.carrier.base_url) == ("Simulator", "")


def test_a_key_that_nobody_may_read_is_not_sent_to_an_address_that_somebody_typed(house):
    values = {"kind": "twilio", "settings": {"account_sid": "AC1"}, "secrets": {"auth_token": "x"}}
    carrier = other_carrier(house, **values)
    error = refused(actions.carrier_update, by=None, carrier=carrier, base_url="https://mine.example")
    assert (error.field, error.code) == ("secrets", "required")
    moved = actions.carrier_update(
        by=None, carrier=carrier, base_url="https://mine.example", secrets={"auth_token": "y"}
    )
    assert moved.base_url == "https://mine.example" and moved.secret("auth_token") == "y"
    assert actions.carrier_update(by=None, carrier=moved, name="Renamed").name == "Renamed"


def test_a_batch_that_waits_for_a_person_after_a_gap_is_paused_before_the_first_pump_dials(house, simulator):
    batch = house.batch(numbers(3), catch_up="pause")
    Batch.objects.update(started_at=timezone.now() - timedelta(hours=1))
    Pace.objects.update(beat_at=timezone.now() - timedelta(minutes=10))
    Pump(seconds=0.5, idle=0.2).run()
    batch.refresh_from_db()
    assert simulator.counts()["requests"] == 0 and batch.status == "paused"
