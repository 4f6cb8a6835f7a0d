"""What RingPools do by themselves: grow when they run short, give back what they do not use, sum up their use.

Every job here looks at the rows, not at the tick that woke it: it may run twice at once, late, or not at all.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from campaigns.choices import CampaignStatus
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.audit.actions import record
from portal.errors import Conflict
from portal.notices.actions import notify
from promo_numbers.choices import NumberState
from promo_numbers.models import Allocation, PoolUsage, PromoNumber, RingPool
from promo_numbers.queries.limits import limits_on_adding

from .limits import SENTENCE, LimitReached
from .notices import csm_of
from .numbers import network_hold
from .pool_fields import waits
from .pool_sizes import pool_add, pool_drop, pool_size

SCALE_AT = 0.75
# Two runs of the same five minutes are one step.
STEP_AT_MOST_EVERY = timedelta(minutes=4)
LOOK_BACK = timedelta(minutes=10)
ALLOCATIONS_KEPT = timedelta(days=90)
USAGE_KEPT = timedelta(days=400)


@dataclass(frozen=True)
class Need:
    """Why a pool should grow, and up to which size it may by itself (None: as far as the limits let it)."""

    reason: str
    most: int | None


def pools_sum_up() -> bool:
    """Sum up allocations, misses and peaks by five minutes (`PoolUsage`), exactly. False when another run is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT numbers_pools_sum_up()")
        row = cursor.fetchone()
        return bool(row and row[0])


def need_of(pool: RingPool, size: int, now: datetime) -> Need | None:
    """Why `pool` of `size` numbers should grow now; None when it should not.

    It grows by itself when auto_scale is on (up to scale_max), or up to max_pool_size when it did not begin full; in both
    cases at 75 % in use, or after somebody found no free number since it last grew.
    """
    if pool.shrink_to is not None or (pool.scaled_at and pool.scaled_at > now - STEP_AT_MOST_EVERY):
        return None
    if pool.auto_scale:
        most = pool.scale_max
    elif not pool.fill_immediately and size < pool.max_pool_size:
        most = pool.max_pool_size
    else:
        return None
    since = max(now - LOOK_BACK, pool.scaled_at or pool.created_at)
    if pool.exhausted_at and pool.exhausted_at > since:
        return Need(f"a visitor found no free number at {pool.exhausted_at:%H:%M} UTC", most)
    peak = PoolUsage.objects.filter(pool=pool, at__gte=since).aggregate(most=Max("peak"))["most"] or 0
    held = pool.slots.filter(until__gt=Now()).count()
    used = max(peak, held)
    if size and used / size >= SCALE_AT:
        return Need(f"{used} of {size} numbers in use", most)
    return None


def pools_scale() -> int:
    """Let every pool grow or shrink one step as it needs. Returns how many changed."""
    rows = RingPool.objects.filter(archived_at=None).exclude(campaign__status=CampaignStatus.ARCHIVED)
    open_ends = (
        Q(auto_scale=True)
        | Q(fill_immediately=False)
        | Q(shrink_to__isnull=False)
        | Q(local_number_preferences__allocation_fallback_strategy="Wait")
    )
    return sum(
        pool_scale(pool) for pool in rows.filter(open_ends).order_by("network_id", "pk").iterator(chunk_size=500)
    )


def pool_scale(pool: RingPool) -> bool:
    """One step of one pool; whether numbers came or went. Parallel runs wait for the network's row and then see the step
    taken."""
    now = timezone.now()
    if not (pool.shrink_to is not None or waits(pool) or need_of(pool, pool_size(pool), now)):
        return False
    with transaction.atomic():
        network_hold(pool.network_id)
        row = (
            RingPool.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
            .select_related("campaign__network")
            .filter(pk=pool.pk, archived_at=None)
            .first()
        )
        if row is None:
            return False
        size = pool_size(row)
        if row.shrink_to is not None:
            return _leave(row, size)
        missing = row.max_pool_size - size
        if waits(row) and _overflow_comes(row):
            return True
        if waits(row) and row.fill_immediately and missing > 0:
            return _grow(row, missing, now, "the pool waits for numbers") > 0
        need = need_of(row, size, now)
        if need is None:
            return False
        step = min(max(1, math.ceil(size * row.growth_percent / 100)), row.growth_ceiling)
        if need.most is not None:
            step = min(step, need.most - size)
        if step <= 0:
            _refused(row, now, f"It has {size} numbers and may not grow beyond {need.most} by itself ({need.reason}).")
            return False
        return _grow(row, step, now, need.reason) > 0


def _overflow_comes(row: RingPool) -> bool:
    """Take the overflow number that the stock did not have when the pool was created, if it has one now."""
    has = PromoNumber.objects.filter(ring_pool=row, is_overflow=True, state=NumberState.ACTIVE).exists()
    if (
        has
        or not row.allow_overflow
        or not all(view.lets_in(1) for view in limits_on_adding(row.campaign, dynamic=True))
    ):
        return False
    return pool_add(row, 1, by=None, overflow=True) > 0


