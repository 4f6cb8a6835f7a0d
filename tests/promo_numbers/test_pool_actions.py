"""RingPools: every field and rule of creating, changing, growing, shrinking and archiving."""

from datetime import timedelta

import pytest
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions.allocation import number_allocate
from promo_numbers.models import PoolSlot, PromoNumber, RingPool, StockNumber

from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import stock

from .counting import assert_counted, counters_of

pytestmark = pytest.mark.django_db


def create(scene, **values):
    return actions.ring_pool_create(by=None, campaign=scene.roofing, **{"name": "Search", **values})


def numbers(pool, **which):
    return PromoNumber.objects.filter(ring_pool=pool, state="active", **which)


def ask(pool, visitor):
    return number_allocate(pool_id=pool.pk, key=pool.api_key, params={"visitor": visitor})


def codes(error):
    return {(field, code) for field, code, _ in error.value.problems}


def test_the_defaults_are_two_numbers_and_an_overflow_number(scene):
    written = create(scene)
    pool = written.pool
    assert (pool.max_pool_size, pool.lifetime_seconds, pool.fill_immediately, pool.allow_overflow) == (
        2,
        1800,
        True,
        True,
    )
    assert numbers(pool, is_overflow=False).count() == 2 and numbers(pool, is_overflow=True).count() == 1
    assert written.added == 3 and written.waiting == 0
    assert counters_of(scene.network) == (3, 3)
    assert PoolSlot.objects.filter(pool=pool).count() == 2, "the overflow number is nobody's"
    assert len(pool.api_key) >= 24
    assert AuditEvent.objects.filter(event="ring_pool.create", object_id=str(pool.pk)).count() == 1


@pytest.mark.parametrize(("size", "first"), [(1, 1), (2, 1), (10, 1), (11, 2), (20, 2), (25, 3), (95, 10)])
def test_a_tenth_rounded_up_when_it_is_not_filled_at_once(scene, size, first):
    pool = create(scene, max_pool_size=size, fill_immediately=False, allow_overflow=False).pool
    assert numbers(pool).count() == first


def test_visitors_get_overflow_then_destination(scene):
    pool = create(scene, max_pool_size=1, destination_phone_number="(303) 555-0199").pool
    assert ask(pool, "a").outcome == "taken"
    overflow = ask(pool, "b")
    assert overflow.outcome == "overflow" and overflow.number == numbers(pool, is_overflow=True).get().number
    actions.numbers_release(by=None, numbers=list(numbers(pool, is_overflow=True)))
    assert (ask(pool, "b").outcome, ask(pool, "b").number) == ("destination", "+13035550199")
    RingPool.objects.filter(pk=pool.pk).update(destination_phone_number="")
    assert ask(pool, "b").number == scene.roofing.destination_phone_number


def test_a_returning_visitor_gets_his_number_back_if_it_is_free(scene):
    pool = create(scene, max_pool_size=5).pool
    first = ask(pool, "a")
    for other in "bc":
        ask(pool, other)
    # All times ran out; those before him have been free longer than his number, but it was his.
    PoolSlot.objects.filter(pool=pool, visitor=None).update(until=timezone.now() - timedelta(days=2))
    PoolSlot.objects.filter(pool=pool).exclude(visitor=None).update(until=timezone.now() - timedelta(seconds=1))
    again = ask(pool, "a")
    assert (again.number, again.outcome) == (first.number, "taken")
    assert ask(pool, "d").number not in {first.number}


