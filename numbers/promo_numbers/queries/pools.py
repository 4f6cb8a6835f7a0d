"""RingPools as people see them: size, what is held, how it went, what to do about it, and whose number was called."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.ports import Visit
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.web.charts import Chart, Series
from promo_numbers.choices import NumberState
from promo_numbers.models import Allocation, PoolSlot, PoolUsage, PromoNumber, RingPool

from .sizing import Sizing, sizing

# Another product advises adding numbers when pool use passes 75 % (domain/promo-numbers.md).
ADVISE_ABOVE = 0.75
DAY = timedelta(hours=24)
WINDOW = timedelta(minutes=5)


@dataclass(frozen=True)
class PoolFigures:
    """A pool now, and its last 24 hours. missed: requests that found no free number; peak: most numbers held at once."""

    size: int = 0
    held: int = 0
    missed: int = 0
    allocations: int = 0
    peak: int = 0

    @property
    def free(self) -> int:
        return self.size - self.held

    @property
    def peak_share(self) -> float:
        """The peak as a share of the present size; above 1 when the pool was made smaller since."""
        return self.peak / self.size if self.size else 0.0


def pools_visible(user: User, network: Network) -> QuerySet[RingPool]:
    """The network's RingPools that `user` may see, archived ones too."""
    return access.restrict(RingPool.objects.filter(network=network), user)


def pool_list(
    *, user: User, network: Network, campaign: Campaign | None = None, search: str = "", archived: bool = False
) -> QuerySet[RingPool]:
    """The pools for a list, by name; to be cut by `keyset`."""
    rows = pools_visible(user, network).select_related("campaign").filter(archived_at__isnull=not archived)
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    if search:
        rows = rows.filter(
            Q(name__icontains=search) | Q(id_from_network__iexact=search) | Q(campaign__name__icontains=search)
        )
    return rows


def figures_of(pools: Iterable[RingPool]) -> dict[int, PoolFigures]:
    """{pool id: figures} of a page of pools: two statements for all."""
    ids = [pool.pk for pool in pools]
    slots = PoolSlot.objects.filter(pool__in=ids).values("pool_id").order_by()
    sizes = {
        row["pool_id"]: (row["size"], row["held"])
        for row in slots.annotate(size=Count("pk"), held=Count("pk", filter=Q(until__gt=Now())))
    }
    days = PoolUsage.objects.filter(pool__in=ids, at__gte=timezone.now() - DAY).values("pool_id").order_by()
    past = {
        row["pool_id"]: row
        for row in days.annotate(missed=Sum("exhausted"), taken=Sum("allocations"), most=Max("peak"))
    }
    found = {}
    for pk in ids:
        size, held = sizes.get(pk, (0, 0))
        row: Any = past.get(pk) or {}
        most = max(row.get("most") or 0, held)
        found[pk] = PoolFigures(size, held, row.get("missed") or 0, row.get("taken") or 0, most)
    return found


@dataclass(frozen=True)
class Advice:
    """How many numbers to add, and why; `working` is the sum behind it."""

    text: str
    add: int
    working: list[str]


def busiest_hour(pool: RingPool) -> int:
    """New visitors in the busiest hour of the last 24: those who got a number and those who found none."""
    rows = PoolUsage.objects.filter(pool=pool, at__gte=timezone.now() - DAY).order_by("at")
    counts = {row.at: row.allocations + row.exhausted for row in rows}
    return max(
        (sum(count for at, count in counts.items() if start <= at < start + timedelta(hours=1)) for start in counts),
        default=0,
    )


def pool_advice(pool: RingPool, figures: PoolFigures) -> Advice | None:
    """What to do about a pool that was more than 75 % in use, or exhausted, in the last 24 hours; None when all is well."""
    if not figures.size or (figures.peak_share <= ADVISE_ABOVE and not figures.missed):
        return None
    hour = busiest_hour(pool)
    needed: Sizing = sizing(hour, pool.lifetime_seconds)
    # Also where visitors came in one burst: the peak itself has to stay below 75 %.
    enough = max(needed.numbers, math.ceil(figures.peak / ADVISE_ABOVE))
    add = max(0, enough - figures.size)
    why = f"{figures.peak:,} of {figures.size:,} numbers were in use at once in the last 24 hours"
    if figures.missed:
        why += f", and {figures.missed:,} request{'s' if figures.missed != 1 else ''} found none free"
    text = f"{why}. Add {add:,} number{'s' if add != 1 else ''}." if add else f"{why}; its size is enough by now."
    working = [
        *needed.working,
        f"Peak: {figures.peak:,} ÷ {ADVISE_ABOVE:.0%} = {math.ceil(figures.peak / ADVISE_ABOVE):,}.",
    ]
    return Advice(text, add, working)