def _leave(row: RingPool, size: int) -> bool:
    """Release what visitors have left since the pool was made smaller."""
    assert row.shrink_to is not None
    released = pool_drop(row, size - row.shrink_to, by=None, reason="The pool was made smaller.")
    if size - released <= row.shrink_to:
        row.shrink_to = None
        row.save(update_fields=["shrink_to", "updated_at"])
    return released > 0


def _grow(row: RingPool, step: int, now: datetime, why: str) -> int:
    """Add `step` numbers, or as many as the limits and the stock have; what was refused is noted on the pool."""
    limits = limits_on_adding(row.campaign, dynamic=True)
    room = min((view.free for view in limits if view.free is not None), default=step)
    added, refusal = 0, ""
    if room < step:
        reached = [view for view in limits if not view.lets_in(step)]
        refusal = f"{SENTENCE} " + LimitReached(row.campaign, limits, reached, step).explanation
    try:
        if room > 0:
            wanted = min(step, room)
            added = pool_add(row, wanted, by=None)
            if added < wanted:
                refusal = refusal or f"The stock had {added} of the {wanted} numbers that it wanted ({why})."
    except Conflict as error:
        refusal = f"{error.message} {getattr(error, 'explanation', '')}".strip()
    if added:
        row.scaled_at = now
        record(
            event="ring_pool.scale", obj=row, by=None, network=row.campaign.network,
            changes={"numbers": [None, added]}, reason=why,
        )  # fmt: skip
    if refusal:
        _refused(row, now, refusal)
    else:
        row.scale_refusal, row.scale_refused_at = "", None
    row.save(update_fields=["scaled_at", "scale_refusal", "scale_refused_at", "updated_at"])
    return added


def _refused(row: RingPool, now: datetime, reason: str) -> None:
    """Note on the pool why it could not grow, and tell those who can help, once a day."""
    row.scale_refusal, row.scale_refused_at = reason, now
    row.save(update_fields=["scale_refusal", "scale_refused_at", "updated_at"])
    network = row.campaign.network
    people = User.objects.filter(
        memberships__network=network, memberships__role__gte=Role.MANAGER, is_active=True
    ).distinct()
    notify(
        users=[*people, *csm_of(network)], network=network, kind="ring_pool.short",
        title=f"RingPool “{row}” could not grow", body=f"The RingPool “{row}” of “{row.campaign}” could not grow: {reason}",
        link=reverse("numbers:pool", args=[row.pk]), key=f"ring_pool.short:{row.pk}:{now:%Y-%m-%d}",
    )  # fmt: skip


def pools_clean(now: datetime | None = None) -> int:
    """Month-end clean-up: pools that grew by themselves give back the numbers that nobody used in the month that ended (in
    the network's time zone), never below max_pool_size. Runs daily; each pool and month once. Returns how many went."""
    now = now or timezone.now()
    rows = RingPool.objects.filter(archived_at=None, auto_scale=True).select_related("network")
    grown = rows.annotate(size=Count("slots")).filter(size__gt=F("max_pool_size")).order_by("network_id", "pk")
    return sum(_clean(pool, now) for pool in grown)


def _month_before(now: datetime, zone: str) -> tuple[date, datetime, datetime]:
    """(its first day, its start, its end) of the month before `now` in `zone`."""
    end = now.astimezone(ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = (end - timedelta(days=1)).replace(day=1)
    return start.date(), start, end


def _clean(pool: RingPool, now: datetime) -> int:
    month, start, end = _month_before(now, pool.network.time_zone)
    if pool.cleaned_for == month:
        return 0
    with transaction.atomic():
        network_hold(pool.network_id)
        row = RingPool.objects.select_for_update(no_key=True, of=("self",)).select_related("campaign__network").get(
            pk=pool.pk
        )  # fmt: skip
        if row.cleaned_for == month or row.archived_at:
            return 0
        # A slot's `until` is its visitor's last request and a lifetime; one that was never used has no visitor.
        last_use = start + timedelta(seconds=row.lifetime_seconds)
        unused = Q(visitor=None) | Q(until__lt=last_use)
        # Called or added since: it has had no month to prove itself.
        kept = PromoNumber.objects.filter(ring_pool=row, state=NumberState.ACTIVE).filter(
            Q(last_called_on__gte=month) | Q(created_at__gte=end)
        )
        over = pool_size(row) - row.max_pool_size
        went = pool_drop(
            row, over, by=None, reason=f"Unused in {start:%B %Y}",
            longest_unused=unused & ~Q(promo_number__in=kept.values("pk")),
        )  # fmt: skip
        row.cleaned_for = month
        row.save(update_fields=["cleaned_for", "updated_at"])
        return went


def pools_forget(now: datetime | None = None) -> int:
    """Delete what is too old to be of use: visits after 90 days, sums after 400. Returns how many rows went."""
    now = now or timezone.now()
    old, _ = Allocation.objects.filter(started_at__lt=now - ALLOCATIONS_KEPT).delete()
    sums, _ = PoolUsage.objects.filter(at__lt=now - USAGE_KEPT).delete()
    return old + sums
