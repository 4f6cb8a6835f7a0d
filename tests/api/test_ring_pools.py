"""ring_pools over the API: the Network Integration shape and the current one, rights, limits, ETags, idempotency."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, NetworkNumbers, PromoNumber, RingPool

from campaigns.actions import access_grant
from tests.factories import AdvertiserFactory, CampaignFactory, MembershipFactory, RingPoolFactory, stock

from .conftest import codes

pytestmark = pytest.mark.django_db

POOLS = "advertisers/27/advertiser_campaigns/33/ring_pools.json"
ONE = "advertisers/27/advertiser_campaigns/33/ring_pools/web.json"
DATA = {
    "name": "Web", "lifetime_seconds": 900, "max_pool_size": 4, "preferred": True, "destination_phone_number": "3035550199",
    "fill_immediately": True, "allow_overflow": True, "local_center": {"latitude": 34.4, "longitude": -119.7},
    "local_number_preferences": {"allocation_fallback_strategy": "UseTollFree"}, "tn_prefix_whitelist": ["805"],
    "customer_phone_numbers": ["8065550101"], "pool_note": {"kept": True},
}  # fmt: skip


@pytest.fixture
def campaign(network):
    stock(60)
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    return CampaignFactory(advertiser=advertiser, id_from_network="33")


@pytest.fixture
def api(as_, personas, campaign):
    return as_(personas.member)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("version", ["2015-05-01", "2022-08-01"])
def test_upserts_in_the_older_versions(api, method, version):
    old = api.old(version)
    answer = old.send(method, ONE, DATA)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    expected = {**DATA, "id_from_network": "web", "destination_phone_number": "+13035550199", "promo_type": "Local",
                "customer_phone_numbers": ["+18065550101"]}  # fmt: skip
    pool = RingPool.objects.get()
    assert {name: body[name] for name in expected} == expected
    assert (body["id"], body["api_key"]) == (pool.pk, pool.api_key)
    assert body["object_url"].endswith(f"/api/{version}/{pool.network_id}/{ONE}")
    assert "remarks" not in body and "size" not in body
    assert old.send(method, ONE, {"name": "Other"}).status_code == 200
    again = old.get(ONE).json()
    assert (again["name"], again["max_pool_size"], again["pool_note"]) == ("Other", 4, {"kept": True})
    given = Client().get(
        f"/api/{version}/ring_pools/{body['id']}/allocate_number.json?ring_pool_key={body['api_key']}&a=1"
    )
    assert given.status_code == 200
    bad = old.send(method, ONE, {"lifetime_seconds": 5})
    assert bad.status_code == 403 and list(bad.json()["errors"]) == ["lifetime_seconds"]
    fixed = old.send(method, ONE, {"allow_overflow": False})
    assert fixed.status_code == 403 and list(fixed.json()["errors"]) == ["allow_overflow"]
    assert old.get(ONE.replace("web", "none")).json()["errors"]["class"] == "RecordNotFound"


def test_a_read_can_be_written_back_unchanged(api):
    body = api.put(ONE, DATA).json()
    again = api.put(ONE, body)
    assert again.status_code == 200, again.content
    assert RingPool.objects.get().extra == {"pool_note": {"kept": True}}


def test_the_current_version_posts_once_and_shows_use(api):
    made = api.post(POOLS, {**DATA, "id_from_network": "web"})
    assert made.status_code == 201 and made.json()["remarks"] == ["5 numbers added."]
    body = api.get(ONE).json()
    assert (body["size"], body["in_use"], body["auto_scale"], body["scale_max"]) == (4, 0, False, None)
    assert codes(api.post(POOLS, {**DATA, "id_from_network": "web", "customer_phone_numbers": []})) == [
        ("id_taken", "id_from_network")
    ]
    assert api.patch(ONE, {"max_pool_size": 2}).json()["remarks"] == ["2 numbers released."]
    assert api.patch(ONE.replace("web", "none"), {"name": "x"}).status_code == 404


def test_defaults(api):
    body = api.post(POOLS, {"name": "Small"}).json()
    assert (body["max_pool_size"], body["fill_immediately"], body["allow_overflow"], body["lifetime_seconds"]) == (
        2, True, True, 1800,
    )  # fmt: skip
    assert body["id_from_network"].startswith("pool-")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_pool_size", "2"), ("max_pool_size", 0), ("lifetime_seconds", 2_592_001), ("preferred", "yes"),
        ("tn_prefix_whitelist", ["1"]), ("customer_phone_numbers", ["12"]), ("local_center", []), ("scale_max", 0),
        ("destination_phone_number", "none"), ("promo_type", "Vanity"), ("name", ""),
    ],
)  # fmt: skip
def test_bad_input(api, field, value):
    answer = api.put(ONE, {"name": "Web", field: value})
    assert answer.status_code == 422, answer.content
    assert codes(answer)[0][1].split(".")[0] == field
    assert not RingPool.objects.exists()


@pytest.mark.parametrize(
    ("limits", "ceiling"),
    [({"total_limit": 4}, "network_total"), ({"total_limit": 99, "dynamic_limit": 4}, "network_dynamic")],
)
def test_limits(api, limits, ceiling):
    NetworkNumbers.objects.update(**limits)
    CampaignNumbers.objects.update(allowed=0)
    answer = api.put(ONE, DATA)
    assert answer.status_code == 409
    body = answer.json()
    assert body["errors"][0]["code"] == "promo_number_limit_reached"
    assert body["errors"][0]["detail"] == actions.SENTENCE
    assert body["details"]["reached"] == [ceiling] and body["details"]["asked"] == 5
    old = api.old().put(ONE, DATA)
    assert old.status_code == 403 and old.json()["errors"] == {"promo_number": [actions.SENTENCE]}
    assert not RingPool.objects.exists() and not PromoNumber.objects.exists()


def test_etags(api):
    tag = api.put(ONE, DATA)["ETag"]
    assert api.get(ONE, If_None_Match=api.get(ONE)["ETag"]).status_code == 304
    assert api.patch(ONE, {"name": "One"}, If_Match=tag).status_code == 200
    assert api.patch(ONE, {"name": "Two"}, If_Match=tag).status_code == 412
    assert api.put(ONE, DATA, If_None_Match="*").status_code == 412


def test_idempotency(api):
    first = api.post(POOLS, DATA, Idempotency_Key="k1")
    second = api.post(POOLS, DATA, Idempotency_Key="k1")
    assert first.json() == second.json() and RingPool.objects.count() == 1
    assert PromoNumber.objects.count() == 5


def test_delete_archives_and_is_a_no_op_after(api):
    api.put(ONE, DATA)
    assert [api.delete(ONE).status_code for _ in range(2)] == [204, 204]
    assert api.get(ONE).status_code == 404 and api.get(POOLS).json()["results"] == []
    assert not PromoNumber.objects.filter(state="active").exists()
    assert codes(api.put(ONE, DATA)) == [("id_taken", "id_from_network")]


def test_lists_are_paged_at_a_constant_price(api, campaign):
    def price():
        with CaptureQueriesContext(connection) as caught:
            answer = api.get(POOLS + "?page_size=50")
        assert answer.status_code == 200
        return len(caught), len(answer.json()["results"])

    RingPoolFactory(campaign=campaign)
    api.get(POOLS)
    few, one = price()
    for _ in range(30):
        RingPoolFactory(campaign=campaign)
    many, thirty = price()
    assert (few, one, thirty) == (many, 1, 31)
    page = api.get(POOLS + "?page_size=10").json()
    assert len(page["results"]) == 10 and page["next"]
    assert isinstance(api.old().get(POOLS).json(), list)


def test_who_may(as_, personas, campaign, network):
    as_(personas.member).put(ONE, DATA)
    holder = MembershipFactory(network=network, role=0, user__email="holder@acme.example").user
    access_grant(by=None, obj=campaign, to=holder, action="manage_numbers")
    writers = [personas.member, personas.manager, personas.super, personas.staff, holder]
    for user in writers:
        assert as_(user).get(ONE).status_code == 200
        assert as_(user).patch(ONE, {"name": user.email}).status_code == 200
        assert as_(user, read_only=True).patch(ONE, {"name": "x"}).status_code == 403
    observer = as_(personas.observer)
    assert observer.get(ONE).status_code == 200
    for answer in (observer.patch(ONE, {"name": "x"}), observer.post(POOLS, DATA), observer.delete(ONE)):
        assert answer.status_code == 403
        assert answer.json()["details"]["permission"].endswith("manage_numbers")
    for user in (personas.limited, personas.outsider):
        hidden = as_(user)
        for answer in (hidden.get(ONE), hidden.patch(ONE, {"name": "x"}), hidden.post(POOLS, DATA), hidden.delete(ONE)):
            assert answer.status_code == 404
    assert Client().get(observer.url(ONE)).status_code == 401
    assert RingPool.objects.get().name == holder.email
