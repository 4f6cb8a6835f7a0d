"""RingPools: create, change, grow, shrink, archive. All need `manage_numbers` on the campaign."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.actions.advertisers import own_id
from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid
from promo_numbers.choices import NumberState
from promo_numbers.models import PromoNumber, RingPool
from promo_numbers.suppliers import Wanted

from .limits import limits_check
from .numbers import campaign_takes_numbers, dynamic_numbers_add, network_hold, numbers_release
from .pool_fields import DEFAULTS, MAX_SIZE, Problem, first_size, pool_values, waits
from .pool_sizes import out_of_numbers, pool_add, pool_drop, pool_size

_QUIET = ("extra",)


@dataclass(frozen=True)
class PoolWritten:
    """A pool after a write. added, released: numbers; waiting: how many it still lacks because the stock has too few;
    leaving: how many go back as soon as their visitors leave them."""

    pool: RingPool
    added: int = 0
    released: int = 0
    waiting: int = 0
    leaving: int = 0

    @property
    def remarks(self) -> list[str]:
        """What a user should know of it, one sentence each."""
        said = []
        if self.added:
            said.append(f"{self.added:,} number{'s' if self.added != 1 else ''} added.")
        if self.released:
            said.append(f"{self.released:,} number{'s' if self.released != 1 else ''} released.")
        if self.leaving:
            some = "1 number is" if self.leaving == 1 else f"{self.leaving:,} numbers are"
            said.append(f"{some} held by visitors now and will be released as soon as they leave them.")
        if self.waiting:
            some = "1 number" if self.waiting == 1 else f"{self.waiting:,} numbers"
            said.append(f"The stock has too few: the pool waits for {some} and takes them when they come.")
        return said


def _taken(error: IntegrityError, own: str) -> Conflict | None:
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if name != "pool_id_once_per_network":
        return None
    return Conflict(
        f"The id “{own}” is taken by another RingPool of the network (an archived one keeps its id too).",
        field="id_from_network", code="id_taken",
    )  # fmt: skip


def _customers_fit(clean: dict[str, Any], size: int, problems: list[Problem]) -> None:
    own = clean.get("customer_phone_numbers") or []
    if isinstance(own, list) and isinstance(size, int) and len(own) > size:
        text = f"{len(own)} numbers of yours, but max_pool_size is {size}: make the pool larger or give fewer."
        problems.append(("customer_phone_numbers", "too_many", text))


def _prefer(pool: RingPool) -> None:
    """Only one pool of a campaign is the preferred one: the others step back."""
    if pool.preferred:
        others = RingPool.objects.filter(campaign_id=pool.campaign_id, preferred=True)
        others.exclude(pk=pool.pk).update(preferred=False)


def ring_pool_create(
    *, by: User | None, campaign: Campaign, name: str, id_from_network: str | None = None, **values: Any
) -> PoolWritten:
    """Create a RingPool with its numbers, all or nothing.

    values: `pool_fields.FIELDS`. fill_immediately takes max_pool_size numbers at once, otherwise 10 % of them (rounded up);
    allow_overflow takes one more, the overflow number. customer_phone_numbers come first, the stock fills up.
    Raises Invalid, `LimitReached`, Conflict `out_of_numbers` (unless the pool waits), `id_taken`, `number_taken`.
    """
    access.require(by, "manage_numbers", campaign)
    problems: list[Problem] = []
    clean = {**DEFAULTS, **pool_values({"name": name, **values}, campaign, problems)}
    _customers_fit(clean, clean["max_pool_size"], problems)
    own = own_id(campaign.network, id_from_network, problems, "pool")
    if problems:
        raise Invalid.of(problems)
    campaign_takes_numbers(campaign)
    try:
        with transaction.atomic():
            network_hold(campaign.network_id)
            if clean["preferred"]:
                RingPool.objects.filter(campaign=campaign, preferred=True).update(preferred=False)
            pool = RingPool.objects.create(
                network_id=campaign.network_id, campaign=campaign, id_from_network=own, **clean
            )
            told = {field: value for field, value in clean.items() if field not in _QUIET and value not in ("", [], {})}
            record(
                event="ring_pool.create", obj=pool, by=by, network=campaign.network,
                changes=changes_between({}, {"id_from_network": own, **told}),
            )  # fmt: skip
            size = max(first_size(pool), len(pool.customer_phone_numbers))
            limits_check(campaign, dynamic=True, count=size + int(pool.allow_overflow))
            added, waiting = _fill(pool, size, by=by)
            if pool.allow_overflow:
                added += _overflow(pool, by=by)
            return PoolWritten(pool, added=added, waiting=waiting)
    except IntegrityError as error:
        if (refusal := _taken(error, own)) is None:
            raise
        raise refusal from error


def _fill(pool: RingPool, size: int, *, by: User | None) -> tuple[int, int]:
    """Bring the pool up to `size`; (numbers added, numbers that it waits for)."""
    missing = size - pool_size(pool)
    if missing <= 0:
        return 0, 0
    limits_check(pool.campaign, dynamic=True, count=missing)
    present = set(PromoNumber.objects.filter(ring_pool=pool, state=NumberState.ACTIVE).values_list("number", flat=True))
    own = [number for number in pool.customer_phone_numbers if number not in present][:missing]
    if own:
        dynamic_numbers_add(by=by, pool=pool, count=len(own), wanted=Wanted(kind=pool.promo_type), numbers=own)
    found = len(own) + pool_add(pool, missing - len(own), by=by)
    if found < missing and not waits(pool):
        raise out_of_numbers(pool, found, missing)
    return found, missing - found


def _overflow(pool: RingPool, *, by: User | None) -> int:
    """Give the pool its overflow number if it has none; a pool that waits may have to do without for now."""
    if PromoNumber.objects.filter(ring_pool=pool, is_overflow=True, state=NumberState.ACTIVE).exists():
        return 0
    found = pool_add(pool, 1, by=by, overflow=True)
    if not found and not waits(pool):
        raise out_of_numbers(pool, 0, 1)
    return found


def pool_locked(pool: RingPool) -> RingPool:
    """The pool as it is now, locked; the caller holds its network. Raises Conflict for an archived one."""
    row = RingPool.objects.select_for_update(no_key=True, of=("self",)).select_related("campaign__network").get(
        pk=pool.pk
    )  # fmt: skip
    if row.archived_at is not None:
        raise Conflict(f"“{row}” is archived; it is only history now.", code="pool_archived")
    return row


def ring_pool_update(*, by: User | None, pool: RingPool, **values: Any) -> PoolWritten:
    """Change a RingPool. A larger max_pool_size takes the missing numbers at once when fill_immediately is on; a smaller
    one releases numbers that nobody holds now, and the others as their visitors leave them. Raises as create does; Invalid
    `fixed` for another allow_overflow."""
    access.require(by, "manage_numbers", pool)
    problems: list[Problem] = []
    clean = pool_values(values, pool.campaign, problems)
    if clean.get("allow_overflow", pool.allow_overflow) != pool.allow_overflow:
        text = f"allow_overflow stays what it was when the pool was created: {str(pool.allow_overflow).lower()}."
        problems.append(("allow_overflow", "fixed", text))
    _customers_fit(
        {"customer_phone_numbers": clean.get("customer_phone_numbers", pool.customer_phone_numbers)},
        clean.get("max_pool_size", pool.max_pool_size), problems,
    )  # fmt: skip
    if problems:
        raise Invalid.of(problems)
    with transaction.atomic():
        network_hold(pool.network_id)
        row = pool_locked(pool)
        changes = changes_between({name: getattr(row, name) for name in clean}, clean)
        if not changes:
            return PoolWritten(row)
        before = row.max_pool_size
        for name, value in clean.items():
            setattr(row, name, value)
        _prefer(row)
        told = {name: pair for name, pair in changes.items() if name not in _QUIET}
        record(event="ring_pool.update", obj=row, by=by, network=row.campaign.network, changes=told)
        return _resized(row, before, by=by)


def _resized(row: RingPool, before: int, *, by: User | None) -> PoolWritten:
    """Save the pool with the numbers that its max_pool_size now asks for."""
    added = waiting = released = leaving = 0
    size = pool_size(row)
    if row.max_pool_size < before:
        released, leaving = _shrink(row, row.max_pool_size, size, by=by)
    elif row.shrink_to is not None and row.max_pool_size > row.shrink_to:
        row.shrink_to = None
    row.save()
    wanted = (
        row.max_pool_size
        if row.fill_immediately
        else max(min(size, row.max_pool_size), len(row.customer_phone_numbers))
    )
    if row.shrink_to is None and wanted > size - released:
        added, waiting = _fill(row, wanted, by=by)
    return PoolWritten(row, added=added, released=released, waiting=waiting, leaving=leaving)


def _shrink(row: RingPool, target: int, size: int, *, by: User | None) -> tuple[int, int]:
    """(released now, leaving later); notes on the pool what is left to do."""
    released = pool_drop(row, size - target, by=by, reason="The pool was made smaller.")
    leaving = max(0, size - released - target)
    row.shrink_to = target if leaving else None
    return released, leaving


def _count(count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 1000:
        raise Invalid(f"Between 1 and 1,000 numbers at a time; it is {count}.", field="count", code="out_of_range")
    return count


def ring_pool_grow(*, by: User | None, pool: RingPool, count: int) -> PoolWritten:
    """Add `count` numbers to the pool now; max_pool_size grows with it where it has to. All or none, unless it waits."""
    access.require(by, "manage_numbers", pool)
    _count(count)
    with transaction.atomic():
        network_hold(pool.network_id)
        row = pool_locked(pool)
        size = pool_size(row) + count
        if size > MAX_SIZE:
            raise Invalid(f"A pool has at most {MAX_SIZE:,} numbers.", field="count", code="out_of_range")
        if size > row.max_pool_size:
            record(
                event="ring_pool.update", obj=row, by=by, network=row.campaign.network,
                changes={"max_pool_size": [row.max_pool_size, size]},
            )  # fmt: skip
            row.max_pool_size = size
        row.shrink_to = None
        row.save()
        added, waiting = _fill(row, size, by=by)
        return PoolWritten(row, added=added, waiting=waiting)


def ring_pool_shrink(*, by: User | None, pool: RingPool, count: int) -> PoolWritten:
    """Take `count` numbers out of the pool: those that nobody holds now, the others as their visitors leave them. At least
    one stays; max_pool_size is what stays."""
    access.require(by, "manage_numbers", pool)
    _count(count)
    with transaction.atomic():
        network_hold(pool.network_id)
        row = pool_locked(pool)
        size = pool_size(row)
        if count >= size:
            raise Invalid(
                f"The pool has {size:,} number{'s' if size != 1 else ''}; one has to stay. Archive it to release all.",
                field="count", code="out_of_range",
            )  # fmt: skip
        target = size - count
        if target < row.max_pool_size:
            record(
                event="ring_pool.update", obj=row, by=by, network=row.campaign.network,
                changes={"max_pool_size": [row.max_pool_size, target]},
            )  # fmt: skip
            row.max_pool_size = target
        if len(row.customer_phone_numbers) > target:
            row.customer_phone_numbers = row.customer_phone_numbers[:target]
        released, leaving = _shrink(row, target, size, by=by)
        row.save()
        return PoolWritten(row, released=released, leaving=leaving)


def ring_pool_archive(*, by: User | None, pool: RingPool, reason: str = "") -> PoolWritten:
    """Archive a pool: its key opens nothing any more, and all its numbers are released, also those that visitors hold."""
    access.require(by, "manage_numbers", pool)
    with transaction.atomic():
        network_hold(pool.network_id)
        try:
            row = pool_locked(pool)
        except Conflict:
            return PoolWritten(RingPool.objects.select_related("campaign__network").get(pk=pool.pk))
        numbers = PromoNumber.objects.select_related("campaign", "network").filter(
            ring_pool=row, state=NumberState.ACTIVE
        )
        released = numbers_release(by=by, numbers=list(numbers), reason=reason or f"RingPool {row} archived")
        row.archived_at, row.preferred, row.auto_scale, row.shrink_to = timezone.now(), False, False, None
        row.save()
        record(
            event="ring_pool.archive", obj=row, by=by, network=row.campaign.network,
            changes={"numbers": [released, 0]}, reason=reason,
        )  # fmt: skip
        return PoolWritten(row, released=released)
