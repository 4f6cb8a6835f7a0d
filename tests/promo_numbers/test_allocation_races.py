"""One visitor, one number, whatever comes at once: real threads, and a check of its own over what they were given.

The first test does what the portal does not do - it looks for a free number and then writes it down - and shows that
the same threads then give one number to two visitors.
"""

import random
import time
from datetime import timedelta
from threading import Lock

import pytest
from django.db import connection
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions.allocation import number_allocate, visitor_digest
from promo_numbers.models import Allocation, PoolMiss, PoolSlot, PromoNumber, RingPool
from promo_numbers.suppliers import Wanted

from tests.campaigns.race import Tally, deadlocks, together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_deadlocks():
    before = deadlocks()
    yield
    assert deadlocks() == before


def filled(pool, count, lifetime=1800):
    RingPool.objects.filter(pk=pool.pk).update(lifetime_seconds=lifetime, max_pool_size=count, allow_overflow=False)
    pool.refresh_from_db()
    return actions.dynamic_numbers_add(by=None, pool=pool, count=count, wanted=Wanted())


def short_lifetimes():
    """Lifetimes below the minute that people may set: the race must turn over. Put back by `lifetimes_back`."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE numbers_ringpool DROP CONSTRAINT pool_lifetime_in_range")


def lifetimes_back():
    RingPool.objects.update(lifetime_seconds=60)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE numbers_ringpool ADD CONSTRAINT pool_lifetime_in_range"
            " CHECK (lifetime_seconds BETWEEN 60 AND 2592000)"
        )


class Log:
    """Who was given which number from when to when, as the answers said."""

    def __init__(self):
        self.lock, self.grants = Lock(), []

    def note(self, visitor, answer, lifetime):
        with self.lock:
            self.grants.append((answer.number_id, answer.until - timedelta(seconds=lifetime), answer.until, visitor))


def shared(grants):
    """Numbers that two visitors held at once: for each number, its grants in order of time; who comes may not come before
    the time of who was there has run out."""
    found, last = [], {}
    for number, since, until, visitor in sorted(grants):
        who, his_end = last.get(number, (visitor, since))
        if who != visitor and since < his_end:
            found.append((number, who, visitor))
        last[number] = (visitor, until if who != visitor else max(until, his_end))
    return found


def test_without_the_lock_two_visitors_share_a_number(scene):
    filled(scene.pool, 8)
    log = Log()

    def naive(number):
        for turn in range(4):
            free = PoolSlot.objects.filter(pool=scene.pool, until__lte=timezone.now()).order_by("until").first()
            if free is None:
                return
            time.sleep(0.002)
            until = timezone.now() + timedelta(seconds=1800)
            visitor = f"{number}-{turn}"
            PoolSlot.objects.filter(pk=free.pk).update(visitor=visitor, until=until)
            with log.lock:
                log.grants.append((free.pk, until - timedelta(seconds=1800), until, visitor))

    together(naive)
    assert shared(log.grants), "the race did not show: the other tests here would prove nothing"


def test_as_many_visitors_as_numbers_each_get_their_own(scene):
    filled(scene.pool, 64)
    log, tally = Log(), Tally()

    def work(number):
        for turn in range(5):
            answer = number_allocate(
                pool_id=scene.pool.pk, key=scene.pool.api_key, params={"visitor": f"{number}-{turn}"}
            )
            tally.add(answer.outcome)
            if answer.is_own:
                log.note(f"{number}-{turn}", answer, 1800)

    together(work)
    # 80 visitors, 64 numbers: a free one is never overlooked for good, and none is given twice.
    assert tally.counts["taken"] == 64 and tally.counts["destination"] == 16
    assert shared(log.grants) == []
    assert len({number for number, *_ in log.grants}) == 64
    assert Allocation.objects.count() == 64 and PoolMiss.objects.count() == 16


def test_one_visitor_in_many_requests_at_once_has_one_number(scene):
    filled(scene.pool, 30)
    seen = Tally()

    def work(number):
        for turn in range(20):
            visitor = f"visitor {turn}"
            answer = number_allocate(pool_id=scene.pool.pk, key=scene.pool.api_key, params={"visitor": visitor})
            seen.add((visitor, answer.number_id))

    together(work)
    assert len(seen.counts) == 20 and set(seen.counts.values()) == {16}
    assert Allocation.objects.count() == 20, "one row for each visitor's time with his number"
    assert PoolSlot.objects.exclude(visitor=None).count() == 20


def test_numbers_pass_on_only_after_their_time(scene):
    """Lifetimes of a second, more visitors than numbers, returning visitors, renewals, growing and releasing meanwhile."""
    short_lifetimes()
    try:
        filled(scene.pool, 12, lifetime=1)
        log, tally = Log(), Tally()

        def work(number):
            dice = random.Random(number)
            end = time.monotonic() + 6
            while time.monotonic() < end:
                if number == 0 and dice.random() < 0.1:
                    _grow_or_release(scene.pool, dice)
                visitor = f"{dice.randrange(40)}"
                answer = number_allocate(pool_id=scene.pool.pk, key=scene.pool.api_key, params={"visitor": visitor})
                tally.add(answer.outcome)
                if answer.is_own:
                    log.note(visitor, answer, 1)
                time.sleep(dice.uniform(0, 0.05))

        together(work)
    finally:
        lifetimes_back()
    assert shared(log.grants) == []
    assert all(tally.counts[outcome] > 20 for outcome in ("kept", "taken", "destination")), tally.counts
    holders = {}
    for row in Allocation.objects.order_by("started_at"):
        # The independent look at the rows alone: a new visitor of a number comes a lifetime or more after the last one.
        before = holders.get(row.promo_number_id)
        if before and before.visitor != row.visitor:
            assert row.started_at - before.started_at >= timedelta(seconds=1)
        holders[row.promo_number_id] = row
    assert Allocation.objects.count() == tally.counts["taken"]
    assert PoolMiss.objects.count() == tally.counts["destination"]


def _grow_or_release(pool, dice):
    if dice.random() < 0.5:
        actions.dynamic_numbers_add(by=None, pool=pool, count=1, wanted=Wanted())
        return
    free = list(PromoNumber.objects.filter(ring_pool=pool, state="active", slot__until__lte=timezone.now())[:1])
    held = PoolSlot.objects.filter(pool=pool).count()
    if held > 8:
        actions.numbers_release(by=None, numbers=free)


def test_the_digest_is_of_everything_or_of_the_visitor_alone():
    assert visitor_digest({"a": "1", "b": "2"}) == visitor_digest({"b": "2", "a": "1"})
    assert visitor_digest({"a": "1"}) != visitor_digest({"a": "2"})
    assert visitor_digest({"visitor": "x", "a": "1"}) == visitor_digest({"visitor": "x", "a": "2"})
    assert visitor_digest({"visitor": "x"}) != visitor_digest({"x": "visitor"})
    # Names and values cannot be shifted against each other.
    assert visitor_digest({"a": "1\nb"}) != visitor_digest({"a": "1", "b": ""})
