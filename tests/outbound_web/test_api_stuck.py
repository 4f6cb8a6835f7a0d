"""Stuck and unknown calls over the API: the same list, rights and evidence as on the page, and what can be done with them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import actions as campaign_actions
from outbound import actions
from outbound.models import Attempt, Batch, Recipient
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from tests.api.conftest import codes
from tests.factories import BundleFactory, MembershipFactory, PromoNumberFactory
from tests.web.helpers import sign_in, text_of

from .conftest import apply, asked_out, at, numbers
from .test_api_people import pages

pytestmark = pytest.mark.django_db

LIST = "stuck_calls.json"


def lost(house, batch, count):
    """So many calls of a batch that the carrier has no record of, oldest first."""
    calls = actions.calls_claim(worker="w", limit=count)
    assert {call.batch for call in calls} == {batch.pk} and len(calls) == count
    for call in calls:
        apply(house, call, "lost")
        asked_out(Recipient.objects.get(pk=call.recipient))
    return calls


def test_each_stuck_call_comes_with_its_evidence(scene, as_):
    (row,) = as_(scene.people.observer).get(LIST).json()["results"]
    assert (row["kind"], row["recipient"], row["batch"]) == ("asked", scene.unknown.pk, scene.batch.pk)
    assert (row["phone_number"], row["batch_name"], row["status"]) == (scene.unknown.number, "Reminders", "unknown")
    assert [one["kind"] for one in row["events"]] == ["lost"] and row["ask_at"] and row["can"] == []
    asked_out(scene.unknown)
    (row,) = as_(scene.people.manager).get(LIST).json()["results"]
    assert (row["kind"], row["ask_at"], row["can"]) == ("no_record", None, ["redial", "cancel"])
    (page,) = sign_in(scene.people.manager).get(at("stuck")).context["stuck"]
    assert row["known"] == page.words and row["id"] == str(page.attempt.pk)


def test_rights_are_those_of_the_page(scene, as_):
    """Whoever sees a batch sees its stuck calls, whoever may not operate it can do nothing with them, others see none."""
    asked_out(scene.unknown)
    granted, other = (MembershipFactory(network=scene.network, role=Role.LIMITED).user for _ in range(2))
    campaign_actions.access_grant(by=None, obj=scene.house.campaign, to=granted, action="operate")
    foreign = BundleFactory(advertiser__network=scene.network, network=scene.network)
    PromoNumberFactory(campaign=foreign, network=scene.network, number="+18055550199")
    campaign_actions.access_grant(by=None, obj=foreign, to=other, action="operate")
    may = ["redial", "cancel"]
    people = scene.people
    for user, expected in (
        (people.observer, [[]]), (people.member, [[]]), (people.manager, [may]), (people.staff, [may]), (granted, [may]),
        (other, []), (people.limited, []),
    ):  # fmt: skip
        rows = as_(user).get(LIST).json()["results"]
        assert [row["can"] for row in rows] == expected, user
        assert len(sign_in(user).get(at("stuck")).context["page"]) == len(expected), user
    assert as_(people.outsider).get(LIST).status_code == 404
    assert as_(people.manager).old().get(LIST).status_code == 404
    assert as_(people.manager).post(LIST).status_code == 405


def test_filters_and_cursors_over_calls_of_the_same_moment(scene, as_):
    api = as_(scene.people.manager)
    Batch.objects.filter(pk=scene.batch.pk).update(status="paused")
    other = scene.house.batch(numbers(9, area="720"), name="Other")
    calls = lost(scene.house, other, 7)
    assert Attempt.objects.filter(batch=other).values("claimed_at").distinct().count() == 1
    rows, count = pages(api, f"{LIST}?page_size=3")
    assert count == 3 and len({row["id"] for row in rows}) == 8
    assert rows[0]["recipient"] == scene.unknown.pk, "oldest first"
    assert {row["id"] for row in pages(api, f"{LIST}?batch={other.pk}&page_size=5")[0]} == {
        str(c.attempt) for c in calls
    }
    assert [row["recipient"] for row in pages(api, f"{LIST}?kind=asked")[0]] == [scene.unknown.pk]
    assert len(pages(api, f"{LIST}?kind=no_record")[0]) == 7
    assert api.get(f"{LIST}?batch=999999").json()["results"] == []
    assert api.get(f"{LIST}?kind=sleepy").status_code == 422
    assert codes(api.get(f"{LIST}?cursor=nonsense")) == [("invalid_cursor", "cursor")]
    # Who leaves the list while it is read takes nobody else with him.
    first = api.get(f"{LIST}?batch={other.pk}&page_size=3").json()
    for row in first["results"]:
        answer = api.post(f"batches/{other.pk}/recipients/{row['recipient']}/cancel.json", {"reason": "seen"})
        assert answer.json()["status"] == "canceled"
    rest, _ = pages(api, "/" + first["next"].split("/", 3)[3])
    assert len(rest) == 4 and not {row["id"] for row in rest} & {row["id"] for row in first["results"]}
    foreign = api.get("batches.json?page_size=1").json()["next"].partition("cursor=")[2].partition("&")[0]
    assert codes(api.get(f"{LIST}?cursor={foreign}")) == [("invalid_cursor", "cursor")]


def test_what_can_be_done_is_done_with_the_same_checks(scene, as_):
    """The evidence first: as long as the carrier is asked nobody redials, and whoever does says why."""
    api = as_(scene.people.manager)
    (row,) = api.get(LIST).json()["results"]
    where = f"batches/{row['batch']}/recipients/{row['recipient']}"
    assert row["can"] == [] and codes(api.post(f"{where}/redial.json", {"reason": "x"})) == [("still_asking", None)]
    asked_out(scene.unknown)
    assert as_(scene.people.member).post(f"{where}/redial.json", {"reason": "x"}).status_code == 403
    assert as_(scene.people.member).post(f"{where}/cancel.json").status_code == 403
    assert as_(scene.people.limited).post(f"{where}/redial.json", {"reason": "x"}).status_code == 404
    assert codes(api.post(f"{where}/redial.json", {"reason": " "})) == [("blank", "reason")]
    assert Recipient.objects.get(pk=scene.unknown.pk).state == "unknown"
    assert api.post(f"{where}/redial.json", {"reason": "he asked us"}).json()["status"] == "pending"
    assert AuditEvent.objects.get(event="recipient.redial").reason == "he asked us"
    assert api.get(LIST).json()["results"] == []
    assert codes(api.post(f"{where}/redial.json", {"reason": "again"})) == [("not_unknown", None)]


@pytest.mark.parametrize("status", ["stopping", "stopped", "expired"])
def test_where_the_batch_has_ended_nothing_is_offered_that_would_be_refused(scene, as_, status):
    asked_out(scene.unknown)
    for step in ("stopping", "stopped") if status == "stopped" else (status,):
        Batch.objects.filter(pk=scene.batch.pk).update(status=step)
    api = as_(scene.people.manager)
    (row,) = api.get(LIST).json()["results"]
    assert row["can"] == ["cancel"] and "new batch" in row["known"]
    text = text_of(sign_in(scene.people.manager).get(at("stuck")))
    assert "Dial again" not in text and "Leave it" in text
    where = f"batches/{scene.batch.pk}/recipients/{scene.unknown.pk}"
    assert codes(api.post(f"{where}/redial.json", {"reason": "x"})) == [("batch_finished", None)]
    assert api.post(f"{where}/cancel.json").json()["status"] == "canceled"


def test_it_takes_as_many_queries_for_many_as_for_one(scene, as_):
    api = as_(scene.people.manager)
    asked_out(scene.unknown)

    def count():
        api.get(LIST)
        with CaptureQueriesContext(connection) as caught:
            assert api.get(LIST).status_code == 200
        return len(caught)

    one = count()
    Batch.objects.filter(pk=scene.batch.pk).update(status="paused")
    for number in range(3):
        lost(scene.house, scene.house.batch(numbers(4, area=str(212 + number)), name=f"More {number}"), 4)
    assert len(api.get(LIST).json()["results"]) == 13 and count() == one
