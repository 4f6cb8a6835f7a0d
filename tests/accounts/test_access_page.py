"""The Access pages of campaigns and advertisers."""

import pytest
from django.urls import reverse

from campaigns.actions import access_grant
from portal.accounts import access
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from tests import factories


@pytest.fixture
def campaign(network):
    return factories.CampaignFactory(advertiser__network=network)


@pytest.fixture(params=["campaign", "advertiser"])
def obj(request, campaign):
    return campaign if request.param == "campaign" else campaign.advertiser


def url(obj) -> str:
    name = "campaigns:access" if hasattr(obj, "advertiser") else "campaigns:advertiser-access"
    return reverse(name, args=[obj.pk])


def test_who_sees_it_and_who_changes(obj, personas, client):
    post = {"to": f"member:{personas.limited.pk}", "permission": "view", "do": "grant"}
    expected = {
        "limited": (404, 404), "outsider": (404, 404), "observer": (200, 403), "member": (200, 403), "manager": (200, 403),
        "super": (200, 302), "staff": (200, 302),
    }  # fmt: skip
    for persona, (sees, grants) in expected.items():
        client.force_login(getattr(personas, persona))
        assert client.get(url(obj)).status_code == sees, persona
        assert client.post(url(obj), post).status_code == grants, persona
        if grants != 302:
            assert not AuditEvent.objects.exists(), persona
    assert access.may(personas.limited, "view", obj)
    client.logout()
    assert client.get(url(obj)).status_code == 302 and "/accounts/login/" in client.get(url(obj))["Location"]


def test_grant_and_take_away(obj, personas, client):
    client.force_login(personas.super)
    to = f"member:{personas.limited.pk}"
    client.post(url(obj), {"to": to, "permission": "change_budget_caps", "do": "grant"})
    assert access.may(personas.limited, "change_budget_caps", obj)
    page = client.get(url(obj)).content.decode()
    assert "Granted here" in page and "Take away" in page
    client.post(url(obj), {"to": to, "permission": "change_budget_caps", "do": "revoke"})
    assert not access.may(personas.limited, "change_budget_caps", obj)
    assert list(AuditEvent.objects.order_by("id").values_list("event", flat=True)) == ["access.grant", "access.revoke"]


def test_groups(obj, personas, client):
    group = factories.GroupFactory(network=obj.network, label="Agency")
    personas.limited.groups.add(group)
    client.force_login(personas.super)
    client.post(url(obj), {"to": f"group:{group.pk}", "permission": "operate", "do": "grant"})
    assert access.may(personas.limited, "operate", obj)
    assert "Agency" in client.get(url(obj), {"show": "groups"}).content.decode()
    assert "Group “Agency”, granted here" in client.get(url(obj)).content.decode()


def test_a_holder_of_manage_access_gives_only_what_he_holds(obj, personas, client):
    access_grant(by=None, obj=obj, to=personas.limited, action="manage_access")
    client.force_login(personas.limited)
    page = client.get(url(obj)).content.decode()
    assert "Grant “View”" in page or "Grant “Manage access”" in page
    assert "Grant “Budget and call caps”" not in page
    post = {"to": f"member:{personas.observer.pk}", "do": "grant"}
    assert client.post(url(obj), {**post, "permission": "manage_access"}).status_code == 302
    answer = client.post(url(obj), {**post, "permission": "change_budget_caps"})
    assert answer.status_code == 403 and "campaigns.change_budget_caps" in answer.content.decode()
    # Not even to himself.
    mine = {"to": f"member:{personas.limited.pk}", "permission": "change_budget_caps", "do": "grant"}
    assert client.post(url(obj), mine).status_code == 403
    observer = User.objects.get(pk=personas.observer.pk)
    assert access.may(observer, "manage_access", obj) and not access.may(observer, "change_budget_caps", obj)


def test_bad_input(obj, personas, client):
    client.force_login(personas.super)
    strange = factories.GroupFactory()
    for to in (f"member:{personas.outsider.pk}", f"group:{strange.pk}", "member:x", "", "member:" + "9" * 30):
        assert client.post(url(obj), {"to": to, "permission": "view", "do": "grant"}).status_code == 404, to
    client.post(url(obj), {"to": f"member:{personas.limited.pk}", "permission": "delete", "do": "grant"})
    assert not AuditEvent.objects.exists()


def test_a_page_of_people_costs_the_same_as_one(obj, personas, client, django_assert_max_num_queries):
    group = factories.GroupFactory(network=obj.network)
    for number in range(40):
        user = factories.MembershipFactory(network=obj.network, role=Role.LIMITED).user
        access_grant(by=None, obj=obj, to=user, action="operate" if number % 2 else "change")
        user.groups.add(group)
    access_grant(by=None, obj=obj, to=group, action="view")
    client.force_login(personas.super)
    client.get(url(obj))
    with django_assert_max_num_queries(12):
        page = client.get(url(obj)).content.decode()
    assert page.count('scope="row"') == 25 and "Next" in page