def test_the_number_that_was_free_longest_comes_first(scene):
    pool = create(scene, max_pool_size=4).pool
    order = list(PoolSlot.objects.filter(pool=pool).order_by("-promo_number_id"))
    for days, slot in enumerate(reversed(order), start=1):
        PoolSlot.objects.filter(pk=slot.pk).update(until=timezone.now() - timedelta(days=days))
    expected = list(PoolSlot.objects.filter(pool=pool).order_by("until").values_list("promo_number_id", flat=True))
    assert [ask(pool, f"v{n}").number_id for n in range(4)] == expected


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"lifetime_seconds": 59}, "lifetime_seconds"),
        ({"lifetime_seconds": 2_592_001}, "lifetime_seconds"),
        ({"lifetime_seconds": True}, "lifetime_seconds"),
        ({"max_pool_size": 0}, "max_pool_size"),
        ({"max_pool_size": "7"}, "max_pool_size"),
        ({"growth_percent": 101}, "growth_percent"),
        ({"scale_max": 0}, "scale_max"),
        ({"preferred": "yes"}, "preferred"),
        ({"destination_phone_number": "call us"}, "destination_phone_number"),
        ({"customer_phone_numbers": ["12"]}, "customer_phone_numbers"),
        ({"customer_phone_numbers": "+18055550123"}, "customer_phone_numbers"),
        ({"customer_phone_numbers": ["8065550101", "8065550102", "8065550103"]}, "customer_phone_numbers"),
        ({"tn_prefix_whitelist": ["80"]}, "tn_prefix_whitelist"),
        ({"tn_prefix_whitelist": "805"}, "tn_prefix_whitelist"),
        ({"local_center": []}, "local_center"),
        (
            {"local_number_preferences": {"allocation_fallback_strategy": "Beg"}},
            "local_number_preferences.allocation_fallback_strategy",
        ),
        ({"promo_type": "Vanity"}, "promo_type"),
        ({"name": " "}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_names_its_field_and_nothing_is_written(scene, values, field):
    before = RingPool.objects.count()
    with pytest.raises(Invalid) as error:
        create(scene, **values)
    assert field in {name for name, _ in codes(error)}
    assert RingPool.objects.count() == before and not PromoNumber.objects.exists()


@pytest.mark.parametrize(
    ("limits", "ceiling"), [({"total": 3}, "network_total"), ({"total": 10, "dynamic": 3}, "network_dynamic")]
)
def test_the_limits_refuse_with_the_sentence_and_nothing_is_written(scene, limits, ceiling):
    scene.limits(**limits)
    with pytest.raises(actions.LimitReached) as error:
        create(scene, max_pool_size=3)
    assert str(error.value) == actions.SENTENCE
    assert error.value.details["reached"] == [ceiling] and error.value.details["asked"] == 4
    assert counters_of(scene.network) == (0, 0)
    assert not RingPool.objects.filter(name="Search").exists()
    assert StockNumber.objects.filter(state="used").count() == 0
    assert create(scene, max_pool_size=2).added == 3, "exactly at the limit fits"
    assert_counted(scene.network)


def test_the_campaigns_own_limit_does_not_count_dynamic_numbers(scene):
    scene.limits(allowed=0)
    assert create(scene, max_pool_size=5).added == 6


def test_where_the_numbers_come_from(scene):
    stock(3, area_code="720", locality="Boulder", region="CO")
    stock(3, area_code="303", locality="Denver", region="CO")
    stock(3, area_code="888", kind="TollFree")

    def codes_of(**values):
        pool = create(scene, allow_overflow=False, name="x", id_from_network=None, **values).pool
        found = [number[2:5] for number in numbers(pool).order_by("id").values_list("number", flat=True)]
        actions.ring_pool_archive(by=None, pool=pool)
        StockNumber.objects.update(state="free", rests_until=None)
        return sorted(found)

    assert codes_of(tn_prefix_whitelist=["303"], max_pool_size=3) == ["303"] * 3
    assert codes_of(tn_prefix_whitelist=["7202000002", "303"], max_pool_size=4) == ["303"] * 3 + ["720"]
    assert codes_of(local_center={"tn_prefix": "720"}, max_pool_size=2) == ["720"] * 2
    assert codes_of(local_center={"city": "denver", "state": "CO"}, max_pool_size=5) == ["303"] * 3 + ["720"] * 2
    anywhere = {"restrict_search_to_state": False}
    assert codes_of(
        local_center={"city": "Denver", "state": "CO"}, local_number_preferences=anywhere, max_pool_size=7
    ) == ["303"] * 3 + ["720"] * 3 + ["805"]
    free = {"allocation_fallback_strategy": "UseTollFree"}
    assert (
        codes_of(tn_prefix_whitelist=["303"], local_number_preferences=free, max_pool_size=5)
        == ["303"] * 3 + ["888"] * 2
    )
    with pytest.raises(Conflict) as error:
        create(scene, tn_prefix_whitelist=["303"], max_pool_size=4)
    assert error.value.code == "out_of_numbers" and error.value.details == {"free": 3, "asked": 4}
    assert StockNumber.objects.exclude(state="free").count() == 0


def test_a_pool_that_waits_takes_the_rest_when_it_comes(scene):
    wait = {"allocation_fallback_strategy": "Wait"}
    written = create(scene, tn_prefix_whitelist=["415"], local_number_preferences=wait, max_pool_size=4)
    assert (written.added, written.waiting) == (0, 4)
    assert "waits for 4 numbers" in " ".join(written.remarks)
    assert ask(written.pool, "a").outcome == "destination"
    stock(3, area_code="415")
    assert actions.pools_scale() == 1
    assert numbers(written.pool, is_overflow=True).count() == 1
    assert actions.pools_scale() == 1
    assert numbers(written.pool, is_overflow=False).count() == 2


def test_the_customers_own_numbers_come_first(scene):
    pool = create(scene, customer_phone_numbers=["(806) 555-0101", "806-555-0102"], max_pool_size=3).pool
    own = numbers(pool, supplier="own").values_list("number", flat=True)
    assert sorted(own) == ["+18065550101", "+18065550102"]
    assert numbers(pool).count() == 4
    with pytest.raises(Conflict) as error:
        create(scene, name="Other", customer_phone_numbers=["8065550101"])
    assert error.value.code == "number_taken"
    assert not RingPool.objects.filter(name="Other").exists()


def test_ids_are_once_in_a_network(scene):
    with pytest.raises(Conflict) as error:
        create(scene, id_from_network="web")
    assert (error.value.code, error.value.field) == ("id_taken", "id_from_network")
    scene.network.auto_generate_ids = False
    scene.network.save()
    scene.roofing.network.auto_generate_ids = False
    with pytest.raises(Invalid) as missing:
        create(scene, id_from_network="")
    assert ("id_from_network", "required") in codes(missing)


def test_only_one_pool_of_a_campaign_is_preferred(scene):
    one = create(scene, preferred=True).pool
    two = create(scene, name="Two", preferred=True).pool
    one.refresh_from_db()
    assert (one.preferred, two.preferred) == (False, True)
    actions.ring_pool_update(by=None, pool=one, preferred=True)
    two.refresh_from_db()
    assert not two.preferred


def test_allow_overflow_is_fixed(scene):
    pool = create(scene, allow_overflow=False).pool
    with pytest.raises(Invalid) as error:
        actions.ring_pool_update(by=None, pool=pool, allow_overflow=True, name="New")
    assert codes(error) == {("allow_overflow", "fixed")}
    pool.refresh_from_db()
    assert pool.name == "Search"
    assert actions.ring_pool_update(by=None, pool=pool, allow_overflow=False, name="New").pool.name == "New"


def test_a_larger_pool_takes_what_is_missing(scene):
    pool = create(scene, max_pool_size=2).pool
    assert actions.ring_pool_update(by=None, pool=pool, max_pool_size=5).added == 3
    scene.limits(dynamic=6)
    with pytest.raises(actions.LimitReached):
        actions.ring_pool_update(by=None, pool=pool, max_pool_size=6)
    pool.refresh_from_db()
    assert pool.max_pool_size == 5
    assert actions.ring_pool_update(by=None, pool=pool, fill_immediately=False, max_pool_size=50).added == 0


def test_a_smaller_pool_lets_visitors_keep_their_numbers(scene):
    pool = create(scene, max_pool_size=5).pool
    held = {ask(pool, f"v{n}").number for n in range(3)}
    written = actions.ring_pool_update(by=None, pool=pool, max_pool_size=1)
    assert (written.released, written.leaving) == (2, 2)
    assert "2 numbers are held by visitors now and will be released as soon as they leave them." in written.remarks
    assert set(numbers(pool, is_overflow=False).values_list("number", flat=True)) == held
    assert ask(pool, "v0").number in held, "his number stays his"
    PoolSlot.objects.filter(pool=pool).update(until=timezone.now() - timedelta(seconds=1))
    assert actions.pools_scale() == 1
    assert numbers(pool, is_overflow=False).count() == 1
    pool.refresh_from_db()
    assert pool.shrink_to is None
    assert_counted(scene.network)


def test_grow_and_shrink_by_hand(scene):
    pool = create(scene, max_pool_size=2).pool
    assert actions.ring_pool_grow(by=None, pool=pool, count=3).pool.max_pool_size == 5
    written = actions.ring_pool_shrink(by=None, pool=pool, count=2)
    assert (written.released, written.pool.max_pool_size) == (2, 3)
    for count in (0, 1001, True, "2"):
        with pytest.raises(Invalid):
            actions.ring_pool_grow(by=None, pool=pool, count=count)
    with pytest.raises(Invalid, match="one has to stay"):
        actions.ring_pool_shrink(by=None, pool=pool, count=3)


def test_archive_releases_everything_and_the_key_opens_nothing(scene):
    pool = create(scene, max_pool_size=3).pool
    ask(pool, "a")
    assert actions.ring_pool_archive(by=None, pool=pool, reason="Site closed").released == 4
    assert counters_of(scene.network) == (0, 0)
    with pytest.raises(NotFound):
        ask(pool, "a")
    assert actions.ring_pool_archive(by=None, pool=pool).released == 0
    for change in (
        lambda: actions.ring_pool_update(by=None, pool=pool, name="x"),
        lambda: actions.ring_pool_grow(by=None, pool=pool, count=1),
        lambda: actions.ring_pool_shrink(by=None, pool=pool, count=1),
    ):
        with pytest.raises(Conflict) as error:
            change()
        assert error.value.code == "pool_archived"


def test_nothing_is_added_to_an_archived_campaign(scene):
    scene.roofing.status = "Archived"
    scene.roofing.save()
    with pytest.raises(Conflict) as error:
        create(scene)
    assert error.value.code == "wrong_status"


def test_who_may(scene):
    pool = create(scene).pool
    people = scene.people
    allowed = {"member", "manager", "super", "staff"}
    hidden = {"limited", "outsider"}
    for name in ("limited", "observer", "member", "manager", "super", "staff", "outsider"):
        user = getattr(people, name)
        tries = [
            lambda user=user, name=name: actions.ring_pool_create(by=user, campaign=scene.plumbing, name=f"By {name}"),
            lambda user=user, name=name: actions.ring_pool_update(by=user, pool=pool, name=f"By {name}"),
            lambda user=user: actions.ring_pool_grow(by=user, pool=pool, count=1),
            lambda user=user: actions.ring_pool_shrink(by=user, pool=pool, count=1),
        ]
        if name == "observer":
            tries.append(lambda user=user: actions.ring_pool_archive(by=user, pool=pool))
        for attempt in tries:
            if name in allowed:
                attempt()
                continue
            with pytest.raises(NotFound if name in hidden else NotAllowed):
                attempt()


def test_a_wrong_key_and_another_pools_key_open_nothing(scene):
    one, two = create(scene).pool, create(scene, name="Two").pool
    for pool_id, key in ((one.pk, two.api_key), (one.pk, ""), (10**12, one.api_key), (-1, one.api_key), (2**70, "x")):
        with pytest.raises(NotFound):
            number_allocate(pool_id=pool_id, key=key, params={"visitor": "a"})


@pytest.mark.parametrize(
    "params",
    [{str(n): "x" for n in range(51)}, {"n" * 101: "x"}, {"": "x"}, {"page": "x" * 1001}],
)
def test_hostile_parameters_are_refused(scene, params):
    with pytest.raises(Invalid):
        number_allocate(pool_id=scene.pool.pk, key=scene.pool.api_key, params=params)
