"""The wizard: from nothing to a running batch, drafts, wrong input, the start near the full hour."""

import pytest

from outbound.models import Batch, BatchState
from tests.web.helpers import sign_in, text_of

from .conftest import ANI, at, numbers

pytestmark = pytest.mark.django_db


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
