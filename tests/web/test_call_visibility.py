"""Who sees which calls, and what of them: what must be visible and what must be hidden."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import actions
from campaigns.models import Call
from campaigns.queries import calls as call_queries
from portal.accounts.roles import Role
from tests.factories import MembershipFactory

from .calls import CALLER, PROMO, call_at, client_of, listed, place, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_whoever_sees_one_destination_sees_his_legs_and_nothing_of_the_others(scene, south_holder):
    client = client_of(south_holder)
    assert listed(south_holder) == [scene.second.call_id]
    text = text_of(client.get(reverse("calls:list")))
    assert "South Desk" in text and "(212) 555-0188" in text
    for hidden in ("North Desk", "Grand Bundle", "Overflow Desk", "(303) 555-0123", "(805) 555-0199", PROMO):
        assert hidden not in text

    assert client.get(call_at(scene.first)).status_code == 404
    response = client.get(call_at(scene.second))
    text = text_of(response)
    assert "South Desk" in text and "(212) 555-0188" in text
    for hidden in ("North Desk", "Grand Bundle", "Overflow Desk", "Concurrent call cap", "Copy as JSON", "1/1"):
        assert hidden not in text
    assert response.context["trace"] is None and response.context["decision"] is None

    text = text_of(client.get(reverse("calls:live")))
    assert "South Desk" in text and "(212) 555-0188" in text
    for hidden in ("North Desk", "Grand Bundle", "(303) 555-0123"):
        assert hidden not in text


def test_a_filter_does_not_tell_what_the_list_hides(scene, south_holder):
    third = place(scene.bundle, caller="+12125550177", promo_number=PROMO)
    assert third.destination_id == scene.south.pk
    assert listed(south_holder) == [third.call_id, scene.second.call_id]
    assert listed(south_holder, promo_number=PROMO) == [], "which number was called stays hidden, whatever one asks"
    assert listed(south_holder, caller=CALLER) == []
    assert listed(south_holder, caller="+12125550177") == [third.call_id]
    client = client_of(south_holder)
    for query in ({"campaign": scene.bundle.pk}, {"campaign": "Grand Bundle"}, {"destination": scene.north.pk}):
        response = client.get(reverse("calls:list"), query)
        assert response.context["page"] is None
        assert "that you may see" in text_of(response)
    assert client.get(reverse("calls:live"), {"bundle": scene.bundle.pk}).context.get("rows") is None


def test_the_export_hides_what_the_list_hides(scene, south_holder):
    third = place(scene.bundle, promo_number=PROMO, external_id="sip-secret")
    rows = list(csv.DictReader(io.StringIO(text_of(client_of(south_holder).get(reverse("calls:export"))))))
    assert [row["transaction_id"] for row in rows] == [
        Call(pk=pk).transaction_id for pk in (third.call_id, scene.second.call_id)
    ]
    assert {(row["campaign_called"], row["promo_number"], row["external_id"]) for row in rows} == {("", "", "")}
    assert {row["destination"] for row in rows} == {"South Desk"}


def test_whoever_sees_the_bundle_sees_its_calls_whole(scene, bundle_holder):
    elsewhere = actions.call_route(by=None, network=scene.network, campaign=scene.south.pk, caller="+14155550111")
    assert listed(bundle_holder) == [scene.second.call_id, scene.first.call_id]
    client = client_of(bundle_holder)
    text = text_of(client.get(call_at(scene.second)))
    assert "Concurrent call cap reached: 1/1 live" in text and "North Desk" in text
    assert reverse("campaigns:detail", args=[scene.north.pk]) not in text, "named, but its page is not his"
    assert client.get(call_at(elsewhere)).status_code == 404
    assert "Release" not in text


def test_a_grant_on_an_advertiser_shows_the_calls_of_all_its_campaigns(scene):
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=scene.north.advertiser, to=user, action="view")
    # The bundle belongs to the same advertiser as North, South does not: the call is his by the bundle called.
    assert listed(user) == [scene.second.call_id, scene.first.call_id]


def test_other_networks_and_nobody_see_nothing(scene, personas):
    assert listed(personas.outsider) == []
    assert client_of(personas.outsider).get(call_at(scene.first)).status_code == 404
    assert listed(personas.limited) == []
    assert client_of(personas.limited).get(call_at(scene.first)).status_code == 404
    assert client_of(personas.staff).get(call_at(scene.first)).status_code == 200
    for name in ("calls:list", "calls:live", "calls:simulate", "calls:export"):
        response = Client().get(reverse(name))
        assert response.status_code == 302 and "/accounts/login/" in response["Location"]


@pytest.mark.parametrize(
    "bad", ["0", "banana", "FFFFFFFF-FFFFFFFF", "7FFFFFFF-FFFFFFFF", "00000000-0000000G", "00000000-000000000"]
)
def test_a_call_that_does_not_exist_is_404(scene, personas, bad):
    assert client_of(personas.observer).get(f"/calls/{bad}/").status_code == 404


@pytest.mark.parametrize("few", [50, 0])
def test_a_holder_of_many_grants_sees_the_same_as_a_holder_of_few(scene, south_holder, monkeypatch, few):
    monkeypatch.setattr(call_queries, "FEW", few)
    direct = actions.call_route(by=None, network=scene.network, campaign=scene.south.pk, caller=CALLER)
    assert listed(south_holder) == [direct.call_id, scene.second.call_id]
    assert listed(south_holder, after=str(direct.call_id)) == [scene.second.call_id]
    assert listed(south_holder, outcome="direct") == [direct.call_id]
