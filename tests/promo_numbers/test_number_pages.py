"""The Direct Promo Numbers tab, the network's list, and the limits: what each shows, to whom, and every refusal."""

import csv
import io
import re
from datetime import date, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, Contract, NetworkNumbers, PromoNumber

from campaigns.actions import access_grant
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.notices.models import Notice
from tests.factories import BundleFactory, CampaignFactory, MembershipFactory, NetworkFactory, stock
from tests.web.calls import text_of as raw_of
from tests.web.helpers import sign_in, text_of

pytestmark = pytest.mark.django_db

SENTENCE = "You&#x27;ve reached your promo number limit. To add a number you must increase your promo number limit."


def at(name, *args, **query):
    return reverse(f"numbers:{name}", args=args, query=query or None)


def add(campaign, description="Flyer", **values):
    return actions.number_add(by=None, campaign=campaign, description=description, **values)


def new(**values):
    """What the browser sends for a new number, changed by `values`."""
    return {
        "description": "Flyer", "media_type": "Offline: Print", "which": "any", "promo_type": "Local", "area_code": "",
        "city": "", "state": "", "number": "", "id_from_network": "", "custom_data": "", **values,
    }  # fmt: skip


@pytest.fixture
def holder(scene):
    """A member of the network who holds nothing but `manage_numbers` on Roofing."""
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    access_grant(by=None, obj=scene.roofing, to=user, action="manage_numbers")
    return user


def who(scene, name, holder):
    return holder if name == "holder" else getattr(scene.people, name)


# The tab.


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


# Adding.


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


# The three refusals.


def _refused(client, campaign):
    response = client.post(at("direct-add", campaign.pk), new())
    assert response.status_code == 409
    body = response.content.decode()
    assert SENTENCE in body
    return body


@pytest.mark.parametrize(
    ("name", "leads_to"), [("member", "request-new"), ("holder", "request-new"), ("super", "limit"), ("staff", "limit")]
)
def test_the_campaign_limit_refuses_with_figures_and_the_way_out(scene, holder, name, leads_to):
    scene.limits(allowed=1)
    add(scene.roofing)
    client = sign_in(who(scene, name, holder))
    body = _refused(client, scene.roofing)
    assert "Promo Numbers Allowed on the campaign: 1 of 1 used" in body
    assert "A Super User of the network raises it" in body
    where = at("limit", scene.roofing.pk) if leads_to == "limit" else at("request-new")
    assert re.search(rf'href="{re.escape(where)}', body)
    if leads_to == "request-new":
        assert f"ceiling=campaign&amp;campaign={scene.roofing.pk}" in body
    assert SENTENCE in client.get(at("direct", scene.roofing.pk)).content.decode(), "it is said before the click, too"
    assert PromoNumber.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "leads_to"), [("member", "request-new"), ("super", "request-new"), ("staff", "limits-edit")]
)
def test_the_network_total_refuses(scene, holder, name, leads_to):
    scene.limits(total=1)
    add(scene.roofing)
    body = _refused(sign_in(getattr(scene.people, name)), scene.plumbing)
    assert "All numbers of the network: 1 of 1 used" in body and "Only platform staff raise it" in body
    assert f'href="{at(leads_to)}' in body
    assert "Promo Numbers Allowed on the campaign:" not in body, "a ceiling with room is not in the way"


def test_without_the_requests_page_the_button_is_not_there(scene, monkeypatch):
    from promo_numbers.pages import ceilings

    scene.limits(total=0)
    monkeypatch.setattr(ceilings, "link", lambda name, *args, **query: "")
    assert "Ask for more" not in _refused(sign_in(scene.people.member), scene.roofing)


# Changing, moving, releasing.


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


# Promo Numbers Allowed.


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("limited", 404), ("outsider", 404), ("observer", 403), ("member", 403), ("manager", 403), ("holder", 403),
        ("super", 302), ("staff", 302),
    ],
)  # fmt: skip
def test_the_pencil_is_for_super_users_alone(scene, holder, name, status):
    client = sign_in(who(scene, name, holder))
    seen = client.get(at("direct", scene.roofing.pk))
    if status != 404:
        body = seen.content.decode()
        assert (at("limit", scene.roofing.pk) in body) == (status == 302)
        assert ("A Super User of the network raises it" in body) == (status != 302)
    response = client.post(at("limit", scene.roofing.pk), {"allowed": "12", "reason": "Spring"})
    assert response.status_code == status
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == (12 if status == 302 else 10)


