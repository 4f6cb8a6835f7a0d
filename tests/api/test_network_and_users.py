"""network.json, quick_stats.json and the users of an advertiser."""

import pytest

from campaigns import actions
from campaigns.models import AdvertiserUser
from portal.accounts import access
from portal.accounts.models import Membership, User
from portal.accounts.roles import Role
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory, CampaignFactory, bundle_of

pytestmark = pytest.mark.django_db

USERS = "advertisers/27/users.json"
ONE = "advertisers/27/users/u-1.json"
DATA = {
    "first_name": "Ann", "last_name": "Lee", "contact_phone_number": "303-555-0100", "role": "Member",
    "email_settings": [{"email_address": "Ann@Agency.example", "use_for_notifications": False}],
    "notify_on_budget_cap": True,
}  # fmt: skip


@pytest.fixture
def advertiser(network):
    return AdvertiserFactory(network=network, id_from_network="27")


@pytest.fixture
def api(as_, personas, advertiser):
    return as_(personas.super)


def test_the_network(as_, personas, network):
    for persona in (personas.limited, personas.observer, personas.super):
        body = as_(persona).get("network.json").json()
        assert (body["id"], body["name"], body["timezone"]) == (network.pk, "Acme", network.time_zone)
        assert body["object_url"].endswith(f"/api/2026-11-01/{network.pk}/network.json")
        assert as_(persona).old().get("network.json").status_code == 200
    assert as_(personas.outsider).get("network.json").status_code == 404


@pytest.mark.parametrize("version", ["2015-05-01", "2026-11-01"])
def test_a_user_is_a_limited_member_with_grants(api, advertiser, network, version):
    api = api.old(version)
    answer = api.put(ONE, DATA)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {name: body[name] for name in DATA if name != "email_settings"} == {
        name: DATA[name] for name in DATA if name != "email_settings"
    }
    assert body["email_settings"] == [{"email_address": "ann@agency.example", "use_for_notifications": False}]
    user = User.objects.get(email="ann@agency.example")
    assert Membership.objects.get(user=user, network=network).role == Role.LIMITED and user.name == "Ann Lee"
    own, other = CampaignFactory(advertiser=advertiser), CampaignFactory(advertiser__network=network)
    assert access.may(user, "change", own) and not access.may(user, "operate", own)
    assert not access.may(user, "view", other)
    assert api.put(ONE, {"role": "Super"}).json()["role"] == "Super"
    assert access.may(user, "manage_access", own) and access.may(user, "change_budget_caps", own)
    assert api.put(ONE, {"role": "Observer"}).status_code == 200
    assert access.may(user, "view", own) and not access.may(user, "change", own)
    assert api.get(ONE).json() == {**body, "role": "Observer"}
    rows = api.get(USERS).json()
    assert [row["id_from_network"] for row in (rows if version == "2015-05-01" else rows["results"])] == ["u-1"]
    assert api.delete(ONE).status_code == 204 and api.delete(ONE).status_code == 204
    assert not access.may(user, "view", own) and Membership.objects.filter(user=user, network=network).exists()
    assert api.get(ONE).status_code == 404


def test_a_member_of_the_network_keeps_his_role(api, personas, network):
    body = api.put(ONE, {"email_settings": [{"email_address": personas.member.email}], "role": "Observer"})
    assert body.status_code == 201
    assert Membership.objects.get(user=personas.member, network=network).role == Role.MEMBER
    again = api.put("advertisers/27/users/u-2.json", {"email_settings": [{"email_address": personas.member.email}]})
    assert (again.status_code, codes(again)) == (409, [("already_there", "email_settings")])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ("required", "email_settings")),
        ({"email_settings": [{"email_address": "nobody"}]}, ("invalid_email", "email")),
        ({"email_settings": [{"email_address": "a@b.example"}], "role": "Boss"}, ("unknown_role", "role")),
        ({"email_settings": [{"email_address": "a@b.example"}], "id_from_network": "u-9"}, ("id_mismatch", "id_from_network")),
    ],
)  # fmt: skip
def test_bad_users_write_nothing(api, data, expected):
    people = User.objects.count()
    answer = api.put(ONE, data)
    assert (answer.status_code, codes(answer)) == (422, [expected])
    assert not AdvertiserUser.objects.exists() and User.objects.count() == people


