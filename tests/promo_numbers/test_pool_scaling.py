"""RingPools by themselves: growing within scale_max and all limits, month-end, and sums that are exact."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions.allocation import number_allocate
from promo_numbers.models import Allocation, PoolMiss, PoolSlot, PoolUsage, PromoNumber, RingPool

from portal.notices.models import Notice
from tests.campaigns.race import together

from .counting import assert_counted, counters_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(scene):
    return actions.ring_pool_create(
        by=None, campaign=scene.roofing, name="Search", max_pool_size=20, allow_overflow=False, auto_scale=True,
        growth_percent=20, growth_ceiling=3,
    ).pool  # fmt: skip


def ask(pool, visitor):
    return number_allocate(pool_id=pool.pk, key=pool.api_key, params={"visitor": visitor})


def size(pool):
    return PoolSlot.objects.filter(pool=pool).count()


def scale(pool):
    pool.refresh_from_db()
    return actions.pool_scale(pool)


def a_while_later(pool):
    RingPool.objects.filter(pk=pool.pk).update(scaled_at=timezone.now() - timedelta(minutes=5))


@pytest.mark.parametrize(("held", "grows"), [(14, False), (15, True), (20, True)])
def test_at_three_quarters_it_grows_by_percent_up_to_the_ceiling(pool, held, grows):
    for visitor in range(held):
        ask(pool, f"v{visitor}")
    assert scale(pool) is grows
    # 20 % of 20 would be 4; the ceiling of a step is 3.
    assert size(pool) == (23 if grows else 20)


def test_running_twice_is_one_step(pool):
    for visitor in range(20):
        ask(pool, f"v{visitor}")
    assert scale(pool) is True
    assert scale(pool) is False
    a_while_later(pool)
    assert scale(pool) is True and size(pool) == 26


def test_exhaustion_makes_it_grow_even_when_all_are_free_again(pool):
    RingPool.objects.filter(pk=pool.pk).update(created_at=timezone.now() - timedelta(hours=1))
    for visitor in range(21):
        ask(pool, f"v{visitor}")
    assert actions.pools_sum_up()
    PoolSlot.objects.filter(pool=pool).update(until=timezone.now() - timedelta(seconds=1))
    PoolUsage.objects.all().delete()
    assert scale(pool) is True


def test_it_stops_at_scale_max_and_says_so_once_a_day(pool, scene):
    actions.ring_pool_update(by=None, pool=pool, scale_max=21)
    for visitor in range(20):
        ask(pool, f"v{visitor}")
    assert scale(pool) is True and size(pool) == 21
    ask(pool, "one more")
    for _ in range(3):
        a_while_later(pool)
        assert scale(pool) is False
    pool.refresh_from_db()
    assert "may not grow beyond 21" in pool.scale_refusal
    told = Notice.objects.filter(kind="ring_pool.short")
    assert {notice.user for notice in told} == {scene.people.manager, scene.people.super, scene.people.staff}
    assert told.count() == 3


def test_the_limits_hold_and_the_refusal_has_the_sentence(pool, scene):
    scene.limits(dynamic=21, total=1000)
    for visitor in range(20):
        ask(pool, f"v{visitor}")
    assert scale(pool) is True, "as many as fit"
    assert size(pool) == 21 and counters_of(scene.network) == (21, 21)
    pool.refresh_from_db()
    assert pool.scale_refusal.startswith(actions.SENTENCE)
    assert "Dynamic numbers of the network: 20 of 21 used, 3 more asked for." in pool.scale_refusal
    assert Notice.objects.filter(kind="ring_pool.short", body__contains=actions.SENTENCE).exists()
    scene.limits()
    a_while_later(pool)
    ask(pool, "more")
    assert scale(pool) is True
    pool.refresh_from_db()
    assert pool.scale_refusal == "" and pool.scale_refused_at is None
    assert_counted(scene.network)


def test_a_pool_without_auto_scale_stays(pool):
    actions.ring_pool_update(by=None, pool=pool, auto_scale=False)
    for visitor in range(20):
        ask(pool, f"v{visitor}")
    assert scale(pool) is False and size(pool) == 20


def test_one_that_began_with_a_tenth_grows_to_its_size_and_no_further(scene):
    pool = actions.ring_pool_create(
        by=None, campaign=scene.roofing, name="Slow", max_pool_size=4, fill_immediately=False, allow_overflow=False
    ).pool
    assert size(pool) == 1
    for expected in (2, 3, 4, 4):
        for visitor in range(expected):
            ask(pool, f"v{visitor}")
        scale(pool)
        a_while_later(pool)
        assert size(pool) == expected


@pytest.mark.django_db(transaction=True)
def test_sixteen_scalers_of_many_pools_end_exactly_at_the_limit(scene):
    pools = [
        actions.ring_pool_create(
            by=None, campaign=scene.roofing, name=f"Pool {n}", max_pool_size=2, allow_overflow=False, auto_scale=True,
            growth_percent=100, growth_ceiling=5,
        ).pool
        for n in range(8)
    ]  # fmt: skip
    scene.limits(dynamic=23, total=1000)
    for pool in pools:
        for visitor in range(3):
            ask(pool, f"v{visitor}")
    together(lambda number: actions.pools_scale())
    assert counters_of(scene.network) == (23, 23)
    assert sorted(size(pool) for pool in pools) == [2, 3, 3, 3, 3, 3, 3, 3] or sum(size(pool) for pool in pools) == 23
    assert_counted(scene.network)
    refused = RingPool.objects.exclude(scale_refusal="")
    assert refused.exists()


def test_month_end_drops_what_was_not_used_and_nothing_below_the_size(pool, scene):
    actions.ring_pool_update(by=None, pool=pool, growth_percent=100, growth_ceiling=100)
    for visitor in range(20):
        ask(pool, f"v{visitor}")
    assert scale(pool) and size(pool) == 40
    now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    in_october, before = datetime(2026, 10, 15, tzinfo=UTC), datetime(2026, 9, 20, tzinfo=UTC)
    PromoNumber.objects.update(created_at=before)
    slots = list(PoolSlot.objects.filter(pool=pool).order_by("promo_number_id"))
    for index, slot in enumerate(slots):
        # 25 used in October, 5 last used in September, 10 never.
        visitor, until = (
            (f"d{index}", in_october) if index < 25 else (f"d{index}", before) if index < 30 else (None, before)
        )
        PoolSlot.objects.filter(pk=slot.pk).update(visitor=visitor, until=until)
    PromoNumber.objects.filter(pk=slots[39].pk).update(last_called_on=in_october.date())
    assert actions.pools_clean(now) == 14
    assert size(pool) == 26
    assert PoolSlot.objects.filter(pk=slots[39].pk).exists(), "it was called in October"
    assert actions.pools_clean(now + timedelta(days=3)) == 0, "once for each month"
    PoolSlot.objects.filter(pool=pool).update(until=before)
    assert actions.pools_clean(now + timedelta(days=30)) == 6
    assert size(pool) == 20, "never below the size that was set"
    assert_counted(scene.network)


def test_the_month_is_the_networks(pool, scene):
    scene.network.time_zone = "America/Los_Angeles"
    scene.network.save()
    from promo_numbers.actions.scaling import _month_before

    month, start, _end = _month_before(datetime(2026, 11, 1, 3, 0, tzinfo=UTC), "America/Los_Angeles")
    assert month.isoformat() == "2026-09-01", "in Los Angeles it is still October"
    assert start.isoformat() == "2026-09-01T00:00:00-07:00"


def usage():
    return list(PoolUsage.objects.order_by("at").values_list("size", "peak", "allocations", "exhausted"))


def test_sums_are_exact_however_often_they_are_made(pool, scene):
    scene.pool.delete()
    for visitor in range(22):
        ask(pool, f"v{visitor}")
    ask(pool, "v0")
    with connection.cursor() as cursor:
        # Everything a window ago, so that the clock cannot pass a boundary under the test.
        cursor.execute(
            "UPDATE numbers_allocation SET started_at = date_bin('5 min', now(), '2000-01-01') - interval '2 min'"
        )
        cursor.execute("UPDATE numbers_poolmiss SET at = date_bin('5 min', now(), '2000-01-01') - interval '2 min'")
    for _ in range(3):
        assert actions.pools_sum_up()
    assert PoolMiss.objects.count() == 0
    assert usage()[0] == (20, 20, 20, 2)
    assert sum(row[2] for row in usage()) == Allocation.objects.count() == 20
    ask(pool, "another")
    actions.pools_sum_up()
    assert sum(row[3] for row in usage()) == 3
    pool.refresh_from_db()
    assert pool.exhausted_at is not None


def test_what_happened_while_nobody_summed_up_is_not_lost(pool):
    actions.pools_sum_up()
    PoolUsage.objects.update(at=timezone.now() - timedelta(hours=3))
    for visitor in range(5):
        ask(pool, f"v{visitor}")
    Allocation.objects.update(started_at=timezone.now() - timedelta(hours=1))
    actions.pools_sum_up()
    assert sum(row[2] for row in usage()) == 5


def test_old_visits_are_forgotten(pool):
    ask(pool, "a")
    ask(pool, "b")
    Allocation.objects.filter(pk=Allocation.objects.order_by("pk")[0].pk).update(
        started_at=timezone.now() - timedelta(days=91)
    )
    assert actions.pools_forget() == 1
    assert Allocation.objects.count() == 1
