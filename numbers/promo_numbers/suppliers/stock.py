"""The stock: numbers that we hold. Taking one is part of the transaction that uses it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone

from portal.accounts.models import Network
from promo_numbers.choices import NumberState, StockState
from promo_numbers.models import PromoNumber, StockNumber

from .port import Wanted


def stock_pick(network: Network, wanted: Wanted, count: int = 1) -> list[tuple[str, str]]:
    """Take up to `count` free numbers: (number, supplier) each. Call it inside the transaction that uses them."""
    if wanted.prefixes or wanted.looks_like:
        return _pick_alike(network, wanted, count)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, supplier FROM numbers_pick(%s, %s, %s, %s::text[], %s, %s)",
            [
                network.pk, count, wanted.kind, list(wanted.area_codes) or None, wanted.locality or None,
                wanted.region or None,
            ],
        )  # fmt: skip
        return cursor.fetchall()


def _pick_alike(network: Network, wanted: Wanted, count: int) -> list[tuple[str, str]]:
    """The same where the digits themselves matter."""
    rows = StockNumber.objects.filter(Q(network=None) | Q(network=network), state=StockState.FREE, kind=wanted.kind)
    if wanted.area_codes:
        rows = rows.filter(area_code__in=wanted.area_codes)
    if wanted.locality:
        rows = rows.filter(locality__iexact=wanted.locality)
    if wanted.region:
        rows = rows.filter(region=wanted.region)
    if wanted.prefixes:
        begins = Q()
        for prefix in wanted.prefixes:
            begins |= Q(number__gte=f"+1{prefix}", number__lt=f"+1{prefix}:")
        rows = rows.filter(begins)
    if wanted.looks_like:
        rows = rows.filter(number__regex=wanted.pattern)
    found = list(rows.select_for_update(skip_locked=True, of=("self",)).order_by("area_code", "pk")[:count])
    StockNumber.objects.filter(pk__in=[row.pk for row in found]).update(state=StockState.USED)
    return [(row.number, row.supplier) for row in found]


def stock_rest(numbers: list[str]) -> None:
    """Let released numbers rest before they are handed out again (PROMO_NUMBER_REST_DAYS, 45 by default).

    Called while the network's counters are held, so it waits for nobody: whoever picked from the stock in the moment in
    which a number was taken keeps its row locked by accident (PostgreSQL locks the newest version before it looks at it
    again), and may be waiting for those counters. Such a row rests once this transaction is over; should that be lost with
    the process, `stock_released_rest` of the next beat does it.
    """
    used = StockNumber.objects.filter(number__in=numbers, state=StockState.USED)
    free = list(used.select_for_update(skip_locked=True, no_key=True).values_list("number", flat=True))
    _rest(free)
    if locked := sorted(set(used.values_list("number", flat=True)) - set(free)):
        transaction.on_commit(lambda: _rest_unused(locked), robust=True)


def _rest(numbers: Iterable[str], *more: Q | Combinable) -> int:
    rows = StockNumber.objects.filter(*more, number__in=numbers, state=StockState.USED)
    until = timezone.now() + timedelta(days=settings.PROMO_NUMBER_REST_DAYS)
    return rows.update(state=StockState.RESTING, rests_until=until)


def _rest_unused(numbers: Iterable[str]) -> int:
    """Later only what nobody has: by then somebody may have taken a number as his own."""
    return _rest(
        numbers, ~Exists(PromoNumber.objects.exclude(state=NumberState.RELEASED).filter(number=OuterRef("number")))
    )


def stock_released_rest(*, since: timedelta = timedelta(days=2)) -> int:
    """Let rest what was released lately and still stands as used. Returns how many."""
    released = PromoNumber.objects.filter(
        state=NumberState.RELEASED, released_at__gt=timezone.now() - since, number__in=_used()
    )
    return _rest_unused(list(released.values_list("number", flat=True).distinct()))


def _used() -> QuerySet[StockNumber, str]:
    return StockNumber.objects.filter(state=StockState.USED).values_list("number", flat=True)


def stock_wake(now: datetime | None = None) -> int:
    """Free what has rested long enough. Returns how many."""
    rested = StockNumber.objects.filter(state=StockState.RESTING, rests_until__lte=now or timezone.now())
    return rested.update(state=StockState.FREE, rests_until=None)


def stock_free(network: Network) -> int:
    """How many numbers the network could take now."""
    return StockNumber.objects.filter(Q(network=None) | Q(network=network), state=StockState.FREE).count()
