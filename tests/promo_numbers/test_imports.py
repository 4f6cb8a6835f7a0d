"""Imports: what each row adds, refusals with line and reason, rights of the moment."""

import csv
import io

import pytest
from django.db import connection
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.actions import imports
from promo_numbers.models import PromoNumber, StockNumber

from campaigns.actions import access_grant
from portal.accounts.models import Membership
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import Conflict, NotAllowed, NotFound
from tests.factories import MembershipFactory, stock
from tests.web.calls import text_of as raw_of
from tests.web.helpers import sign_in

from .counting import assert_counted
from .importing import HEADER, done, refused, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]


def test_rows_are_added_with_everything_that_they_carry(scene):
    stock(2, area_code="213", start=500)
    job = done(start(scene, HEADER + (
        "roofing,Flyer,offline: tv,,213,,f-1,12\n"
        "plumbing,Ours,,(805) 555-0177,,mobile,,\n"
        "roofing,Any,,,,,,\n"
    )))  # fmt: skip
    assert (job.state, job.rows, job.done, job.added, job.refused) == ("done", 3, 3, 3, 0), refused(job)
    first, second, third = PromoNumber.objects.order_by("id")
    assert (first.number[:5], first.media_type, first.id_from_network) == ("+1213", "Offline: TV", "f-1")
    assert (first.custom_data, third.custom_data) == ({"store": "12"}, {})
    assert (second.number, second.promo_type, second.supplier) == ("+18055550177", "Mobile", "own")
    assert (second.campaign, third.campaign) == (scene.plumbing, scene.roofing)
    assert job.content == b"", "the file is not kept"
    assert [event.event for event in AuditEvent.objects.filter(object_type="numbers.numberimport").order_by("id")] == [
        "number_import.start", "number_import.end",
    ]  # fmt: skip
    assert AuditEvent.objects.filter(event="number.add", actor=scene.people.member).count() == 3


def test_every_refused_row_has_its_line_and_reason_and_the_others_are_added(scene):
    job = done(start(scene, HEADER + (
        "roofing,Good,,,,,,\n"
        "nowhere,Flyer,,,,,,\n"
        "roofing,,Smoke signals,,,,,\n"
        'roofing,"Two\nlines",,banana,,,,\n'
        "roofing,Cells,,,,,,1,2,3\n"
        "roofing,No stock,,,907,,,\n"
        "roofing,Good too,,,,,,\n"
    )))  # fmt: skip
    assert (job.added, job.refused, job.done) == (2, 5, 7)
    said = refused(job)
    assert said[3] == ("unknown_campaign", "There is no campaign with the own id “nowhere”.")
    assert "Say what the number is for" in said[4][1] and "Smoke signals” is not a media type" in said[4][1]
    assert said[5][0] == "invalid_phone_number"
    assert said[7][0] == "too_many_cells" and "“2”" in said[7][1]
    assert said[8][0] == "out_of_numbers" and "area code 907" in said[8][1]
    assert_counted(scene.network)


def test_a_limit_refuses_with_the_sentence_and_the_ceiling(scene):
    scene.limits(allowed=2, total=3)
    job = done(start(scene, "description,campaign\n" + "A,roofing\n" * 3 + "B,plumbing\n" * 3))
    assert (job.added, job.refused) == (3, 3)
    said = refused(job)
    assert all(reason.startswith(actions.SENTENCE) for _code, reason in said.values())
    assert {code for code, _reason in said.values()} == {"promo_number_limit_reached"}
    assert "Promo Numbers Allowed on the campaign: 2 of 2 used" in said[4][1] and "A Super User" in said[4][1]
    assert "All numbers of the network: 3 of 3 used" in said[7][1] and "Only platform staff" in said[7][1]
    assert_counted(scene.network)


def test_one_broken_row_does_not_stop_the_rest(scene):
    """Something that nobody foresaw refuses the chunk: it is gone through row by row, and only that one is refused."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE numbers_promonumber ADD CONSTRAINT no_bomb CHECK (description <> 'Bomb')")
    job = done(start(scene, "description,campaign\nA,roofing\nBomb,roofing\nB,roofing\n"))
    assert (job.added, refused(job)[3][0]) == (2, "error")
    assert PromoNumber.objects.filter(description__in="AB").count() == 2
    assert StockNumber.objects.filter(state="used").count() == 2, "what the chunk had picked at first is free again"
    assert AuditEvent.objects.filter(event="number.add").count() == 2
    assert_counted(scene.network)


def test_the_refused_file_can_be_mended_and_sent_again(scene):
    job = done(start(scene, "description,campaign,store\nFlyer,nowhere,7\n=Evil(),nowhere,8\n"))
    client = sign_in(scene.people.member)
    text = raw_of(client.get(reverse("numbers:import-refused", args=[job.pk])))
    first, second = csv.DictReader(io.StringIO(text))
    assert first == {
        "line": "2", "code": "unknown_campaign", "reason": "There is no campaign with the own id “nowhere”.",
        "description": "Flyer", "campaign": "nowhere", "store": "7",
    }  # fmt: skip
    assert second["description"] == "'=Evil()", "no cell is a formula"
    again = done(start(scene, text.replace(",nowhere,", ",roofing,")))
    assert (again.added, again.refused) == (2, 0), refused(again)
    assert PromoNumber.objects.get(description="Flyer").custom_data == {"store": "7"}


def test_who_starts_one(scene):
    holder = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    access_grant(by=None, obj=scene.roofing, to=holder, action="manage_numbers")
    text = "description,campaign\nFlyer,roofing\nSpot,plumbing\n"
    for user, error in (
        (scene.people.observer, NotAllowed),
        (scene.people.limited, NotAllowed),
        (scene.people.outsider, NotFound),
    ):
        with pytest.raises(error):
            start(scene, text, by=user)
        with pytest.raises((NotAllowed, NotFound)):
            start(scene, text, by=user, campaign=scene.roofing)
    with pytest.raises(NotAllowed):
        start(scene, "number\n+18055550100\n", by=scene.people.super, into_stock=True)
    job = done(start(scene, text, by=holder))
    assert job.added == 1 and refused(job)[3][0] == "unknown_campaign", "he may not even see the other"


def test_rights_are_those_of_the_moment_not_of_the_start(scene, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 2)
    job = start(scene, "description,campaign\n" + "A,roofing\n" * 6)
    assert imports.import_run(job.pk, seconds=0) is True
    Membership.objects.filter(user=scene.people.member).update(role=Role.OBSERVER)
    job = done(job)
    assert (job.added, job.refused) == (2, 4)
    assert {code for code, _ in refused(job).values()} == {"permission_denied"}


def test_a_closed_account_ends_it(scene):
    job = start(scene, "description,campaign\nA,roofing\n")
    scene.people.member.is_active = False
    scene.people.member.save()
    job = done(job)
    assert (job.state, job.added) == ("failed", 0) and "was closed" in job.error


def test_at_most_five_at_once(scene):
    for _ in range(5):
        start(scene, "description,campaign\nA,roofing\n")
    with pytest.raises(Conflict) as error:
        start(scene, "description,campaign\nA,roofing\n")
    assert error.value.code == "too_many_imports"
