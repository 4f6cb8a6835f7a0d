"""The stock: taken away from, given to a network, woken from its rest; and held against what suppliers say that we hold."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import record
from portal.errors import Conflict, NotAllowed
from portal.notices.actions import notify
from promo_numbers.choices import NumberState, OrderState, StockState
from promo_numbers.models import NumberOrder, PromoNumber, StockNumber
from promo_numbers.suppliers import Held, Supplier, SupplierDown, SupplierRefused
from promo_numbers.suppliers.registry import remotes_in_use, supplier_named
from promo_numbers.suppliers.stock import stock_released_rest, stock_wake

from .orders import OPEN, order_complete, webhook_of
from .supplied import stock_record

logger = logging.getLogger(__name__)

# When a supplier misses more than so many of ours, and more than half, the account is rather wrong than the stock.
MANY = 10
POINTED_AT_ONCE = 100


def staff_only(by: User | None) -> None:
    """Raise NotAllowed for anybody but platform staff."""
    if by is not None and not access.stands_above(by):
        raise NotAllowed("Only platform staff keep the stock of numbers.", permission="numbers.change_stocknumber")


def _free(numbers: Sequence[StockNumber], what: str) -> list[StockNumber]:
    """The rows, locked; Conflict if one is not free any more."""
    rows = list(
        StockNumber.objects.select_for_update(of=("self",))
        .select_related("network")
        .filter(pk__in=[row.pk for row in numbers])
        .order_by("pk")
    )
    for row in rows:
        if row.state != StockState.FREE:
            raise Conflict(
                f"{row.number} is not free ({row.get_state_display().lower()}); only free numbers can be {what}.",
                field="number", code="number_taken",
            )  # fmt: skip
    return rows


def stock_remove(*, by: User | None, numbers: Sequence[StockNumber]) -> int:
    """Take free numbers out of the stock, all or none; bought ones are given back to their supplier. Platform staff alone.

    Returns how many. Raises NotAllowed, Conflict `number_taken`. A supplier that does not answer is told again by the next
    reconcile.
    """
    staff_only(by)
    with transaction.atomic():
        rows = _free(numbers, "taken out")
        bought = [row for row in rows if row.supplier_reference]
        StockNumber.objects.filter(pk__in=[row.pk for row in bought]).update(state=StockState.GONE)
        StockNumber.objects.filter(pk__in=[row.pk for row in rows if not row.supplier_reference]).delete()
        if by is not None and rows:
            changes = {"numbers": [[row.number for row in rows], None]}
            record(event="stock.remove", obj=by, by=by, changes=changes)
        for row in bought:
            transaction.on_commit(lambda row=row: _give_back(row), robust=True)  # type: ignore[misc]
    return len(rows)


def stock_assign(*, by: User | None, numbers: Sequence[StockNumber], network: Network | None) -> int:
    """Keep free numbers for one network, or (None) for any, all or none. Platform staff alone. Returns how many changed."""
    staff_only(by)
    with transaction.atomic():
        rows = [
            row for row in _free(numbers, "assigned") if row.network_id != (network.pk if network is not None else None)
        ]
        StockNumber.objects.filter(pk__in=[row.pk for row in rows]).update(network=network)
        if by is not None and rows:
            to = str(network) if network is not None else "any network"
            changes = {"numbers": [None, [row.number for row in rows]], "network": [None, to]}
            record(event="stock.assign", obj=network or by, by=by, network=network, changes=changes)
    return len(rows)


def _give_back(row: StockNumber) -> bool:
    """Tell a number's supplier that we do not want it any more. The row says `gone` already."""
    supplier = supplier_named(row.supplier)
    if supplier is None or row.supplier not in remotes_in_use():
        return False
    try:
        supplier.release(row.supplier_reference)
    except (SupplierDown, SupplierRefused) as error:
        logger.warning("%s could not be given back; the next reconcile tries again: %s", row.number, error)
        return False
    return True


def stock_wake_up(now: datetime | None = None) -> tuple[int, int]:
    """Free the numbers whose rest is over, and let rest what a release could not reach. With PROMO_NUMBER_RELEASE_AFTER_REST
    those that were bought go back to their supplier instead. Returns (freed, given back)."""
    now, back = now or timezone.now(), 0
    if settings.PROMO_NUMBER_RELEASE_AFTER_REST:
        rested = StockNumber.objects.filter(
            state=StockState.RESTING, rests_until__lte=now, supplier__in=remotes_in_use()
        ).exclude(supplier_reference="")
        for row in rested.order_by("rests_until")[:1000]:
            mine = StockNumber.objects.filter(pk=row.pk, state=StockState.RESTING).update(
                state=StockState.GONE, rests_until=None
            )
            if mine:
                _give_back(row)
                back += 1
    stock_released_rest()
    return stock_wake(now), back


# Our books against theirs.


@dataclass
class Reconciled:
    """What was mended: orders completed, numbers found that nobody had recorded, numbers that the supplier misses, numbers
    given back at last, webhooks set."""

    completed: int = 0
    found: int = 0
    missing: int = 0
    given_back: int = 0
    pointed: int = 0


def supplier_reconcile(name: str) -> Reconciled:
    """Hold the stock against what a supplier says that we hold; mend what differs. Never buys. Raises SupplierDown,
    SupplierRefused before anything is changed."""
    supplier = supplier_named(name)
    done = Reconciled()
    if supplier is None:
        return done
    started = timezone.now()
    account = list(supplier.held())
    held = {row.number: row for row in account if row.ours}
    done.completed = _orders_end(name, account)
    done.found = _record_strangers(name, held)
    done.missing = _flag_missing(name, {row.number for row in account}, started)
    _return(name, held)
    done.given_back = _release_again(name, held)
    done.pointed = _point(supplier, name, held)
    return done


