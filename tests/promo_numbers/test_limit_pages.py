"""Limits on the pages: the refusals, Promo Numbers Allowed with its pencil, the page of all limits."""

import re
from datetime import date, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, Contract, NetworkNumbers, PromoNumber

from portal.audit.models import AuditEvent
from portal.notices.models import Notice
from tests.factories import CampaignFactory
from tests.web.helpers import sign_in, text_of

from .number_forms import SENTENCE, add, at, new, who

pytestmark = pytest.mark.django_db


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
