"""The network's list of promo numbers, its export, and the way there."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from promo_numbers import actions
from promo_numbers.models import PromoNumber

from tests.factories import CampaignFactory, NetworkFactory
from tests.web.calls import text_of as raw_of
from tests.web.helpers import sign_in

from .number_forms import add, at

pytestmark = pytest.mark.django_db


def test_the_list_is_filtered(scene):
    add(scene.roofing, "Flyer", media_type="Offline: Print")
    add(scene.plumbing, "Spot", media_type="Offline: TV")
    gone = add(scene.plumbing, "Gone")
    actions.numbers_release(by=None, numbers=[gone])
    actions.dynamic_numbers_add(by=None, pool=scene.pool, count=1, wanted=actions.numbers.Wanted())
    client = sign_in(scene.people.observer)

    def found(**query):
        return sorted(row.description for row in client.get(at("list", **query)).context["page"])

    assert found() == ["Flyer", "RingPool Web", "Spot"]
    assert found(kind="static") == ["Flyer", "Spot"] and found(kind="dynamic") == ["RingPool Web"]
    assert found(campaign=scene.plumbing.pk) == ["Spot"] and found(state="released") == ["Gone"]
    assert found(media_type="Offline: TV") == ["Spot"] and found(q="plumb") == ["Spot"]
    assert found(q="nonsense words") == [] and found(kind="nonsense") == found()


def test_the_list_and_its_export_show_what_one_may_see(scene, holder):
    mine, theirs = add(scene.roofing, "Mine"), add(scene.plumbing, "Theirs", custom_data={"a": "=1+1"})
    other = CampaignFactory(advertiser__network=NetworkFactory(), name="Elsewhere")
    add(other, "Another network")
    for user, seen in ((holder, {"Mine"}), (scene.people.observer, {"Mine", "Theirs"}), (scene.people.limited, set())):
        client = sign_in(user)
        assert {row.description for row in client.get(at("list")).context["page"]} == seen
        lines = list(csv.DictReader(io.StringIO(raw_of(client.get(at("export"))))))
        assert {line["description"] for line in lines} == seen
    assert {mine.number, theirs.number} == {
        line["number"] for line in csv.DictReader(io.StringIO(raw_of(sign_in(scene.people.observer).get(at("export")))))
    }
    (line,) = csv.DictReader(io.StringIO(raw_of(sign_in(scene.people.observer).get(at("export", q="theirs")))))
    assert line["custom_data"] == '{"a": "=1+1"}' and line["campaign"] == "plumbing"


def test_the_export_goes_over_chunks(scene, monkeypatch):
    from promo_numbers.pages import exports

    for _ in range(7):
        add(scene.roofing)
    monkeypatch.setattr(exports, "CHUNK", 3)
    lines = raw_of(sign_in(scene.people.observer).get(at("export"))).splitlines()
    assert len(lines) == 8 == len(set(lines))
    monkeypatch.setattr(exports, "MAX_ROWS", 3)
    assert "Stopped after 3 numbers" in raw_of(sign_in(scene.people.observer).get(at("export"))).splitlines()[-1]


def test_the_list_takes_a_constant_number_of_statements(scene):
    client, counts = sign_in(scene.people.member), []
    scene.limits(allowed=100)
    for wanted in (2, 60):
        while PromoNumber.objects.count() < wanted:
            add((scene.roofing, scene.plumbing)[wanted % 2])
        client.get(at("list"))
        with CaptureQueriesContext(connection) as said:
            client.get(at("list"))
        counts.append(len(said))
    assert counts[0] == counts[1]


def test_the_sidebar_leads_there(scene):
    assert f'href="{at("list")}"' in sign_in(scene.people.observer).get("/campaigns/").content.decode()


def test_nobody_sees_pages_without_signing_in(scene, client):
    for name, args in (("direct", [scene.roofing.pk]), ("list", []), ("limits", []), ("imports", []), ("export", [])):
        response = client.get(at(name, *args))
        assert response.status_code == 302 and "login" in response["Location"]