def suppliers_reconcile() -> dict[str, Reconciled]:
    """`supplier_reconcile` of each that can be asked; one that does not answer is asked again next time."""
    done = {}
    for name in remotes_in_use():
        try:
            done[name] = supplier_reconcile(name)
        except (SupplierDown, SupplierRefused) as error:
            logger.warning("%s cannot be reconciled now: %s", name, error)
    return done


def _orders_end(name: str, account: list[Held]) -> int:
    """Orders that wait for an answer, and whose number is there."""
    bought = {row.order_id: row for row in account if row.order_id is not None}
    open_orders = NumberOrder.objects.filter(supplier=name, state__in=OPEN, pk__in=list(bought))
    return sum(
        order_complete(pk, bought[pk], late=True).state == OrderState.DONE
        for pk in open_orders.values_list("pk", flat=True)
    )


def _record_strangers(name: str, held: dict[str, Held]) -> int:
    """Numbers that carry our mark and stand in no book: free from now on."""
    known = set(StockNumber.objects.filter(number__in=list(held)).values_list("number", flat=True))
    found = 0
    for number in sorted(set(held) - known):
        order_id = held[number].order_id
        orders = NumberOrder.objects.select_related("promo_number__network")
        order = orders.filter(pk=order_id).first() if order_id is not None else None
        with transaction.atomic():
            if StockNumber.objects.filter(number=number).exists() or (order is not None and order.state in OPEN):
                continue
            in_use = PromoNumber.objects.filter(number=number, state=NumberState.ACTIVE).exists()
            network = order.promo_number.network if order is not None else None
            state = StockState.USED if in_use else StockState.FREE
            stock_record(held[number], name, state=state, network=network)
        logger.warning("%s is ours at %s but stood in no book; it is recorded as %s", number, name, state)
        found += 1
    return found


def _flag_missing(name: str, account: set[str], started: datetime) -> int:
    """Numbers that we believe to hold and the supplier does not know. Free ones are handed out no more."""
    rows = StockNumber.objects.filter(
        supplier=name, missing_since=None, created_at__lt=started - timedelta(seconds=1)
    ).exclude(supplier_reference="").exclude(state=StockState.GONE)  # fmt: skip
    ours = dict(rows.values_list("number", "pk"))
    just_bought = (
        NumberOrder.objects.filter(updated_at__gte=started).exclude(number="").values_list("number", flat=True)
    )
    gone = sorted(set(ours) - account - set(just_bought))
    if not gone:
        return 0
    if len(gone) > MANY and len(gone) * 2 > len(ours):
        logger.error(
            "%s misses %s of our %s numbers: is it the right account? nothing is changed", name, len(gone), len(ours)
        )
        return 0
    with transaction.atomic():
        pks = [ours[number] for number in gone]
        StockNumber.objects.filter(pk__in=pks).update(missing_since=started)
        StockNumber.objects.filter(pk__in=pks, state__in=[StockState.FREE, StockState.RESTING]).update(
            state=StockState.GONE, rests_until=None
        )
        _tell_staff(name, gone, started)
    return len(gone)


def _tell_staff(name: str, gone: list[str], at: datetime) -> None:
    in_use = PromoNumber.objects.filter(number__in=gone, state=NumberState.ACTIVE).count()
    logger.error("%s does not know these numbers of ours any more: %s", name, ", ".join(gone[:20]))
    notify(
        users=User.objects.filter(is_platform_staff=True, is_active=True), kind="stock.missing",
        title=f"{len(gone):,} of our numbers are gone at {name.title()}",
        body=f"{name.title()} does not know {', '.join(gone[:20])}{' and more' if len(gone) > 20 else ''} any more."
        f" {in_use:,} of them are in use: calls to them do not come here.",
        link=reverse("numbers:stock") + "?missing=1", key=f"stock.missing:{name}:{at:%Y-%m-%dT%H:%M}",
    )  # fmt: skip


def _return(name: str, held: dict[str, Held]) -> None:
    """What was missing and is there again: in use as before, or resting."""
    back = StockNumber.objects.filter(supplier=name, missing_since__isnull=False, number__in=list(held))
    rest = timezone.now() + timedelta(days=settings.PROMO_NUMBER_REST_DAYS)
    with transaction.atomic():
        back.filter(state=StockState.GONE).update(state=StockState.RESTING, rests_until=rest, missing_since=None)
        back.update(missing_since=None)


def _release_again(name: str, held: dict[str, Held]) -> int:
    """What was given back in our book only: the supplier did not hear of it."""
    rows = StockNumber.objects.filter(
        supplier=name, state=StockState.GONE, missing_since=None, number__in=list(held)
    ).exclude(supplier_reference="")  # fmt: skip
    return sum(_give_back(row) for row in rows if row.supplier_reference == held[row.number].reference)


def _point(supplier: Supplier, name: str, held: dict[str, Held]) -> int:
    """Send the calls of each number in use to its network, where the supplier says otherwise."""
    pointed = 0
    rows = PromoNumber.objects.filter(state=NumberState.ACTIVE, number__in=list(held), supplier=name)
    for row in rows.select_related("network").iterator(chunk_size=500):
        wanted = webhook_of(row.network)
        if not wanted or held[row.number].webhook == wanted or pointed >= POINTED_AT_ONCE:
            continue
        try:
            supplier.set_webhook(held[row.number].reference, wanted)
        except (SupplierDown, SupplierRefused) as error:
            logger.warning("the webhook of %s could not be set: %s", row.number, error)
            continue
        pointed += 1
    return pointed
