"""Who may change caps over the API: exactly the holders of change_budget_caps, in every version."""

import pytest

from campaigns import actions
from campaigns.models import Cap, DestinationState
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory, CampaignFactory, GroupFactory, MembershipFactory, cap

pytestmark = pytest.mark.django_db

ONE = "advertisers/27/advertiser_campaigns/c1.json"
GIVEN = {"budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 7}}}


@pytest.fixture
def campaign(network):
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    made = CampaignFactory(advertiser=advertiser, id_from_network="c1", name="Roofing")
    cap(made, 5)
    return made


ROLES = [
    ("limited", 404), ("observer", 403), ("member", 403), ("manager", 200), ("super", 200), ("outsider", 404), ("staff", 200),
]  # fmt: skip


@pytest.mark.parametrize(("persona", "status"), ROLES)
@pytest.mark.parametrize(("version", "method"), [("2026-11-01", "PATCH"), ("2026-11-01", "PUT"), ("2015-05-01", "PUT"),
                                                 ("2015-05-01", "POST"), ("2022-08-01", "PUT")])  # fmt: skip
@pytest.mark.parametrize("given", [GIVEN, {**GIVEN, "description": "new"}], ids=["cap", "cap-and-more"])
def test_by_role(as_, personas, campaign, persona, status, version, method, given):
    api = as_(getattr(personas, persona), version=version)
    answer = api.send(method, ONE, given)
    assert answer.status_code == status, answer.content
    campaign.refresh_from_db()
    written = status == 200
    assert Cap.objects.get().amount == (7 if written else 5)
    assert DestinationState.objects.get(pk=campaign.pk).live_cap == (7 if written else 5)
    assert campaign.draft == ({"description": "new"} if written and "description" in given else None)
    if status == 403 and persona == "member":
        if version == "2026-11-01":
            assert answer.json()["details"]["permission"] == "campaigns.change_budget_caps"
            assert codes(answer) == [("permission_denied", None)]
        else:
            assert "campaigns.change_budget_caps" in answer.json()["errors"]["base"][0]


@pytest.mark.parametrize("on", ["campaign", "advertiser"])
@pytest.mark.parametrize("through", ["user", "group"])
def test_a_grant_gives_it_and_nothing_more(as_, personas, campaign, network, on, through):
    holder = personas.limited if through == "user" else GroupFactory(network=network)
    if through == "group":
        personas.limited.groups.add(holder)
    obj = campaign if on == "campaign" else campaign.advertiser
    actions.access_grant(by=None, obj=obj, to=holder, action="change_budget_caps")
    api = as_(personas.limited)
    assert api.patch(ONE, GIVEN).status_code == 200
    answer = api.patch(ONE, {**GIVEN, "name": "Mine"})
    assert (answer.status_code, answer.json()["details"]["permission"]) == (403, "campaigns.change_campaign")
    assert api.old().put(ONE, GIVEN).status_code == 200
    assert [row["id_from_network"] for row in api.get("campaigns.json").json()["results"]] == ["c1"]
    other = CampaignFactory(advertiser=AdvertiserFactory(network=network, id_from_network="28"), id_from_network="c2")
    assert api.patch(f"advertisers/28/advertiser_campaigns/{other.id_from_network}.json", GIVEN).status_code == 404


def test_an_observer_with_another_grant_still_may_not(as_, network, campaign):
    user = MembershipFactory(network=network, role=10).user
    actions.access_grant(by=None, obj=campaign, to=user, action="change")
    answer = as_(user).patch(ONE, {**GIVEN, "name": "Mine"})
    assert (answer.status_code, answer.json()["details"]["permission"]) == (403, "campaigns.change_budget_caps")
    campaign.refresh_from_db()
    assert campaign.name == "Roofing"


def test_clearing_needs_it_too(as_, personas, campaign):
    given = {"budget_activities": {"concurrent_call_cap_alert": None}}
    assert as_(personas.member).patch(ONE, given).status_code == 403
    assert Cap.objects.exists()
    assert as_(personas.manager).patch(ONE, given).status_code == 200
    assert not Cap.objects.exists()


def test_a_member_creates_a_campaign_but_not_with_a_cap(as_, personas, campaign):
    new = {"name": "New", "campaign_type": "DirectOnly", **GIVEN}
    path = "advertisers/27/advertiser_campaigns/new.json"
    assert as_(personas.member).put(path, new).status_code == 403
    assert as_(personas.member).get(path).status_code == 404
    assert as_(personas.manager).put(path, new).status_code == 201