def test_an_address_belongs_to_its_user(api):
    api.put(ONE, DATA)
    answer = api.put(ONE, {"email_settings": [{"email_address": "other@agency.example"}]})
    assert codes(answer) == [("fixed", "email_settings")]
    assert User.objects.filter(email="ann@agency.example").exists()


def test_post_creates_and_in_old_versions_changes_too(api):
    assert api.post(USERS, {**DATA, "id_from_network": "u-1"}).status_code == 201
    taken = api.post(USERS, {**DATA, "id_from_network": "u-1"})
    assert (taken.status_code, codes(taken)) == (409, [("id_taken", "id_from_network")])
    old = api.old()
    assert old.post(USERS, {"id_from_network": "u-1", "first_name": "Anna"}).json()["first_name"] == "Anna"
    assert old.post(ONE, {"first_name": "Ann"}).status_code == 200
    bad = old.put("advertisers/27/users/u-3.json", {})
    assert (bad.status_code, list(bad.json()["errors"])) == (403, ["email_settings"])


def test_users_are_for_supers_alone(as_, personas, advertiser):
    as_(personas.super).put(ONE, DATA)
    seen = {
        personas.observer: 403,
        personas.manager: 403,
        personas.limited: 404,
        personas.outsider: 404,
        personas.staff: 200,
    }
    for persona, status in seen.items():
        client = as_(persona)
        assert client.get(USERS).status_code == client.get(ONE).status_code == status
        for method, path in (("PUT", ONE), ("DELETE", ONE), ("POST", USERS)):
            if persona != personas.staff:
                assert client.send(method, path, DATA).status_code == status
    assert AdvertiserUser.objects.get().first_name == "Ann"


@pytest.mark.parametrize("rows", [1, 20])
def test_a_list_of_users_costs_the_same(api, rows, django_assert_max_num_queries):
    for index in range(rows):
        api.put(f"advertisers/27/users/u-{index}.json", {"email_settings": [{"email_address": f"u{index}@a.example"}]})
    with django_assert_max_num_queries(5):
        assert len(api.get(USERS).json()["results"]) == rows


def test_quick_stats(api, advertiser, django_assert_max_num_queries):
    campaign = CampaignFactory(advertiser=advertiser, id_from_network="33", payout=12, payin=20)
    bundle = bundle_of(campaign, id_from_network="b1")
    calls = [
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=f"+1303555010{n}")
        for n in range(3)
    ]
    for routed in calls[:2]:
        actions.call_event(by=None, network=bundle.network, call=routed.call_id, event="answered")
    actions.call_event(by=None, network=bundle.network, call=calls[0].call_id, event="ended")
    actions.hours_roll_up()
    path = "advertisers/27/advertiser_campaigns/{}/quick_stats.json"
    api.get(path.format("33"))
    with django_assert_max_num_queries(6):
        body = api.get(path.format("33")).json()
    for period in ("today", "this_week", "this_month"):
        stats = body[period]
        assert (stats["calls"], stats["connected"], stats["payout"], stats["payin"]) == (3, 2, 12, 20)
        assert stats["minutes"] >= 0
    assert (body["live"], body["currency"], body["id_from_network"]) == (2, "USD", "33")
    body = api.get(path.format("b1")).json()
    assert (body["today"]["calls"], body["today"]["payout"], body["live"]) == (3, None, 2)
    assert api.old().get(path.format("33")).json()["today"]["calls"] == 3
    assert api.get(path.format("nobody")).status_code == 404
