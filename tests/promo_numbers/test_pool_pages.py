"""The pages of RingPools: what stands there, who may do what, refusals with the way to more, constant statements."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.actions.allocation import number_allocate
from promo_numbers.models import PoolUsage, PromoNumber, RingPool

from campaigns import actions as campaign_actions
from campaigns.models import Call
from tests.factories import MembershipFactory, RingPoolFactory

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Shop", "max_pool_size": "3", "lifetime_seconds": "1800", "fill_immediately": "on", "allow_overflow": "on",
    "promo_type": "Local", "growth_percent": "10", "growth_ceiling": "5",
}  # fmt: skip


@pytest.fixture
def pool(scene):
    return actions.ring_pool_create(by=None, campaign=scene.roofing, name="Shop front", max_pool_size=4).pool


def client(user):
    made = Client()
    made.force_login(user, backend="portal.accounts.backends.RoleAndGrantBackend")
    return made


def ask(pool, visitor, **params):
    return number_allocate(pool_id=pool.pk, key=pool.api_key, params={"visitor": visitor, **params})


def test_the_page_shows_use_holders_numbers_and_the_snippet(scene, pool):
    given = ask(pool, "a", utm_source="newsletter", page="<script>alert(1)</script>")
    actions.pools_sum_up()
    text = client(scene.people.observer).get(reverse("numbers:pool", args=[pool.pk])).content.decode()
    for part in (
        "1 of 4 numbers",
        "newsletter",
        "Who holds what now",
        "overflow number",
        "data-key=&quot;" + pool.api_key,
    ):
        assert part in text, part
    assert f"({given.number[2:5]}) {given.number[5:8]}-{given.number[8:]}" in text
    assert "<script>alert(1)" not in text
    assert "Add numbers" not in text, "an observer is shown no buttons"
    assert "/static/portal/headroom-numbers.js" in text


def test_lists_of_the_network_and_of_the_campaign(scene, pool):
    RingPoolFactory(campaign=scene.plumbing, name="Drains")
    member = client(scene.people.member)
    text = member.get(reverse("numbers:all-pools")).content.decode()
    assert "Shop front" in text and "Drains" in text
    text = member.get(reverse("numbers:pools", args=[scene.plumbing.pk])).content.decode()
    assert "Drains" in text and "Shop front" not in text and "New RingPool" in text
    assert "Drains" not in member.get(reverse("numbers:all-pools") + "?q=shop").content.decode()
    assert "No RingPool matches" in member.get(reverse("numbers:all-pools") + "?q=zzz").content.decode()


def test_empty_pages_say_what_to_do_next(scene):
    RingPool.objects.all().delete()
    assert "Choose a campaign" in client(scene.people.member).get(reverse("numbers:all-pools")).content.decode()
    text = client(scene.people.observer).get(reverse("numbers:pools", args=[scene.roofing.pk])).content.decode()
    assert "No RingPools yet" in text and "role Member and above" in text


def test_lists_and_pages_cost_the_same_however_long(scene, pool):
    member = client(scene.people.member)
    member.get(reverse("numbers:all-pools"))

    def statements(address):
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert member.get(address).status_code == 200
        return len(caught)

    ask(pool, "one")
    before = [statements(reverse("numbers:all-pools")), statements(reverse("numbers:pool", args=[pool.pk]))]
    for number in range(20):
        made = RingPoolFactory(campaign=scene.roofing, name=f"More {number}")
        PoolUsage.objects.create(pool=made, at="2026-11-01T00:00Z")
    actions.ring_pool_grow(by=None, pool=pool, count=30)
    for number in range(20):
        ask(pool, f"v{number}")
    assert [statements(reverse("numbers:all-pools")), statements(reverse("numbers:pool", args=[pool.pk]))] == before


def test_create_edit_resize_and_archive(scene):
    member = client(scene.people.member)
    answer = member.post(reverse("numbers:pool-new", args=[scene.roofing.pk]), {**FORM, "tn_prefix_whitelist": "805"})
    pool = RingPool.objects.get(name="Shop")
    assert answer.url == reverse("numbers:pool", args=[pool.pk])
    assert pool.numbers.count() == 4 and pool.tn_prefix_whitelist == ["805"]
    member.post(
        reverse("numbers:pool-edit", args=[pool.pk]),
        {**FORM, "max_pool_size": "2", "auto_scale": "on", "scale_max": "9"},
    )
    pool.refresh_from_db()
    assert (pool.max_pool_size, pool.auto_scale, pool.scale_max, pool.allow_overflow) == (2, True, 9, True)
    member.post(reverse("numbers:pool-resize", args=[pool.pk]), {"direction": "grow", "count": "3"})
    assert actions.pools.pool_size(pool) == 5
    member.post(reverse("numbers:pool-resize", args=[pool.pk]), {"direction": "shrink", "count": "1"})
    assert actions.pools.pool_size(pool) == 4
    for wrong in ("", "x", "0", "99999999"):
        text = member.post(
            reverse("numbers:pool-resize", args=[pool.pk]), {"direction": "grow", "count": wrong}, follow=True
        ).content.decode()
        assert "Between 1 and 1,000 numbers at a time" in text
    assert member.get(reverse("numbers:pool-archive", args=[pool.pk])).status_code == 405
    member.post(reverse("numbers:pool-archive", args=[pool.pk]), {"reason": "Gone"})
    assert not PromoNumber.objects.filter(ring_pool=pool, state="active").exists()
    text = member.get(reverse("numbers:pool", args=[pool.pk])).content.decode()
    assert "What follows is history" in text and "data-key" not in text
    assert "Shop" in member.get(reverse("numbers:all-pools") + "?state=archived").content.decode()


def test_bad_input_stands_beside_its_field(scene):
    member = client(scene.people.member)
    before = RingPool.objects.count()
    answer = member.post(
        reverse("numbers:pool-new", args=[scene.roofing.pk]),
        {**FORM, "lifetime_seconds": "5", "tn_prefix_whitelist": "abc", "destination_phone_number": "none"},
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    for part in (
        "from 60 to 2,592,000 seconds; it is 5",
        "Prefixes are a list of area codes",
        "“none” is not a phone number",
    ):
        assert part in text, part
    assert RingPool.objects.count() == before


@pytest.mark.parametrize(
    ("limits", "ceiling", "label"),
    [
        ({"total": 2}, "network_total", "All numbers of the network"),
        ({"total": 100, "dynamic": 2}, "network_dynamic", "Dynamic numbers of the network"),
    ],
)
def test_a_limit_in_the_way_is_shown_with_its_figures_and_the_way_to_more(scene, pool, limits, ceiling, label):
    actions.ring_pool_archive(by=None, pool=pool)
    pool = actions.ring_pool_create(by=None, campaign=scene.roofing, name="Small", max_pool_size=1).pool
    scene.limits(**limits)
    member = client(scene.people.member)
    for answer in (
        member.post(reverse("numbers:pool-new", args=[scene.roofing.pk]), {**FORM, "name": "Never"}),
        member.post(reverse("numbers:pool-resize", args=[pool.pk]), {"direction": "grow", "count": "1"}),
        member.post(reverse("numbers:pool-edit", args=[pool.pk]), {**FORM, "max_pool_size": "5"}),
    ):
        text = answer.content.decode()
        assert answer.status_code == 409
        assert actions.SENTENCE.replace("'", "&#x27;") in text
        assert f"{label}: 2 of 2 used" in text
        assert f"ceiling={ceiling}" in text
        assert "Only platform staff raise it" in text
    assert not RingPool.objects.filter(name="Never").exists()
    pool.refresh_from_db()
    assert pool.max_pool_size == 1


def test_the_rights_of_every_persona(scene, pool):
    pages = {
        "list": ("get", reverse("numbers:all-pools"), {}),
        "tab": ("get", reverse("numbers:pools", args=[scene.roofing.pk]), {}),
        "pool": ("get", reverse("numbers:pool", args=[pool.pk]), {}),
        "new": ("get", reverse("numbers:pool-new", args=[scene.roofing.pk]), {}),
        "edit": ("get", reverse("numbers:pool-edit", args=[pool.pk]), {}),
        "grow": ("post", reverse("numbers:pool-resize", args=[pool.pk]), {"direction": "grow", "count": "1"}),
    }
    reads, all_of_it = (
        {"list": 200, "tab": 200, "pool": 200, "new": 403, "edit": 403, "grow": 403},
        dict.fromkeys(pages, 200),
    )
    all_of_it["grow"] = 302
    nothing = {"list": 200, "tab": 404, "pool": 404, "new": 404, "edit": 404, "grow": 404}
    holder = MembershipFactory(network=scene.network, role=0, user__email="holder@acme.example").user
    campaign_actions.access_grant(by=scene.people.super, obj=scene.roofing, to=holder, action="manage_numbers")
    expected = {
        "limited": nothing, "observer": reads, "member": all_of_it, "manager": all_of_it, "super": all_of_it,
        "outsider": nothing, "staff": all_of_it,
    }  # fmt: skip
    people = {name: getattr(scene.people, name) for name in expected} | {"grant holder": holder}
    expected["grant holder"] = all_of_it
    for name, user in people.items():
        who = client(user)
        found = {
            page: getattr(who, method)(address, data).status_code for page, (method, address, data) in pages.items()
        }
        assert found == expected[name], name
    for method, address, data in pages.values():
        assert getattr(Client(), method)(address, data).status_code == 302, "signed out"


def test_advice_above_three_quarters(scene, pool):
    member = client(scene.people.member)
    for visitor in "abc":
        ask(pool, visitor)
    actions.pools_sum_up()
    assert "Advice" not in member.get(reverse("numbers:pool", args=[pool.pk])).content.decode()
    for visitor in "def":
        ask(pool, visitor)
    actions.pools_sum_up()
    text = member.get(reverse("numbers:pool", args=[pool.pk])).content.decode()
    assert "4 of 4 numbers were in use at once in the last 24 hours, and 2 requests found none free." in text
    added = int(re.search(r"Add (\d+) numbers", text).group(1))
    assert added >= 2 and "erlangs" in text


def test_sizing_shows_its_sum(scene):
    member = client(scene.people.member)
    text = member.get(reverse("numbers:pool-sizing") + "?visitors=120&lifetime=1800&blocking=1").content.decode()
    assert "75 numbers needed" in text and "60.00 erlangs" in text
    scene.limits(dynamic=10)
    text = member.get(reverse("numbers:pool-sizing") + "?visitors=120&lifetime=1800").content.decode()
    assert "Dynamic numbers of the network: 0 of 10 used, 10 free." in text
    for wrong in (
        "visitors=-1&lifetime=60",
        "visitors=x",
        "visitors=9999999&lifetime=2592000",
        "visitors=1&lifetime=1&blocking=0",
    ):
        answer = member.get(reverse("numbers:pool-sizing") + "?" + wrong)
        assert answer.status_code == 200 and "needed</h2>" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_call_page_shows_the_visitor(scene, pool):
    given = ask(pool, "a", utm_source="newsletter", gclid="xyz")
    routed = campaign_actions.call_route(
        by=None, network=scene.network, caller="+13035550123", promo_number=given.number, campaign=None
    )
    address = reverse("calls:detail", args=[Call.transaction_id_of(routed.call_id)])
    text = client(scene.people.observer).get(address).content.decode()
    assert "newsletter" in text and "xyz" in text and "Shop front" in text
    overflow = PromoNumber.objects.get(ring_pool=pool, is_overflow=True)
    routed = campaign_actions.call_route(
        by=None, network=scene.network, caller="+13035550124", promo_number=overflow.number, campaign=None
    )
    address = reverse("calls:detail", args=[Call.transaction_id_of(routed.call_id)])
    assert "its overflow number belongs to no visitor" in client(scene.people.observer).get(address).content.decode()


def test_the_admin_changes_through_the_action(scene, pool):
    member = client(scene.people.super)
    address = reverse("admin:numbers_ringpool_change", args=[pool.pk])
    assert member.get(address).status_code == 200
    data = {
        "name": "Renamed", "lifetime_seconds": "1800", "max_pool_size": "6", "fill_immediately": "on",
        "growth_percent": "10", "growth_ceiling": "10",
    }  # fmt: skip
    assert member.post(address, data).status_code == 302
    pool.refresh_from_db()
    assert pool.name == "Renamed" and actions.pools.pool_size(pool) == 6
    scene.limits(total=7)
    text = member.post(address, {**data, "max_pool_size": "9"}).content.decode()
    assert "reached your promo number limit" in text and "7 of 7 used" in text
    pool.refresh_from_db()
    assert pool.max_pool_size == 6
    assert client(scene.people.outsider).get(address).status_code in (302, 404)
