"""The batch page and its calls: watched, stopped, paused, one call with its history, filters, export."""

import pytest

from outbound.models import Batch, CarrierState
from portal.audit.models import AuditEvent
from tests.web.helpers import sign_in, text_of

from .conftest import ANI, asked_out, at

pytestmark = pytest.mark.django_db


def test_the_batch_page_shows_the_live_and_the_latest(scene):
    client = sign_in(scene.people.observer)
    text = text_of(client.get(at("detail", scene.batch.pk)))
    assert "Running" in text and "1 of 12" in text and "Connected" in text and "Voice" in text
    assert "Stop this batch" not in text, "an observer has no buttons"
    part = client.get(at("detail", scene.batch.pk), {"part": "now", "was": "running"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "HX-Refresh" not in part.headers and b"<main" not in part.content


def test_it_says_that_its_carrier_is_slowed_and_why(scene):
    client = sign_in(scene.people.observer)
    assert "slowed" not in text_of(client.get(at("detail", scene.batch.pk)))
    CarrierState.objects.filter(pk=scene.batch.carrier_id).update(slowed=2, last_error="HTTP 503")
    text = text_of(client.get(at("detail", scene.batch.pk)))
    assert "The carrier is slowed" in text and "fails (HTTP 503)" in text


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


def test_somebody_is_never_called_again(scene):
    client, where = sign_in(scene.people.manager), at("call", scene.batch.pk, scene.waiting.pk)
    assert "no batch of this network dials it any more" in text_of(client.get(where))
    answer = client.post(at("call-opt-out", scene.batch.pk, scene.waiting.pk), {"reason": "wrote to us"}, follow=True)
    text = text_of(answer)
    assert "is on the list of opt-outs now" in text and "Opted out, noted by" in text and "wrote to us" in text
    assert "Never call this person again?" not in text
    scene.waiting.refresh_from_db()
    assert (scene.waiting.state, scene.waiting.reason) == ("suppressed", "opted_out")
    observer = text_of(sign_in(scene.people.observer).get(where))
    assert "Never call" not in observer and "Opted out" in observer


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
