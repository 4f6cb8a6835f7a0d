"""Numbers into a RingPool and out of it. Everything here runs inside a transaction that holds the network (network_hold)."""

from django.db.models import F, Q
from django.db.models.functions import Now

from portal.accounts.models import User
from portal.errors import Conflict
from promo_numbers.choices import NumberState, StockState
from promo_numbers.models import PoolSlot, PromoNumber, RingPool, StockNumber
from promo_numbers.suppliers import Wanted
from promo_numbers.suppliers.registry import remote_of

from .numbers import dynamic_numbers_add, numbers_release
from .orders import dynamic_numbers_order
from .pool_fields import wishes


def pool_size(pool: RingPool) -> int:
    """Numbers that visitors share now (its overflow number not counted)."""
    return PoolSlot.objects.filter(pool=pool).count()


def _by_prefix(pool: RingPool, count: int) -> list[str]:
    """Free numbers of the stock that begin with one of the pool's longer prefixes; locked until the transaction ends."""
    wanted = Q()
    for prefix in pool.tn_prefix_whitelist:
        if len(prefix) > 3:
            wanted |= Q(number__gte=f"+1{prefix}", number__lt=f"+1{prefix}:")
    if not wanted:
        return []
    rows = StockNumber.objects.filter(wanted, state=StockState.FREE, kind=pool.promo_type).filter(
        Q(network=None) | Q(network=pool.network_id)
    )
    return list(
        rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk").values_list("number", flat=True)[:count]
    )


def pool_add(pool: RingPool, count: int, *, by: User | None, overflow: bool = False) -> int:
    """Take up to `count` numbers of the stock into the pool, as its wishes say, and order the rest from the network's remote
    supplier if it has one; returns how many there were, ordered ones too.

    Raises LimitReached when they would not fit under the network's limits.
    """
    left = count
    if left > 0 and (numbers := _by_prefix(pool, left)):
        dynamic_numbers_add(
            by=by,
            pool=pool,
            count=len(numbers),
            wanted=Wanted(kind=pool.promo_type),
            numbers=numbers,
            overflow=overflow,
        )
        left -= len(numbers)
    for wanted in wishes(pool):
        # As many as asked for, or as many as the refusal says that there are.
        attempt = left
        while attempt > 0:
            try:
                dynamic_numbers_add(by=by, pool=pool, count=attempt, wanted=wanted, overflow=overflow)
            except Conflict as error:
                if error.code != "out_of_numbers":
                    raise
                attempt = min(attempt - 1, error.details["free"])
            else:
                left -= attempt
                break
    if left > 0:
        left -= _order(pool, left, by=by, overflow=overflow)
    return count - left


def _order(pool: RingPool, count: int, *, by: User | None, overflow: bool) -> int:
    """Buy what the stock does not have, if the network has a remote supplier; returns how many are ordered now. What is on
    its way already is not ordered again."""
    wanted = [wish for wish in wishes(pool) if wish.kind == pool.promo_type]
    wanted = wanted or [Wanted(kind=pool.promo_type, prefixes=tuple(pool.tn_prefix_whitelist))]
    coming = PromoNumber.objects.filter(ring_pool=pool, state=NumberState.ORDERED, is_overflow=overflow).count()
    if count <= coming or not remote_of(pool.network):
        return 0
    return len(dynamic_numbers_order(by=by, pool=pool, count=count - coming, wishes=wanted, overflow=overflow))


def out_of_numbers(pool: RingPool, found: int, count: int) -> Conflict:
    """The refusal of a pool that does not wait."""
    places = "; ".join(str(wanted) for wanted in wishes(pool)) or f"{pool.promo_type} number"
    return Conflict(
        f"The stock has {found} of the {count} numbers asked for ({places}). Ask for other area codes, let the pool use"
        " toll-free numbers or wait (allocation_fallback_strategy), or have platform staff fill the stock.",
        code="out_of_numbers", field="max_pool_size", details={"free": found, "asked": count},
    )  # fmt: skip


def pool_drop(pool: RingPool, count: int, *, by: User | None, reason: str, longest_unused: Q | None = None) -> int:
    """Release up to `count` numbers that no visitor holds, the longest free first; returns how many were free.

    The slots are locked first, so that none of them is given to a visitor meanwhile.
    """
    if count <= 0:
        return 0
    free = PoolSlot.objects.filter(pool=pool, until__lte=Now())
    if longest_unused is not None:
        free = free.filter(longest_unused)
    chosen = list(
        free.select_for_update(skip_locked=True, of=("self",))
        .order_by(F("until"), "promo_number_id")
        .values_list("promo_number_id", flat=True)[:count]
    )
    numbers = PromoNumber.objects.select_related("campaign", "network").filter(pk__in=chosen, state=NumberState.ACTIVE)
    return numbers_release(by=by, numbers=list(numbers), reason=reason)
