"""The API of outbound: batches from draft to stop, people over pages, lists, results; Idempotency-Key, ETag, rights."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outbound import actions
from outbound.models import Batch, BatchImport, BatchState, DoNotCallEntry, Recipient
from portal.audit.models import AuditEvent
from tests.api.conftest import codes

from .conftest import ANI, asked_out, delivery, numbers

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(house, as_):
    return as_(house.people.manager)


def test_a_batch_from_draft_to_stop(house, api):
    made = api.post(
        "batches.json",
        {"name": "Spring", "ani": "805 555 0100", "calls_per_second": 2.5, "parameters": {"pin": "9", "a": 1}},
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert body["status"] == "draft" and body["ani"] == ANI and body["calls_per_second"] == 2.5
    assert body["parameters"] == {"pin": "•••", "a": 1} and body["counts"]["total"] == 0
    at = f"batches/{body['id']}"
    added = api.post(
        f"{at}/recipients.json", {"calls": [{"destination": one} for one in [*numbers(5), "12", numbers(1)[0]]]}
    )
    assert added.status_code == 201
    assert added.json()["added"] == 5
    assert [(one["line"], one["reason"]) for one in added.json()["refused"]] == [
        (6, "invalid_number"),
        (7, "duplicate"),
    ]
    preview = api.get(f"{at}/preview.json").json()
    assert preview["to_call"] == 5 and preview["zones"][0]["zones"] == ["America/Denver"] and preview["pace"] == 2.5
    started = api.post(f"{at}/start.json")
    assert started.status_code == 200 and started.json()["status"] == "running" and "warnings" in started.json()
    assert codes(api.post(f"{at}/start.json")) == [("wrong_status", None)]
    halted = api.post(f"{at}/pause.json", {"reason": "lunch"}).json()
    assert halted["status"] == "paused" and halted["pause_reason"] == "lunch" and halted["never_started"] == 5
    assert api.post(f"{at}/resume.json").json()["status"] == "running"
    stopped = api.post(f"{at}/stop.json", {"reason": "enough"})
    assert stopped.status_code == 200
    assert (stopped.json()["status"], stopped.json()["never_started"], stopped.json()["live"]) == ("stopping", 5, 0)
    assert stopped.json()["quiet"] is True
    assert codes(api.post(f"{at}/resume.json")) == [("wrong_status", None)]
    assert AuditEvent.objects.get(event="batch.stop").reason == "enough"


def test_hang_up_says_how_many_are_asked(scene, as_):
    answer = as_(scene.people.manager).post(f"batches/{scene.batch.pk}/hang_up.json")
    assert answer.status_code == 202 and answer.json() == {"asked": 1}


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"ani": "+18055559999"}, "foreign_ani", "ani"),
        ({"ani": "x"}, "invalid_phone_number", "ani"),
        ({"name": 5}, "invalid", "name"),
        ({"nmae": "x"}, "unknown_field", "nmae"),
        ({"max_attempts": 11}, "out_of_range", "max_attempts"),
        ({"retry_interval": 59}, "out_of_range", "retry_interval"),
        ({"retries": {"answered": {"count": 1}}}, "unknown_outcome", "retries.answered"),
        ({"hours": {"monday_open": 0}}, "required", "hours.monday_closed"),
        ({"hours": {"noday_open": 0}}, "unknown_field", "hours.noday_open"),
        ({"holidays": ["2026-13-01"]}, "not_a_date", "holidays"),
        (
            {"starts_at": "2031-01-02T00:00:00Z", "expires_at": "2031-01-01T00:00:00Z"},
            "expires_before_start",
            "expires_at",
        ),
        ({"starts_at": "soon"}, "invalid", "starts_at"),
        ({"result_url": "https://u:p@example.com"}, "secret_in_address", "result_url"),
        ({"do_not_call_lists": [999]}, "unknown_list", "do_not_call_lists"),
        ({"carrier": 999_999}, "unknown_carrier", "carrier"),
        ({"calls_per_second": -1}, "out_of_range", "calls_per_second"),
    ],
)
def test_bad_input_names_its_field_and_writes_nothing(house, api, values, code, field):
    answer = api.post("batches.json", {"name": "A", "ani": ANI, **values})
    assert answer.status_code == 422, answer.content
    assert (code, field) in codes(answer), codes(answer)
    assert not Batch.objects.exists()


def test_a_result_url_on_loopback_is_refused_at_the_start(house, api, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    made = api.post("batches.json", {"name": "A", "ani": ANI, "result_url": "http://127.0.0.1:1/r"}).json()
    api.post(f"batches/{made['id']}/recipients.json", {"calls": [{"destination": numbers(1)[0]}]})
    answer = api.post(f"batches/{made['id']}/start.json")
    assert answer.status_code == 422 and codes(answer) == [("private_address", "result_url")]
    assert Batch.objects.get().status == "draft"


def test_etag_and_if_match(house, api):
    made = api.post("batches.json", {"name": "A", "ani": ANI})
    at, tag = f"batches/{made.json()['id']}.json", made.headers["ETag"]
    assert api.get(at, If_None_Match=tag).status_code == 304
    house.add(Batch.objects.get(), numbers(2))
    assert api.get(at, If_None_Match=tag).status_code == 200, "counters have changed"
    changed = api.patch(at, {"name": "B"}, If_Match=tag)
    assert changed.status_code == 200 and changed.json()["name"] == "B", "but nobody has edited it"
    late = api.patch(at, {"name": "C"}, If_Match=tag)
    assert late.status_code == 412 and Batch.objects.get().name == "B"
    assert api.patch(at, {"priority": 9}).json()["priority"] == 9


def test_after_the_start_only_the_pace_and_the_like_change(scene, as_):
    api, at = as_(scene.people.member), f"batches/{scene.batch.pk}.json"
    assert api.patch(at, {"lines": 3, "calls_per_second": None}).json()["lines"] == 3
    answer = api.patch(at, {"ani": ANI})
    assert answer.status_code == 409 and codes(answer) == [("batch_started", "ani")]
    assert api.delete(at).status_code == 409
    assert api.delete(f"batches/{scene.draft.pk}.json").status_code == 204
    assert api.get(f"batches/{scene.draft.pk}.json").status_code == 404


def test_the_same_key_happens_once(house, api):
    first = api.post("batches.json", {"name": "A", "ani": ANI}, Idempotency_Key="k1")
    again = api.post("batches.json", {"name": "A", "ani": ANI}, Idempotency_Key="k1")
    assert first.json()["id"] == again.json()["id"] and again.headers["Idempotent-Replayed"] == "true"
    assert Batch.objects.count() == 1
    assert (
        codes(api.post("batches.json", {"name": "B", "ani": ANI}, Idempotency_Key="k1"))[0][0]
        == "idempotency_key_reused"
    )
    at = f"batches/{first.json()['id']}"
    calls = {"calls": [{"destination": one} for one in numbers(3)]}
    one, two = (api.post(f"{at}/recipients.json", calls, Idempotency_Key="k2") for _ in range(2))
    assert one.json() == two.json() and one.json()["added"] == 3


@pytest.mark.django_db(transaction=True)
def test_stop_with_a_key_commits_by_itself_and_repeats_its_answer(house, api):
    batch = house.batch(numbers(4))
    first = api.post(f"batches/{batch.pk}/stop.json", {"reason": "x"}, Idempotency_Key="s1")
    again = api.post(f"batches/{batch.pk}/stop.json", {"reason": "x"}, Idempotency_Key="s1")
    assert (
        first.status_code == again.status_code == 200
        and first.json()["never_started"] == again.json()["never_started"] == 4
    )
    assert again.headers["Idempotent-Replayed"] == "true"
    assert AuditEvent.objects.filter(event="batch.stop").count() == 1
    paused = house.batch(numbers(2, area="720"))
    assert api.post(f"batches/{paused.pk}/pause.json", {}, Idempotency_Key="p1").json()["status"] == "paused"


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


@pytest.mark.django_db(transaction=True)
def test_a_list_is_the_body(house, as_):
    api, batch = as_(house.people.member), house.batch(started=False)
    text = "phone;zone\n" + "".join(f"{one};America/Denver\n" for one in numbers(50)) + "nope;\n"
    sent = api.send(
        "POST",
        f"batches/{batch.pk}/imports.json?file_name=a.csv&time_zone_column=zone",
        body=text.encode(),
        content_type="text/csv",
    )
    assert sent.status_code == 202, sent.content
    job = sent.json()
    assert job["state"] == "waiting" and job["size"] == len(text)
    actions.import_run(job=job["id"])
    body = api.get(f"batches/{batch.pk}/imports/{job['id']}.json").json()
    assert (body["state"], body["rows_added"], body["rows_refused"], body["percent"]) == ("done", 50, 1, 100)
    assert codes(api.post(f"batches/{batch.pk}/imports/{job['id']}/cancel.json")) == [("import_ended", None)]
    bad = api.send("POST", f"batches/{batch.pk}/imports.json", body=b"a,b\n1,2\n", content_type="text/csv")
    assert codes(bad) == [("no_number_column", "columns")]
    empty = api.send("POST", f"batches/{batch.pk}/imports.json", body=b"", content_type="text/csv")
    assert empty.status_code in (411, 422)
    assert api.post(f"batches/{batch.pk}/imports.json", {"a": 1}).status_code == 415
    canceled = api.send("POST", f"batches/{batch.pk}/imports.json", body=text.encode(), content_type="text/csv").json()
    assert api.post(f"batches/{batch.pk}/imports/{canceled['id']}/cancel.json").json()["state"] == "canceled"


def test_a_list_over_the_limit_is_refused_unread(house, as_, settings):
    settings.OUTBOUND_UPLOAD_LIMIT = 100
    api, batch = as_(house.people.member), house.batch(started=False)
    sent = api.send("POST", f"batches/{batch.pk}/imports.json", body=b"x" * 101, content_type="text/csv")
    assert sent.status_code == 413 and sent.json()["details"] == {"limit_bytes": 100}


def test_do_not_call_lists(house, as_):
    api = as_(house.people.manager)
    made = api.post("do_not_call_lists.json", {"name": "Never"}).json()
    at = f"do_not_call_lists/{made['id']}"
    assert api.post(f"{at}/entries.json", {"patterns": ["(805) 555-0177", "+1900*"], "note": "x"}).json() == {
        "count": 2
    }
    bad = api.post(f"{at}/entries.json", {"patterns": ["+18055550178", "no", "neither"]})
    assert [code for code, _ in codes(bad)] == ["invalid_pattern"] * 2 and DoNotCallEntry.objects.count() == 2
    assert {row["pattern"] for row in api.get(f"{at}/entries.json").json()["results"]} == {"+18055550177", "+1900*"}
    assert codes(api.post(f"{at}/entries/remove.json", {"patterns": ["+1900*"]})) == [("required", "reason")]
    assert api.post(f"{at}/entries/remove.json", {"patterns": ["+1900*"], "reason": "mistake"}).json() == {"count": 1}
    batch = house.batch(started=False)
    api.patch(f"batches/{batch.pk}.json", {"do_not_call_lists": [made["id"]]})
    assert codes(api.delete(f"{at}.json")) == [("list_in_use", None)]
    api.patch(f"batches/{batch.pk}.json", {"do_not_call_lists": []})
    assert api.delete(f"{at}.json").status_code == 204
    assert api.get("do_not_call_lists/99.json").status_code == 404


def test_results_with_replay(scene, as_):
    one = delivery(scene.batch, scene.ended, last_status=500, last_error="oops")
    api, at = as_(scene.people.member), f"batches/{scene.batch.pk}/deliveries"
    (row,) = api.get(f"{at}.json?state=failed").json()["results"]
    assert row["last_status"] == 500 and row["message_id"] == str(one.message_id)
    replayed = api.post(f"{at}/{one.pk}/replay.json")
    assert replayed.status_code == 202 and replayed.json()["state"] == "pending"
    assert codes(api.post(f"{at}/{one.pk}/replay.json")) == [("delivery_pending", None)]


def test_older_versions_do_not_have_these(scene, as_):
    api = as_(scene.people.manager).old()
    assert api.get("batches.json").status_code == 404
    assert api.get(f"batches/{scene.batch.pk}/imports.json").status_code == 404


def test_a_read_only_token_only_reads(scene, as_):
    api = as_(scene.people.manager, read_only=True)
    assert api.get(f"batches/{scene.batch.pk}.json").status_code == 200
    assert codes(api.post(f"batches/{scene.batch.pk}/stop.json")) == [("token_read_only", None)]


# Single calls ------------------------------------------------------------------------------------------------------


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