def _steps(span: str) -> tuple[list[datetime], timedelta, str]:
    """(starts, length, label pattern) of the windows of a chart: 24 hours by quarter hours, or 7 days by hours."""
    length, count, pattern = (
        (timedelta(hours=1), 168, "%a %H:%M") if span == "7d" else (timedelta(minutes=15), 96, "%H:%M")
    )
    now = timezone.now()
    last = now - timedelta(seconds=now.timestamp() % length.total_seconds())
    return [last - length * (count - 1 - index) for index in range(count)], length, pattern


def pool_charts(pool: RingPool, span: str = "24h") -> tuple[Chart, Chart]:
    """(use against size, visitors who got a number and those who found none) over 24 hours or 7 days."""
    starts, length, pattern = _steps(span)
    found: dict[int, list[int]] = {}
    first = starts[0]
    rows = PoolUsage.objects.filter(pool=pool, at__gte=first).values_list(
        "at", "size", "peak", "allocations", "exhausted"
    )
    for at, size, peak, taken, missed in rows:
        index = int((at - first) / length)
        sums = found.setdefault(index, [0, 0, 0, 0])
        sums[0], sums[1] = max(sums[0], size), max(sums[1], peak)
        sums[2], sums[3] = sums[2] + taken, sums[3] + missed
    zone = ZoneInfo(pool.network.time_zone)
    labels = [start.astimezone(zone).strftime(pattern) for start in starts]

    def column(number: int, missing: int | None) -> list[float | None]:
        return [found[index][number] if index in found else missing for index in range(len(starts))]

    use = Chart(
        "Numbers in use at once", labels, [Series("In use", column(1, None)), Series("Size", column(0, None), "limit")],
        unit="numbers", label_heading="Time",
    )  # fmt: skip
    visits = Chart(
        "Visitors", labels, [Series("Got a number", column(2, 0)), Series("Found none free", column(3, 0), "bad")],
        stacked=True, unit="visitors", label_heading="Time",
    )  # fmt: skip
    return use, visits


@dataclass(frozen=True)
class Holder:
    """A visitor who holds a number now: since when, until when, and what his page said of him."""

    number: PromoNumber
    since: datetime | None
    until: datetime
    params: dict[str, Any]
    who: str


def pool_holders(pool: RingPool, limit: int = 25) -> list[Holder]:
    """The visitors who hold a number now, the last one first. Two statements."""
    slots = list(
        PoolSlot.objects.select_related("promo_number").filter(pool=pool, until__gt=Now()).order_by("-until")[:limit]
    )
    visits = last_visits(slot.promo_number_id for slot in slots)
    return [
        Holder(
            slot.promo_number, visit.started_at if visit else None, slot.until, visit.params if visit else {},
            (slot.visitor or "")[:8],
        )
        for slot in slots
        for visit in [visits.get(slot.promo_number_id)]
    ]  # fmt: skip


def last_visits(numbers: Iterable[int]) -> dict[int, Allocation]:
    """{number id: its last visitor's time with it}."""
    rows = Allocation.objects.filter(promo_number__in=list(numbers))
    return {
        row.promo_number_id: row for row in rows.order_by("promo_number_id", "-started_at").distinct("promo_number_id")
    }


def pool_numbers(pool: RingPool) -> QuerySet[PromoNumber]:
    """The pool's numbers in use, each with its slot (the overflow number has none); to be cut by `keyset`."""
    return PromoNumber.objects.select_related("slot").filter(ring_pool=pool).exclude(state=NumberState.RELEASED)


def visit_of_number(network_id: int, number: str, at: datetime) -> Visit | None:
    """Whom a call at `at` to a dynamic number is attributed to; None for a static one. Fills `campaigns.ports`."""
    row = (
        PromoNumber.objects.select_related("ring_pool")
        .filter(network_id=network_id, number=number, created_at__lte=at, ring_pool__isnull=False)
        .filter(Q(released_at=None) | Q(released_at__gt=at))
        .order_by("-id")
        .first()
    )
    if row is None or row.ring_pool is None:
        return None
    address = reverse("numbers:pool", args=[row.ring_pool_id])
    if row.is_overflow:
        return Visit(
            str(row.ring_pool), address, None, {}, "The pool was exhausted: its overflow number belongs to no visitor."
        )
    visit = Allocation.objects.filter(promo_number=row, started_at__lte=at).order_by("-started_at").first()
    if visit is None:
        return Visit(
            str(row.ring_pool), address, None, {}, "No visitor had this number in the 90 days that visits are kept."
        )
    return Visit(str(row.ring_pool), address, visit.started_at, visit.params, "")
