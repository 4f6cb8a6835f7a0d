"""Single calls in the words of the two older interfaces."""

import time

import pytest

from outbound import actions
from outbound.models import Batch, Recipient
from tests.api.conftest import codes

from .conftest import ANI, numbers

pytestmark = pytest.mark.django_db


def form(api, data, **headers):
    from urllib.parse import urlencode

    return api.send(
        "POST",
        "outbound_calls.json",
        body=urlencode(data).encode(),
        content_type="application/x-www-form-urlencoded",
        **headers,
    )


def test_the_older_form_places_one_call(house, as_):
    api = as_(house.people.manager).old()
    sent = form(
        api,
        {
            "phone_number": f"tel:{numbers(1)[0]};ani={ANI};postd=4711#", "start_url": "", "message_reference": "welcome",
            "call_parameters": "greeting=hi&pin=2468", "max_retries": "2", "retry_interval": "600", "scheduled_timestamp": "0",
            "expiration_time": "+3 days", "login": "me", "pin": "9999",
        },
    )  # fmt: skip
    assert sent.status_code == 201, sent.content
    for secret in ("4711", "2468", "9999"):
        assert secret not in sent.content.decode()
    batch = Batch.objects.get()
    assert (batch.max_attempts, batch.retry_interval, batch.result_format, batch.status) == (3, 600, "form", "running")
    assert (
        batch.parameters == {"greeting": "hi", "pin": "2468"}
        and batch.expires_at is not None
        and batch.starts_at is None
    )
    assert Recipient.objects.get().parameters == {"postd": "4711#"}
    body = sent.json()
    assert body["call_details"]["phone_number"] == numbers(1)[0] and body["call_details"]["status"] == "pending"
    assert api.get(f"outbound_calls/{body['id']}.json").json()["call_details"]["max_attempts"] == 3
    canceled = api.post(f"outbound_calls/{body['id']}/cancel.json")
    assert canceled.status_code == 202 and canceled.json()["call_details"]["status"] == "canceled"
    assert api.post(f"outbound_calls/{body['id']}/cancel.json").status_code == 202, (
        "cancels what is pending: nothing is"
    )


def test_the_older_rest_names(house, as_):
    api = as_(house.people.manager)
    start = int(time.time()) + 86_400
    sent = api.post(
        "outbound_calls.json",
        {"phone_number": numbers(1)[0], "ani": ANI, "start_timestamp": start, "end_timestamp": start + 3600, "max_attempts": 2,
         "reattempt_wait": 120, "is_pci": True},
    )  # fmt: skip
    assert sent.status_code == 201, sent.content
    batch = Batch.objects.get()
    assert (
        int(batch.starts_at.timestamp()) == start
        and batch.result_format == "call_details"
        and batch.status == "scheduled"
    )
    assert batch.retry_interval == 120 and batch.max_attempts == 2


def test_a_bulk_csv(house, as_):
    api = as_(house.people.manager)
    text = "destination,name\n" + "".join(f"{one},A\n" for one in numbers(3)) + "tel:5;postd=4711#,B\n"
    sent = form(api, {"csv": text, "ani": ANI, "campaign_name": "Bulk", "campaign_parameters": '{"a": 1}'})
    assert sent.status_code == 201, sent.content
    body = sent.json()
    assert body["added"] == 3 and body["call_details"] is None and len(body["refused"]) == 1 and "4711" not in str(body)
    assert Batch.objects.get().name == "Bulk"
    assert api.post(f"outbound_calls/{body['id']}/cancel.json").json()["status"] == "stopping"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"phone_number": "12"}, "phone_number"),
        ({"phone_number": "tel:" + "5" * 130}, "phone_number"),
        ({"phone_number": ""}, "phone_number"),
        ({"ani": ""}, "ani"),
        ({"ani": "+18055559999"}, "ani"),
        ({"max_retry": "11"}, "max_retry"),
        ({"max_retries": "-1"}, "max_retries"),
        ({"retry_interval": "59"}, "retry_interval"),
        ({"reattempt_wait": "86401"}, "reattempt_wait"),
        ({"max_attempts": "2"}, "reattempt_wait"),
        ({"scheduled_time": "whenever"}, "scheduled_time"),
        ({"expiration_timestamp": "12"}, "expiration_timestamp"),
        ({"scheduled_time": "+3 days", "expiration_time": "+2 days"}, "expiration_time"),
        ({"call_parameters": "{broken"}, "call_parameters"),
        ({"call_parameters": '{"a": NaN}'}, "call_parameters"),
        ({"call_parameters": '{"a": "x\\u0000"}'}, "call_parameters"),
        ({"call_parameters": '{"a": "\\ud800"}'}, "call_parameters"),
        ({"call_parameters": '{"a":' * 5000 + "1" + "}" * 5000}, "call_parameters"),
        ({"campaign_parameters": "a=%00"}, "campaign_parameters"),
        ({"start_url": "https://example.com/" + "a" * 250}, "start_url"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_single_calls_leave_nothing(house, as_, values, field):
    given = {"phone_number": numbers(1)[0], "ani": ANI, **values}
    sent = form(as_(house.people.manager), given)
    assert sent.status_code == 422, sent.content
    assert field in {at for _, at in codes(sent)}, codes(sent)
    old = form(as_(house.people.manager).old(), given)
    assert old.status_code == 403 and field in old.json()["errors"]
    assert not Batch.objects.exists()


def test_a_single_call_whose_zone_is_unknown_is_refused_with_the_way_out(house, as_):
    sent = as_(house.people.manager).post("outbound_calls.json", {"phone_number": "+80012345678", "ani": ANI})
    (error,) = sent.json()["errors"]
    assert (error["code"], error["field"]) == ("unknown_zone", "phone_number") and "time_zone" in error["detail"]


def test_a_single_call_to_someone_who_is_not_to_be_called(house, as_):
    never = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    actions.do_not_call_add(by=None, to=never, patterns=["+1303*"])
    sent = as_(house.people.manager).post("outbound_calls.json", {"phone_number": numbers(1)[0], "ani": ANI})
    assert codes(sent) == [("do_not_call", "phone_number")] and not Batch.objects.exists()


def test_a_single_call_needs_operate(house, as_):
    sent = as_(house.people.member).post("outbound_calls.json", {"phone_number": numbers(1)[0], "ani": ANI})
    assert sent.status_code == 403 and sent.json()["details"]["permission"].startswith("outbound.operate")
    assert not Batch.objects.exists()


def test_the_same_call_once_with_a_key(house, as_):
    api = as_(house.people.manager)
    given = {"phone_number": numbers(1)[0], "ani": ANI}
    first, again = form(api, given, Idempotency_Key="c1"), form(api, given, Idempotency_Key="c1")
    assert first.json()["id"] == again.json()["id"] and Batch.objects.count() == 1
