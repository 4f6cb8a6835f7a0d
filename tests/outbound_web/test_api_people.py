"""The API of a batch's people and their calls: cursor pages, history, canceling, redialing, adding; queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outbound import actions
from outbound.models import BatchImport, BatchState, Recipient
from tests.api.conftest import codes

from .conftest import ANI, asked_out, delivery, numbers

pytestmark = pytest.mark.django_db


def pages(api, address):
    """Every row of a list, and how many pages it took."""
    rows, count = [], 0
    while address:
        body = api.get(address).json()
        rows += body["results"]
        address, count = body["next"] and "/" + body["next"].split("/", 3)[3], count + 1
        assert count < 100
    return rows, count


def test_people_over_cursor_pages_once_each(scene, as_):
    api, at = as_(scene.people.observer), f"batches/{scene.batch.pk}/recipients.json"
    scene.house.add(scene.batch, numbers(40, area="970"))
    rows, count = pages(api, f"{at}?page_size=7")
    assert len(rows) == len({row["id"] for row in rows}) == 52 and count == 8
    assert [row["phone_number"] for row in rows] == sorted(row["phone_number"] for row in rows)
    waiting, _ = pages(api, f"{at}?status=pending&page_size=11")
    assert len(waiting) == 49
    (unknown,), _ = pages(api, f"{at}?status=unknown")
    assert unknown["phone_number"] == scene.unknown.number and unknown["ani"] == ANI
    found, _ = pages(api, f"{at}?phone_number=%2B1970&page_size=9")
    assert len(found) == 40
    ended = api.get(f"{at}?outcome=answered").json()["results"][0]
    assert ended["callee_type"] == "voice" and ended["cause"] == "16" and ended["duration"] == 7
    assert codes(api.get(f"{at}?cursor=nonsense")) == [("invalid_cursor", "cursor")]
    other = api.get(f"{at}?page_size=2").json()["next"].partition("cursor=")[2].partition("&")[0]
    assert api.get(f"{at}?status=failed&cursor={other}").status_code == 422, "a cursor of another order"


def test_lists_take_a_constant_number_of_queries(scene, as_):
    api = as_(scene.people.observer)
    dnc = actions.do_not_call_list_create(by=None, network=scene.network, name="Never")
    actions.do_not_call_add(by=None, to=dnc, patterns=["+18055550111"])
    delivery(scene.batch, scene.ended)
    at = f"batches/{scene.batch.pk}"
    addresses = [
        "batches.json", f"{at}/recipients.json", f"{at}/attempts.json", f"{at}/deliveries.json", f"{at}/imports.json",
        "do_not_call_lists.json", f"do_not_call_lists/{dnc.pk}/entries.json",
    ]  # fmt: skip

    def count(address):
        api.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert api.get(address).status_code == 200
        return len(caught)

    few = {address: count(address) for address in addresses}
    for number in range(6):
        made = scene.house.batch(numbers(1, area=str(212 + number)), name=f"More {number}")
        actions.batch_update(by=None, batch=made, do_not_call_lists=[dnc.pk])
        BatchImport.objects.create(batch=scene.batch, file_name="x")
        actions.do_not_call_list_create(by=None, network=scene.network, name=f"List {number}")
    scene.house.add(scene.batch, numbers(20, area="970"))
    for one in Recipient.objects.filter(batch=scene.batch)[:9]:
        delivery(scene.batch, one)
    actions.calls_claim(worker="x", limit=8)
    actions.do_not_call_add(by=None, to=dnc, patterns=[f"+1805555{n:04d}" for n in range(200, 220)])
    assert {address: count(address) for address in addresses} == few


def test_one_person_with_the_whole_history(scene, as_):
    delivery(scene.batch, scene.ended)
    body = as_(scene.people.observer).get(f"batches/{scene.batch.pk}/recipients/{scene.ended.pk}.json").json()
    assert body["status"] == "completed" and body["history"][0]["attempt"] == 1
    assert {event["kind"] for event in body["history"][0]["events"]} == {"accepted", "answered", "ended"}
    assert body["deliveries"][0]["state"] == "failed"


def test_cancel_and_redial_one_call(scene, as_):
    api, at = as_(scene.people.manager), f"batches/{scene.batch.pk}/recipients"
    canceled = api.post(f"{at}/{scene.waiting.pk}/cancel.json", {"reason": "asked"})
    assert canceled.status_code == 202 and canceled.json()["status"] == "canceled"
    assert codes(api.post(f"{at}/{scene.ended.pk}/cancel.json")) == [("call_ended", None)]
    assert codes(api.post(f"{at}/{scene.unknown.pk}/redial.json", {"reason": "x"})) == [("still_asking", None)]
    asked_out(scene.unknown)
    assert codes(api.post(f"{at}/{scene.unknown.pk}/redial.json", {})) == [("required", "reason")]
    assert api.post(f"{at}/{scene.unknown.pk}/redial.json", {"reason": "asked us"}).json()["status"] == "pending"
    assert codes(api.post(f"{at}/999999/cancel.json")) == [("unknown_recipient", "recipient")]


def test_who_opts_out_in_a_call_is_never_called_again(scene, as_):
    """The application behind `start_url` says it, while the call lives."""
    api, at = as_(scene.people.manager), f"batches/{scene.batch.pk}/recipients"
    said = api.post(f"{at}/{scene.live.pk}/opt_out.json", {"reason": "pressed 9"})
    assert said.status_code == 202 and said.json()["status"] == "connected", "the call goes on"
    assert api.post(f"{at}/{scene.live.pk}/opt_out.json").status_code == 202, "said twice"
    calls = [{"destination": scene.live.number}, {"destination": scene.waiting.number}]
    added = api.post(f"batches/{scene.draft.pk}/recipients.json", {"calls": calls})
    assert (added.json()["added"], added.json()["suppressed"]) == (2, 1)
    (found,) = api.get("do_not_call_lists.json").json()["results"]
    assert found["collects_opt_outs"] and found["applies_to_all"]
    (entry,) = api.get(f"do_not_call_lists/{found['id']}/entries.json").json()["results"]
    assert entry["pattern"] == scene.live.number
    assert codes(api.post(f"{at}/999999/opt_out.json")) == [("unknown_recipient", "recipient")]


def test_attempts(scene, as_):
    rows, _ = pages(as_(scene.people.observer), f"batches/{scene.batch.pk}/attempts.json?page_size=2")
    assert len(rows) == 3 and {row["status"] for row in rows} == {"completed", "connected", "unknown"}
    only = as_(scene.people.observer).get(f"batches/{scene.batch.pk}/attempts.json?status=unknown").json()["results"]
    assert [row["recipient"] for row in only] == [scene.unknown.pk]


def test_add_calls_to_a_live_batch_in_bulk(scene, as_):
    api = as_(scene.people.member)
    at = f"batches/{scene.batch.pk}/recipients.json"
    answer = api.post(at, {"calls": [{"destination": one, "name": "A"} for one in numbers(900, area="970")]})
    assert answer.json()["added"] == 900 and BatchState.objects.get(pk=scene.batch.pk).pending == 909
    assert codes(api.post(at, {"calls": []})) == [("out_of_range", "calls")]
    assert codes(api.post(at, {"calls": [{"destination": "1"}] * 1001})) == [("out_of_range", "calls")]
    assert codes(api.post(at, {"calls": [{"name": "A"}]})) == [("no_number_column", "columns")]
    refused = api.post(at, {"calls": [{"destination": "tel:12;ani=x;postd=4711#"}]}).json()
    assert "4711" not in str(refused) and refused["refused"]
    actions.batch_stop(by=None, batch=scene.batch)
    assert codes(api.post(at, {"calls": [{"destination": numbers(1)[0]}]})) == [("batch_finished", None)]