def test_a_raise_is_audited_and_the_csm_is_told(scene):
    sign_in(scene.people.super).post(at("limit", scene.roofing.pk), {"allowed": "12", "reason": "Spring"})
    event = AuditEvent.objects.get(event="number_limit.campaign")
    assert (event.actor, event.reason, event.changes) == (scene.people.super, "Spring", {"allowed": [10, 12]})
    assert "raised it from 10 to 12" in Notice.objects.get(user=scene.people.staff).body
    page = text_of(sign_in(scene.people.super).get(at("limit", scene.roofing.pk)))
    assert "allowed 10 → 12" in page and "Spring" in page


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"allowed": "2", "reason": "Less"}, "allowed", "3 numbers are in use; the limit of this campaign cannot be 2"),
        ({"allowed": "20", "reason": " "}, "reason", "Say why"),
        ({"allowed": "-1", "reason": "x"}, "allowed", "whole number from 0"),
        ({"allowed": "many", "reason": "x"}, "allowed", "whole number"),
        ({"allowed": "99999999999", "reason": "x"}, "allowed", "whole number"),
    ],
)
def test_a_wrong_limit_is_refused(scene, values, field, said):
    for _ in range(3):
        add(scene.roofing)
    response = sign_in(scene.people.super).post(at("limit", scene.roofing.pk), values)
    assert response.status_code == 422
    assert said in response.context["form"].errors[field][0]
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 10


def test_a_large_raise_is_confirmed_with_its_figures_in_sight(scene):
    today = date.today()
    Contract.objects.create(
        network=scene.network, starts_on=today, ends_on=today + timedelta(days=364), numbers=1200, overage_price="0.85"
    )
    client = sign_in(scene.people.super)
    response = client.post(at("limit", scene.roofing.pk), {"allowed": "800", "reason": "Big"})
    page = text_of(response)
    assert "This is a large raise" in page and "That is 790 more" in page and "Raise it all the same" in page
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 10
    other = client.post(at("limit", scene.roofing.pk), {"allowed": "900", "reason": "Big", "confirmed": "800"})
    assert "That is 890 more" in text_of(other), "what was confirmed was another figure"
    assert (
        client.post(at("limit", scene.roofing.pk), {"allowed": "800", "reason": "Big", "confirmed": "800"}).status_code
        == 302
    )
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 800


# The network's list.


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


# The limits page.


def test_the_limits_page_shows_use_and_history(scene):
    scene.limits(total=50, dynamic=5)
    add(scene.roofing)
    actions.dynamic_numbers_add(by=None, pool=scene.pool, count=2, wanted=actions.numbers.Wanted())
    actions.network_limits_set(by=scene.people.staff, network=scene.network, reason="Asked for", total=60)
    page = text_of(sign_in(scene.people.observer).get(at("limits")))
    assert "3 of 60" in page and "2 of 5" in page and "57 free" in page
    assert "total limit 50 → 60" in page and "Asked for" in page
    assert "Set limits" not in page and "Set limits" in text_of(_staff(scene).get(at("limits")))


def _staff(scene):
    client = sign_in(scene.people.staff)
    session = client.session
    session["network"] = scene.network.pk
    session.save()
    client.post("/networks/switch/", {"network": scene.network.pk, "next": "/"})
    return client


def test_the_campaigns_of_the_limits_page(scene):
    CampaignNumbers.objects.filter(pk=scene.roofing.pk).update(allowed=1)
    add(scene.roofing)
    client = sign_in(scene.people.observer)
    assert {row.name for row in client.get(at("limits")).context["page"]} == {"Roofing", "Plumbing"}
    assert [row.name for row in client.get(at("limits"), {"full": "1"}).context["page"]] == ["Roofing"]
    assert [row.name for row in client.get(at("limits"), {"q": "plumb"}).context["page"]] == ["Plumbing"]
    client.get(at("limits"))
    ContentType.objects.clear_cache()
    with CaptureQueriesContext(connection) as few:
        client.get(at("limits"))
    for _ in range(30):
        CampaignFactory(advertiser=scene.advertiser)
    ContentType.objects.clear_cache()
    with CaptureQueriesContext(connection) as many:
        client.get(at("limits"))
    assert len(few) == len(many)


@pytest.mark.parametrize(
    ("name", "status"), [("limited", 404), ("observer", 403), ("manager", 403), ("super", 403), ("staff", 302)]
)
def test_network_limits_are_platform_staffs(scene, name, status):
    client = _staff(scene) if name == "staff" else sign_in(getattr(scene.people, name))
    response = client.post(at("limits-edit"), {"total": "70", "dynamic": "", "campaign_default": "4", "reason": "Deal"})
    assert response.status_code == status
    row = NetworkNumbers.objects.get(pk=scene.network.pk)
    assert (row.total_limit, row.dynamic_limit, row.campaign_default) == (
        (70, None, 4) if status == 302 else (None, None, 10)
    )
    if status == 403:
        assert "Only platform staff" in text_of(response)


def test_a_network_limit_below_use_is_refused(scene):
    add(scene.roofing), add(scene.roofing)
    response = _staff(scene).post(at("limits-edit"), {"total": "1", "dynamic": "", "campaign_default": "4"})
    assert response.status_code == 422 and "2 numbers are in use" in response.context["form"].errors["total"][0]


def test_nobody_sees_pages_without_signing_in(scene, client):
    for name, args in (("direct", [scene.roofing.pk]), ("list", []), ("limits", []), ("imports", []), ("export", [])):
        response = client.get(at(name, *args))
        assert response.status_code == 302 and "login" in response["Location"]
