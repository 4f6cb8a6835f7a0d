"""The Direct Promo Numbers tab: its table, adding, changing, moving, releasing."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, PromoNumber

from campaigns.actions import access_grant
from portal.audit.models import AuditEvent
from tests.factories import BundleFactory, stock
from tests.web.helpers import sign_in, text_of

from .number_forms import SENTENCE, add, at, new, who

pytestmark = pytest.mark.django_db


def test_the_tab_lists_direct_numbers_in_national_form(scene):
    number = add(
        scene.roofing, "Airport billboard", media_type="Offline: Billboard", id_from_network="bb-1",
        custom_data={"store": "12", "size": 4},
    )  # fmt: skip
    actions.dynamic_numbers_add(by=None, pool=scene.pool, count=1, wanted=actions.numbers.Wanted())
    PromoNumber.objects.filter(pk=number.pk).update(last_called_on=date(2026, 11, 3))
    page = text_of(sign_in(scene.people.observer).get(at("direct", scene.roofing.pk)))
    assert "(805) 200-0000" in page and "+1805" not in page
    for said in ("Airport billboard", "Offline: Billboard", "bb-1", "store = 12", "size = 4", "Nov 3, 2026"):
        assert said in page
    assert "RingPool Web" not in page, "a dynamic number is none of the tab's"
    assert "Promo Numbers Allowed: 10" in page and "1 of 10 used, 9 free" in page


def test_a_bundle_has_the_tab_too_and_its_campaign_pages_lead_there(scene):
    bundle = BundleFactory(advertiser=scene.advertiser)
    add(bundle, "Big one")
    client = sign_in(scene.people.member)
    assert "Big one" in text_of(client.get(at("direct", bundle.pk)))
    for name in ("detail", "caps"):
        assert at("direct", bundle.pk) in client.get(reverse(f"campaigns:{name}", args=[bundle.pk])).content.decode()


def test_it_is_searched_and_paginated_with_a_constant_number_of_statements(scene):
    scene.limits(allowed=200)
    client = sign_in(scene.people.member)
    counts = []
    for wanted in (3, 120):
        while PromoNumber.objects.filter(campaign=scene.roofing).count() < wanted:
            add(scene.roofing, f"Flyer {PromoNumber.objects.count()}")
        client.get(at("direct", scene.roofing.pk))
        with CaptureQueriesContext(connection) as said:
            response = client.get(at("direct", scene.roofing.pk))
        counts.append(len(said))
    assert counts[0] == counts[1]
    assert len(response.context["page"]) == 50
    following = client.get(at("direct", scene.roofing.pk), {"after": response.context["page"].after})
    assert not {row.pk for row in response.context["page"]} & {row.pk for row in following.context["page"]}
    found = client.get(at("direct", scene.roofing.pk), {"q": "flyer 77"}).context["page"]
    assert [row.description for row in found] == ["Flyer 77"]
    assert "No number matches" in text_of(client.get(at("direct", scene.roofing.pk), {"q": "zebra"}))


def test_released_ones_are_history(scene):
    number = add(scene.roofing)
    actions.numbers_release(by=None, numbers=[number])
    client = sign_in(scene.people.observer)
    assert len(client.get(at("direct", scene.roofing.pk)).context["page"]) == 0
    assert list(client.get(at("direct", scene.roofing.pk), {"state": "released"}).context["page"]) == [number]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("limited", 404), ("outsider", 404), ("observer", 403), ("member", 302), ("manager", 302), ("super", 302),
        ("holder", 302), ("staff", 302),
    ],
)  # fmt: skip
def test_who_adds(scene, holder, name, status):
    client = sign_in(who(scene, name, holder))
    response = client.post(at("direct-add", scene.roofing.pk), new())
    assert response.status_code == status
    assert PromoNumber.objects.count() == (status == 302)
    seen = client.get(at("direct", scene.roofing.pk))
    assert ("Add promo number" in text_of(seen)) == (status == 302)
    if status == 403:
        assert "numbers.manage_numbers" in text_of(response) or "campaigns.manage_numbers" in text_of(response)


def test_a_number_of_an_area_and_kind(scene):
    stock(3, area_code="213", locality="Los Angeles", region="CA")
    stock(3, area_code="800", kind="TollFree")
    client = sign_in(scene.people.member)
    client.post(at("direct-add", scene.roofing.pk), new(area_code="213", custom_data="store = 12\nsize = big"))
    client.post(at("direct-add", scene.roofing.pk), new(city="los angeles", state="California"))
    client.post(at("direct-add", scene.roofing.pk), new(promo_type="TollFree"))
    client.post(at("direct-add", scene.roofing.pk), new(which="own", number="(805) 200-0077", promo_type="Mobile"))
    rows = list(PromoNumber.objects.order_by("id"))
    assert [row.number[:5] for row in rows] == ["+1213", "+1213", "+1800", "+1805"]
    assert rows[0].custom_data == {"store": "12", "size": "big"}
    assert rows[3].number == "+18052000077" and rows[3].promo_type == "Mobile"


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"description": " "}, "description", ""),
        ({"media_type": "Smoke signals"}, "media_type", ""),
        ({"which": "own"}, "number", "Say which number"),
        ({"which": "own", "number": "banana"}, "number", "is not a phone number"),
        ({"area_code": "eight"}, "area_code", "is not an area code"),
        ({"custom_data": "no equals sign"}, "custom_data", "name = value"),
        ({"id_from_network": "a/b"}, "id_from_network", "no “/”"),
    ],
)
def test_bad_input_is_explained_at_its_field(scene, values, field, said):
    response = sign_in(scene.people.member).post(at("direct-add", scene.roofing.pk), new(**values))
    assert response.status_code == 422
    assert said in response.context["form"].errors[field][0]
    assert not PromoNumber.objects.exists()


def test_an_empty_stock_is_said(scene):
    response = sign_in(scene.people.member).post(at("direct-add", scene.roofing.pk), new(area_code="907"))
    assert response.status_code == 409
    assert "The stock has 0 of the 1 asked for: local number (area code 907)" in text_of(response)


def test_editing_keeps_what_was_not_touched(scene):
    number = add(scene.roofing, custom_data={"store": 12, "tags": ["a"]})
    client = sign_in(scene.people.member)
    form = client.get(at("edit", number.pk)).context["form"]
    assert form.fields["custom_data"].initial.splitlines() == ['tags = ["a"]', "store = 12"]
    data = {"description": "Poster", "media_type": "Offline: Print", "id_from_network": "p1",
            "custom_data": 'store = 13\ntags = ["a"]'}  # fmt: skip
    assert client.post(at("edit", number.pk), data).status_code == 302
    number.refresh_from_db()
    assert (number.description, number.id_from_network) == ("Poster", "p1")
    assert number.custom_data == {"store": "13", "tags": ["a"]}


@pytest.mark.parametrize(
    ("name", "status"), [("limited", 404), ("outsider", 404), ("observer", 403), ("member", 302), ("holder", 302)]
)
def test_who_edits_moves_and_releases(scene, holder, name, status):
    access_grant(by=None, obj=scene.plumbing, to=holder, action="manage_numbers")
    number = add(scene.roofing)
    client = sign_in(who(scene, name, holder))
    data = {"description": "Poster", "media_type": "Offline: Print", "id_from_network": "", "custom_data": ""}
    assert client.post(at("edit", number.pk), data).status_code == status
    assert client.post(at("move", number.pk), {"campaign": "Plumbing [plumbing]"}).status_code == status
    number.refresh_from_db()
    assert (number.campaign == scene.plumbing) == (status == 302)
    assert client.post(at("release", number.pk)).status_code == status
    number.refresh_from_db()
    assert (number.state == "released") == (status == 302)
    assert client.get(at("release", number.pk)).status_code == 405, "nothing is written by GET"


def test_a_grant_holder_moves_only_where_he_manages(scene, holder):
    number = add(scene.roofing)
    response = sign_in(holder).post(at("move", number.pk), {"campaign": "Plumbing [plumbing]"})
    assert response.status_code == 422 and "is not a campaign that you can see" in text_of(response)
    assert sign_in(holder).get(at("suggest-campaigns")).json() == ["Roofing [roofing]"]


def test_a_move_into_a_full_campaign_is_refused_whole(scene):
    numbers = [add(scene.roofing) for _ in range(3)]
    CampaignNumbers.objects.filter(pk=scene.plumbing.pk).update(allowed=2)
    data = {"do": "move", "number": [number.pk for number in numbers]}
    client = sign_in(scene.people.member)
    asked = client.post(at("chosen"), data)
    assert asked.status_code == 200 and "3 numbers" in text_of(asked)
    response = client.post(at("chosen"), data | {"sure": "1", "campaign": "Plumbing [plumbing]"})
    assert SENTENCE in response.content.decode() and "3 more asked for" in text_of(response)
    assert not PromoNumber.objects.filter(campaign=scene.plumbing).exists()
    CampaignNumbers.objects.filter(pk=scene.plumbing.pk).update(allowed=3)
    assert client.post(at("chosen"), data | {"sure": "1", "campaign": "Plumbing [plumbing]"}).status_code == 302
    assert PromoNumber.objects.filter(campaign=scene.plumbing).count() == 3


def test_chosen_rows_are_released_after_asking(scene):
    numbers = [add(scene.roofing) for _ in range(3)]
    data = {"do": "release", "number": [number.pk for number in numbers[:2]]}
    client = sign_in(scene.people.member)
    assert "Release 2 numbers?" in text_of(client.post(at("chosen"), data))
    assert PromoNumber.objects.filter(state="released").count() == 0
    client.post(at("chosen"), data | {"sure": "1", "reason": "Campaign over"})
    assert PromoNumber.objects.filter(state="released").count() == 2
    assert AuditEvent.objects.get(event="number.release").reason == "Campaign over"
    assert "Tick the numbers first" in text_of(client.post(at("chosen"), {"do": "release"}, follow=True))


def test_nobody_chooses_what_he_may_not_manage(scene, holder):
    theirs = add(scene.plumbing)
    response = sign_in(holder).post(at("chosen"), {"do": "release", "number": [theirs.pk], "sure": "1"}, follow=True)
    assert "Tick the numbers first" in text_of(response)
    refused = sign_in(scene.people.observer).post(at("chosen"), {"do": "release", "number": [theirs.pk], "sure": "1"})
    assert "manage_numbers" in text_of(refused)
    theirs.refresh_from_db()
    assert theirs.state == "active"
