"""Pages of outbound: what they show and do, what is empty, constant numbers of queries, another network's 404."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outbound import actions
from outbound.models import Batch, BatchImport, BatchState, DoNotCallEntry, DoNotCallList, Recipient
from portal.audit.models import AuditEvent
from tests.web.helpers import sign_in, text_of

from .conftest import ANI, asked_out, delivery, job_of, numbers

pytestmark = pytest.mark.django_db


def at(name, *args):
    return reverse(f"outbound:{name}", args=args)


def every_page(scene):
    """Addresses of all pages that a GET opens."""
    batch, draft = scene.batch.pk, scene.draft.pk
    found = DoNotCallList.objects.filter(network=scene.network).first()
    return [
        at("list"), at("detail", batch), at("calls", batch), at("call", batch, scene.ended.pk), at("call", batch, scene.unknown.pk),
        at("lists", batch), at("lists", draft), at("deliveries", batch), at("review", draft), at("basics", draft),
        at("schedule", draft), at("pace", draft), at("schedule", batch), at("pace", batch), at("queue"), at("new"),
        at("do-not-call"), at("carriers"), at("carrier", scene.carrier.pk), at("carrier-new"),
        *([at("do-not-call-list", found.pk)] if found else []),
    ]  # fmt: skip


def test_every_page_opens_for_super(scene):
    actions.do_not_call_list_create(by=None, network=scene.network, name="Never")
    delivery(scene.batch, scene.ended)
    client = sign_in(scene.people.super)
    for address in every_page(scene):
        assert client.get(address).status_code == 200, address


def test_another_network_finds_nothing(scene):
    found = actions.do_not_call_list_create(by=None, network=scene.network, name="Never")
    one, job = delivery(scene.batch, scene.ended), job_of(scene.batch)
    client = sign_in(scene.people.outsider)
    for address in every_page(scene):
        if str(scene.batch.pk) in address or str(scene.draft.pk) in address or f"/{scene.carrier.pk}/" in address:
            assert client.get(address).status_code == 404, address
    batch, waiting = scene.batch.pk, scene.waiting.pk
    posts = [
        at(name, batch)
        for name in ("start", "pause", "resume", "stop", "hang-up", "unschedule", "delete", "move-start")
    ]
    posts += [at("call-cancel", batch, waiting), at("call-redial", batch, waiting), at("replay", batch, one.pk)]
    posts += [
        at("import-cancel", batch, job.pk),
        at("carrier-clear", scene.carrier.pk),
        at("do-not-call-delete", found.pk),
    ]
    posts += [at("do-not-call-add", found.pk), at("do-not-call-remove", found.pk)]
    before = AuditEvent.objects.count()
    for address in posts:
        assert client.post(address, {"reason": "x"}).status_code == 404, address
    assert client.get(at("export", batch)).status_code == 404
    assert AuditEvent.objects.count() == before


def test_buttons_are_posts(scene):
    client = sign_in(scene.people.super)
    batch = scene.batch.pk
    for name in ("start", "pause", "resume", "stop", "hang-up", "unschedule", "delete", "move-start"):
        assert client.get(at(name, batch)).status_code == 405, name
    assert client.get(at("call-cancel", batch, scene.waiting.pk)).status_code == 405
    scene.batch.refresh_from_db()
    assert scene.batch.status == "running"


def test_the_batch_page_shows_the_live_and_the_latest(scene):
    client = sign_in(scene.people.observer)
    text = text_of(client.get(at("detail", scene.batch.pk)))
    assert "Running" in text and "1 of 12" in text and "Connected" in text and "Voice" in text
    assert "Stop this batch" not in text, "an observer has no buttons"
    part = client.get(at("detail", scene.batch.pk), {"part": "now", "was": "running"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "HX-Refresh" not in part.headers and b"<main" not in part.content


def test_polling_ends_with_the_batch(scene):
    client = sign_in(scene.people.manager)
    Batch.objects.filter(pk=scene.batch.pk).update(status="stopping")
    part = client.get(at("detail", scene.batch.pk), {"part": "now", "was": "running"}, headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true", "buttons outside of the live part have changed"
    Batch.objects.filter(pk=scene.batch.pk).update(status="stopped")
    part = client.get(at("detail", scene.batch.pk), {"part": "now"}, headers={"HX-Request": "true"})
    assert part.status_code == 286
    rows = client.get(at("list"), {"part": "rows"}, headers={"HX-Request": "true"})
    assert rows.status_code == 286, "nothing in the list is active any more"


def test_stop_says_at_once_how_many_and_offers_to_hang_up(scene):
    client = sign_in(scene.people.manager)
    page = client.post(at("stop", scene.batch.pk), {"reason": "wrong list"}, follow=True)
    text = text_of(page)
    assert "9 people will never be called" in text and "1 call is live" in text
    assert "Hang up the live calls" in text
    assert AuditEvent.objects.get(event="batch.stop").reason == "wrong list"
    text = text_of(client.post(at("hang-up", scene.batch.pk), follow=True))
    assert "asked to end 1 call" in text


def test_the_portals_own_pause_shows_its_reason(scene):
    Batch.objects.filter(pk=scene.batch.pk).update(
        status="paused", pause_reason="25 carrier errors in a row (HTTP 500)"
    )
    client = sign_in(scene.people.observer)
    assert "25 carrier errors in a row (HTTP 500)" in text_of(client.get(at("detail", scene.batch.pk)))
    assert "25 carrier errors in a row" in text_of(client.get(at("list")))


def test_pause_and_resume(scene):
    client = sign_in(scene.people.manager)
    assert "Paused: nobody more is dialed" in text_of(
        client.post(at("pause", scene.batch.pk), {"reason": "lunch"}, follow=True)
    )
    text = text_of(client.get(at("detail", scene.batch.pk)))
    assert "lunch" in text and "Resume" in text
    client.post(at("resume", scene.batch.pk))
    scene.batch.refresh_from_db()
    assert scene.batch.status == "running"


def test_the_call_info_has_the_whole_history_and_no_pin(scene):
    client = sign_in(scene.people.observer)
    info = client.get(at("call", scene.batch.pk, scene.ended.pk), headers={"HX-Request": "true"})
    text = text_of(info)
    assert b"<main" not in info.content
    for words in ("Attempt 1", "Accepted by the carrier", "Answered", "Ended", "Callback", "16", "0:07"):
        assert words in text, words
    assert "1234" not in text and "•••" in text
    whole = client.get(at("call", scene.batch.pk, scene.ended.pk))
    assert b"<main" in whole.content and "1234" not in text_of(whole)


def test_an_unknown_call_is_redialed_by_a_person_with_a_reason(scene):
    client, where = sign_in(scene.people.manager), at("call", scene.batch.pk, scene.unknown.pk)
    assert "The carrier is being asked" in text_of(client.get(where)), "not while the carrier is asked"
    asked_out(scene.unknown)
    assert "Dial this person again?" in text_of(client.get(where))
    client.post(at("call-redial", scene.batch.pk, scene.unknown.pk), {"reason": " "})
    scene.unknown.refresh_from_db()
    assert scene.unknown.state == "unknown"
    client.post(at("call-redial", scene.batch.pk, scene.unknown.pk), {"reason": "the callee asked us to"})
    scene.unknown.refresh_from_db()
    assert scene.unknown.state == "pending"
    text = text_of(client.get(where))
    assert "Redialed by" in text and "the callee asked us to" in text


def test_one_call_is_canceled(scene):
    client = sign_in(scene.people.manager)
    client.post(at("call-cancel", scene.batch.pk, scene.waiting.pk), {"reason": "asked us"})
    scene.waiting.refresh_from_db()
    assert (scene.waiting.state, scene.waiting.reason) == ("canceled", "by_hand")


def test_the_filter_and_how_many_entries(scene):
    client = sign_in(scene.people.observer)
    text = text_of(client.get(at("calls", scene.batch.pk), {"state": "completed"}))
    assert "Voice" in text and text.count("Call info of") == 0
    page = client.get(at("calls", scene.batch.pk), {"show": "10"})
    assert len(page.context["page"]) == 10 and page.context["page"].after
    following = client.get(at("calls", scene.batch.pk), {"show": "10", "after": page.context["page"].after})
    assert len(following.context["page"]) == 2
    found = client.get(at("calls", scene.batch.pk), {"q": "303"})
    assert len(found.context["page"]) == 0, "a number begins with its country"
    found = client.get(at("calls", scene.batch.pk), {"q": scene.ended.number[2:]})
    assert [one.pk for one in found.context["page"]] == [scene.ended.pk], "ten digits are read as typed"
    assert "Nobody fits this filter" in text_of(client.get(at("calls", scene.batch.pk), {"q": "+44"}))


def test_export_is_a_csv_of_what_the_filter_shows(scene):
    client = sign_in(scene.people.observer)
    answer = client.get(at("export", scene.batch.pk))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 13 and lines[0].startswith("number,ani,status")
    assert any(f"{scene.ended.number},{ANI},completed,,1,answered,voice,16" in line for line in lines)
    only = b"".join(client.get(at("export", scene.batch.pk), {"state": "unknown"}).streaming_content).decode()
    assert len(only.splitlines()) == 2


def test_export_goes_over_chunks_without_losing_or_repeating(scene, monkeypatch):
    monkeypatch.setattr("outbound.pages.calls.CHUNK", 5)
    client = sign_in(scene.people.observer)
    for filters in ({}, {"state": "pending"}):
        lines = b"".join(client.get(at("export", scene.batch.pk), filters).streaming_content).decode().splitlines()[1:]
        given = [line.split(",")[0] for line in lines]
        assert len(given) == len(set(given)) == (12 if not filters else 9)


def queries(client, address, **params):
    client.get(address, params)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(address, params).status_code == 200
    return len(caught)


def test_lists_take_a_constant_number_of_queries(scene):
    client = sign_in(scene.people.observer)
    dnc = actions.do_not_call_list_create(by=None, network=scene.network, name="List 0")
    delivery(scene.batch, scene.ended)
    job_of(scene.batch, state="done")
    addresses = [
        at("list"), at("detail", scene.batch.pk), at("calls", scene.batch.pk), at("deliveries", scene.batch.pk),
        at("lists", scene.batch.pk), at("do-not-call"), at("do-not-call-list", dnc.pk), at("carriers"),
    ]  # fmt: skip
    actions.do_not_call_add(by=None, to=dnc, patterns=["+18055550111"])
    few = {address: queries(client, address) for address in addresses}
    for number in range(8):
        scene.house.batch(numbers(1, area=str(212 + number)), name=f"More {number}")
        actions.do_not_call_list_create(by=None, network=scene.network, name=f"List {number + 1}")
        actions.carrier_create(by=None, network=scene.network, kind="simulator", name=f"Carrier {number}")
        job_of(scene.batch, state="done")
    for one in Recipient.objects.filter(batch=scene.batch):
        delivery(scene.batch, one)
    actions.do_not_call_add(by=scene.people.member, to=dnc, patterns=[f"+1805555{n:04d}" for n in range(200, 240)])
    scene.house.add(scene.batch, numbers(30, area="970"))
    many = {address: queries(client, address) for address in addresses}
    assert many == few


def test_empty_pages_say_what_to_do(house):
    client = sign_in(house.people.super)
    assert "Set up the first one" in text_of(client.get(at("list")))
    assert "Nothing waits" in text_of(client.get(at("queue")))
    assert "No do-not-call list yet" in text_of(client.get(at("do-not-call")))
    batch = house.batch(numbers(1))
    assert "This batch sends no results" in text_of(client.get(at("deliveries", batch.pk)))
    Batch.objects.update(result_url="https://example.com/r")
    assert "No results yet" in text_of(client.get(at("deliveries", batch.pk)))
    empty = house.batch(started=False)
    assert "Nobody is on the list yet" in text_of(client.get(at("calls", empty.pk)))
    assert "Nobody is on the list yet" in text_of(client.get(at("review", empty.pk)))
    observer = sign_in(house.people.observer)
    assert "New batch" not in text_of(observer.get(at("list")))


BASICS = {"name": "Spring", "ani": ANI, "result_format": "json", "next": "1"}
HOURS = {f"{day}_{edge}": at for day in ("monday", "tuesday") for edge, at in (("open", "09:00"), ("closed", "17:30"))}


def test_the_wizard_from_nothing_to_a_running_batch(house):
    client = sign_in(house.people.manager)
    answer = client.post(at("new"), {**BASICS, "carrier": house.carrier.pk, "parameters": "greeting=hello\npin=99"})
    draft = Batch.objects.get()
    assert answer["Location"] == at("lists", draft.pk) and draft.parameters == {"greeting": "hello", "pin": "99"}
    # A list by hand, and on.
    client.post(at("lists", draft.pk), {"numbers": "\n".join(numbers(4)) + "\nnonsense"})
    assert BatchState.objects.get(pk=draft.pk).pending == 4
    assert client.post(at("lists", draft.pk), {"next": "1"})["Location"] == at("schedule", draft.pk)
    saved = client.post(
        at("schedule", draft.pk), {**HOURS, "catch_up": "pause", "holidays": "2026-12-25, 2027-01-01", "next": "1"}
    )
    assert saved["Location"] == at("pace", draft.pk)
    assert "09:00" in client.get(at("schedule", draft.pk)).content.decode()
    pace = {"priority": "7", "max_attempts": "3", "retry_minutes": "10", "calls_per_second": "2.5", "lines": "4",
            "count_busy": "2", "delay_busy": "5", "next": "1"}  # fmt: skip
    assert client.post(at("pace", draft.pk), pace)["Location"] == at("review", draft.pk)
    draft.refresh_from_db()
    assert draft.retries == {"busy": {"count": 2, "delay": 300}} and draft.retry_interval == 600 and draft.lines == 4
    assert draft.hours == {"monday_open": 32400, "monday_closed": 63000, "tuesday_open": 32400, "tuesday_closed": 63000}
    assert draft.holidays == ["2026-12-25", "2027-01-01"] and draft.catch_up == "pause"
    text = text_of(client.get(at("review", draft.pk)))
    assert "America/Denver" in text and "of 4 on the list" in text
    assert "99" not in client.get(at("basics", draft.pk)).content.decode().split("pin=")[1][:8]
    # Hidden secrets survive going back and saving again.
    client.post(
        at("basics", draft.pk),
        {**BASICS, "carrier": house.carrier.pk, "parameters": "greeting=hi\npin=•••", "back": "1"},
    )
    draft.refresh_from_db()
    assert draft.parameters == {"greeting": "hi", "pin": "99"} and draft.max_attempts == 3
    page = client.post(at("start", draft.pk), follow=True)
    assert "It runs." in text_of(page)
    draft.refresh_from_db()
    assert draft.status == "running"


def test_save_as_draft_keeps_and_comes_back(house):
    client = sign_in(house.people.member)
    answer = client.post(at("new"), {**BASICS, "carrier": house.carrier.pk, "draft": "1"})
    assert answer["Location"] == at("list")
    draft = Batch.objects.get()
    assert client.get(at("detail", draft.pk))["Location"] == at("basics", draft.pk)
    house.add(draft, numbers(2))
    assert client.get(at("detail", draft.pk))["Location"] == at("review", draft.pk)
    assert "the role Manager" in text_of(client.get(at("review", draft.pk))), "a member cannot start it"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ani": "+18055559999"}, "number of"),
        ({"ani": "hello"}, "is not a phone number"),
        ({"name": ""}, "required"),
        ({"result_url": "ftp://x"}, "is no address"),
        ({"result_url": "https://me:pw@example.com/"}, "would stand in logs"),
        ({"parameters": "no equals"}, "write name=value"),
    ],
)
def test_wrong_basics_write_nothing(house, values, words):
    client = sign_in(house.people.manager)
    answer = client.post(at("new"), {**BASICS, "carrier": house.carrier.pk, **values})
    assert answer.status_code == 422 and words in text_of(answer)
    assert not Batch.objects.exists()


def test_wrong_schedule_and_pace_are_said_at_their_field(house):
    client, draft = sign_in(house.people.manager), house.batch(started=False)
    answer = client.post(
        at("schedule", draft.pk), {"monday_open": "17:00", "monday_closed": "09:00", "catch_up": "continue"}
    )
    assert answer.status_code == 422 and "not after it opens" in text_of(answer)
    answer = client.post(
        at("schedule", draft.pk),
        {**HOURS, "catch_up": "continue", "starts_at": "2031-01-02T10:15", "expires_at": "2031-01-01T10:00"},
    )
    assert answer.status_code == 422 and "would expire" in text_of(answer)
    answer = client.post(at("schedule", draft.pk), {**HOURS, "catch_up": "continue", "holidays": "xmas"})
    assert answer.status_code == 422 and "is no date" in text_of(answer)
    answer = client.post(
        at("pace", draft.pk), {"priority": "11", "max_attempts": "99", "retry_minutes": "1", "count_busy": "12"}
    )
    assert answer.status_code == 422
    assert "from 1 to 10" in text_of(answer) and "0 to 9" in text_of(answer)
    draft.refresh_from_db()
    assert draft.priority == 5 and draft.retries == {}


def test_a_start_at_the_full_hour_is_moved_with_one_click(house):
    client, draft = sign_in(house.people.manager), house.batch(numbers(1), started=False)
    when = {**HOURS, "catch_up": "continue", "starts_at": "2031-03-03T10:00", "next": "1"}
    answer = client.post(at("schedule", draft.pk), when)
    assert answer["Location"].endswith("?near=1"), "said before one goes on"
    page = client.get(answer["Location"])
    assert "near the full hour" in text_of(page)
    offered = page.context["alternatives"]
    assert [moment.minute for moment in offered] == [15, 30, 45]
    client.post(at("move-start", draft.pk), {"at": offered[1].isoformat(), "next": at("schedule", draft.pk)})
    draft.refresh_from_db()
    assert draft.starts_at == offered[1]
    answer = client.post(at("schedule", draft.pk), {**when, "anyway": "1"})
    assert answer["Location"] == at("pace", draft.pk), "whoever insists goes on"
    assert client.post(at("move-start", draft.pk), {"at": "nonsense"}, follow=True).status_code == 200


def test_a_list_is_uploaded_imported_and_its_refused_rows_are_a_file(house):
    client, draft = sign_in(house.people.member), house.batch(started=False)
    text = (
        "destination,name\n"
        + "".join(f"{number},A\n" for number in numbers(30))
        + "12,B\n"
        + numbers(1)[0]
        + ",again\n"
    )
    client.post(at("lists", draft.pk), {"file": SimpleUploadedFile("people.csv", text.encode())})
    job = BatchImport.objects.get()
    assert job.state == "waiting"
    part = client.get(at("lists", draft.pk), {"part": "imports"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "Waiting" in text_of(part)
    client.post(at("import-cancel", draft.pk, job.pk))
    job.refresh_from_db()
    assert job.state == "canceled"
    part = client.get(at("lists", draft.pk), {"part": "imports"}, headers={"HX-Request": "true"})
    assert part.status_code == 286


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "No column holds the numbers"),
        (b"destination,destination\n1,2\n", "stands twice"),
    ],
)
def test_a_wrong_file_is_refused_while_its_sender_looks(house, content, words):
    client, draft = sign_in(house.people.member), house.batch(started=False)
    answer = client.post(at("lists", draft.pk), {"file": SimpleUploadedFile("x.csv", content)})
    assert answer.status_code == 422 and words in text_of(answer)
    assert not BatchImport.objects.exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(house, settings):
    settings.OUTBOUND_UPLOAD_LIMIT = 1000
    client, draft = sign_in(house.people.member), house.batch(started=False)
    answer = client.post(
        at("lists", draft.pk), {"file": SimpleUploadedFile("x.csv", b"destination\n" + b"1" * 400_000)}
    )
    assert answer.status_code == 413 and "Split it" in text_of(answer)


def test_add_calls_to_a_live_batch(scene):
    client = sign_in(scene.people.member)
    page = client.post(at("lists", scene.batch.pk), {"numbers": "+13035559900\n" + scene.ended.number}, follow=True)
    text = text_of(page)
    assert "1 added" in text and "1 refused" in text
    assert BatchState.objects.get(pk=scene.batch.pk).pending == 10


def test_the_pending_queue_says_what_waits_for_what(scene):
    client = sign_in(scene.people.manager)
    text = text_of(client.get(at("queue")))
    assert "Reminders" in text and "Stuck and unknown calls" in text
    asked_out(scene.unknown)
    text = text_of(client.get(at("queue")))
    assert "Dial again" in text and "Leave it" in text
    assert "Dial again" not in text_of(sign_in(scene.people.observer).get(at("queue")))
    Batch.objects.filter(pk=scene.batch.pk).update(status="paused", pause_reason="lunch")
    assert "lunch" in text_of(client.get(at("queue")))


def test_the_pending_queue_goes_over_pages_of_batches(house, monkeypatch):
    monkeypatch.setattr("outbound.pages.queue.MOST_BATCHES", 2)
    for number in range(5):
        house.batch(numbers(1, area=str(212 + number)), name=f"Batch {number}")
    client, seen, address = sign_in(house.people.observer), set(), at("queue")
    while address:
        page = client.get(address)
        seen |= {one.batch.name for one in page.context["waiting"]}
        after = page.context["page"].after
        address = f"{at('queue')}?after={after}" if after else None
        assert page.context["total"] == 5 and len({one.batch.pk for one in page.context["waiting"]}) <= 2
    assert seen == {f"Batch {number}" for number in range(5)}


def test_do_not_call_lists_by_hand_and_by_file(scene):
    client = sign_in(scene.people.manager)
    page = client.post(at("do-not-call"), {"name": "Never", "applies_to_all": "on"}, follow=True)
    found = DoNotCallList.objects.get()
    assert "Nobody is on this list yet" in text_of(page)
    file = SimpleUploadedFile("dnc.csv", "number;why\n(805) 555-0177;x\n+1900*;y\n".encode("utf-8-sig"))
    client.post(at("do-not-call-add", found.pk), {"patterns": "805 555 0178", "file": file, "note": "asked"})
    assert set(DoNotCallEntry.objects.values_list("pattern", flat=True)) == {"+18055550177", "+18055550178", "+1900*"}
    text = text_of(client.get(at("do-not-call-list", found.pk), {"q": "1805"}))
    assert "+18055550177" in text and "+1900*" not in text
    bad = client.post(at("do-not-call-add", found.pk), {"patterns": "+18055550179\nnope"})
    assert bad.status_code == 422 and "“nope” is neither" in text_of(bad) and DoNotCallEntry.objects.count() == 3
    client.post(at("do-not-call-remove", found.pk), {"pattern": "+1900*", "reason": ""})
    assert DoNotCallEntry.objects.count() == 3, "not without a reason"
    client.post(at("do-not-call-remove", found.pk), {"pattern": "+1900*", "reason": "a mistake"})
    assert DoNotCallEntry.objects.count() == 2
    assert AuditEvent.objects.get(event="do_not_call.remove").reason == "a mistake"
    client.post(at("do-not-call-delete", found.pk))
    assert not DoNotCallList.objects.exists()


def test_carriers_are_changed_by_super_and_never_tell_a_secret(scene):
    client = sign_in(scene.people.super)
    twilio = {"kind": "twilio", "name": "Main", "account_sid": "AC1", "auth_token": "very-secret", "is_enabled": "on"}
    client.post(at("carrier-new"), twilio)
    made = scene.network.carriers.get(name="Main")
    assert made.secret("auth_token") == "very-secret" and made.settings == {"account_sid": "AC1"}
    page = client.get(at("carrier", made.pk)).content.decode()
    assert "very-secret" not in page and "AC1" in page
    client.post(at("carrier", made.pk), {"name": "Main", "account_sid": "AC1", "lines": "7", "is_enabled": "on"})
    made.refresh_from_db()
    assert made.lines == 7 and made.secret("auth_token") == "very-secret", "left blank it stays"
    assert client.post(at("carrier-new"), {**twilio, "name": "Main"}).status_code == 422
    assert "very-secret" not in str(list(AuditEvent.objects.values_list("changes", flat=True)))


def test_results_are_replayed(scene):
    one = delivery(scene.batch, scene.ended, last_status=500, last_error="oops", tries=10)
    client = sign_in(scene.people.member)
    assert "oops" in text_of(client.get(at("deliveries", scene.batch.pk)))
    client.post(at("replay", scene.batch.pk, one.pk))
    one.refresh_from_db()
    assert one.state == "pending"
    assert "No result fits this filter" in text_of(client.get(at("deliveries", scene.batch.pk), {"state": "failed"}))
