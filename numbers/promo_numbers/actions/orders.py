"""Buying numbers: ordered first, committed, then bought, once; and what became of orders whose answer never came.

An order is in the database, counted against the limits, before the supplier hears of it. One conditional UPDATE
(placing -> unknown) decides who sends it; nobody sends it again. What is unknown is looked up by the order's id.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import Network, User
from portal.audit.actions import record
from portal.errors import Conflict
from portal.notices.actions import notify
from promo_numbers.choices import NumberState, OrderState, StockState
from promo_numbers.models import NumberOrder, PromoNumber, RingPool, StockNumber
from promo_numbers.suppliers import (
    Held,
    NothingLeft,
    Supplier,
    SupplierDown,
    SupplierRefused,
    SupplierSilent,
    Wanted,
)
from promo_numbers.suppliers.registry import remote_names, remote_of, supplier_named

from .limits import limits_check, limits_held, network_hold
from .supplied import stock_record

logger = logging.getLogger(__name__)

OPEN = (OrderState.PLACING, OrderState.UNKNOWN)
# An order that nobody has sent by then lost its wake-up.
LEFT_BEHIND = timedelta(seconds=30)
AT_ONCE = 100


def webhook_of(network: Network) -> str:
    """Where a supplier sends the calls to the network's numbers; empty while no public address is set (PORTAL_URL)."""
    base = settings.PORTAL_URL.rstrip("/")
    if not base or urlsplit(base).hostname in (None, "localhost", "127.0.0.1", "::1"):
        return ""
    return base + reverse("voice-twilio-incoming", args=["2026-11-01", network.pk])


def webhook_point(supplier: str, number: str, network: Network) -> None:
    """Once this transaction is committed, send the calls of a number that a remote supplier holds to its network."""
    if supplier in remote_names() and webhook_of(network):
        from promo_numbers.tasks import point_number

        transaction.on_commit(partial(_queue, point_number, number), robust=True)


def _queue(task: Any, *args: Any) -> None:
    try:
        task.delay(*args)
    except Exception as error:
        logger.warning("the broker cannot be reached; the next beat does it: %s", error)


def number_point(number: str) -> bool:
    """Set the webhook of a number that a remote supplier holds to the network that has it in use. False: nothing to set."""
    row = StockNumber.objects.filter(number=number).exclude(supplier_reference="").first()
    user = PromoNumber.objects.select_related("network").filter(number=number, state=NumberState.ACTIVE).first()
    supplier = supplier_named(row.supplier) if row else None
    if row is None or user is None or supplier is None or not (webhook := webhook_of(user.network)):
        return False
    supplier.set_webhook(row.supplier_reference, webhook)
    return True


# Ordering.


def order_begin(*, by: User | None, number: PromoNumber, wishes: Sequence[Wanted]) -> NumberOrder:
    """Write the order of a number just inserted as `ordered`: one as the first of `wishes`, or else as the next.

    This process sends it when the transaction is committed.
    """
    order = _order(by, number, wishes)
    order.save(force_insert=True)
    transaction.on_commit(partial(order_place, order.pk), robust=True)
    return order


def _order(by: User | None, number: PromoNumber, wishes: Sequence[Wanted]) -> NumberOrder:
    wanted = {**wishes[0].as_json(), "or_else": [wish.as_json() for wish in wishes[1:]]}
    return NumberOrder(promo_number=number, supplier=number.supplier, wanted=wanted, asked_by=by)


def orders_begin(*, by: User | None, wishes: Sequence[tuple[PromoNumber, Sequence[Wanted]]]) -> list[NumberOrder]:
    """`order_begin` of many numbers in one statement, each with its wishes. Workers send them after the commit."""
    from promo_numbers.tasks import place_number_orders

    orders = NumberOrder.objects.bulk_create(_order(by, number, theirs) for number, theirs in wishes)
    for some in batched(orders, AT_ONCE, strict=False):
        transaction.on_commit(partial(_queue, place_number_orders, [str(order.pk) for order in some]), robust=True)
    return orders


def wishes_of(order: NumberOrder) -> list[Wanted]:
    """What an order asks for, best first."""
    first = {name: value for name, value in order.wanted.items() if name != "or_else"}
    return [Wanted.of_json(given) for given in (first, *order.wanted.get("or_else", []))]


def order_settled(number: PromoNumber) -> PromoNumber:
    """The number as its order left it. Raises Conflict `not_bought` for a failed one; nothing of it is left then.

    Inside an open transaction nothing is sent yet: the number is `ordered`.
    """
    if connection.in_atomic_block:
        return number
    row = PromoNumber.objects.select_related("campaign__network", "order").get(pk=number.pk)
    if row.order.state == OrderState.FAILED:
        raise not_bought(row.order)
    return row


def not_bought(order: NumberOrder) -> Conflict:
    """The refusal that an order ended with."""
    return Conflict(
        f"The stock has no {wishes_of(order)[0]}, and none was bought: {order.error} Nothing was added. Ask for another area code or"
        " place, or try again later.",
        code="not_bought", details={"order": str(order.pk), "wanted": order.wanted},
    )  # fmt: skip


def dynamic_numbers_order(
    *, by: User | None, pool: RingPool, count: int, wishes: Sequence[Wanted], overflow: bool = False
) -> list[PromoNumber]:
    """Order `count` numbers for a RingPool, all or none; a worker buys them after the commit. The caller has checked the right.

    Raises LimitReached: never is anything bought that would not fit.
    """
    campaign, supplier, wanted = pool.campaign, remote_of(pool.network), wishes[0]
    limits_check(campaign, dynamic=True, count=count)
    with limits_held(campaign, dynamic=True, count=count), transaction.atomic():
        name = "overflow number ordered" if overflow else "numbers ordered"
        record(
            event="ring_pool.grow",
            obj=pool,
            by=by,
            network=campaign.network,
            changes={name: [None, f"{count} {wanted}"]},
        )
        rows = PromoNumber.objects.bulk_create(
            PromoNumber(
                network_id=campaign.network_id, campaign=campaign, ring_pool=pool, state=NumberState.ORDERED,
                supplier=supplier, description=f"RingPool {pool.name}"[:200], promo_type=wanted.kind, is_overflow=overflow,
            )
            for _ in range(count)
        )  # fmt: skip
        orders_begin(by=by, wishes=[(row, wishes) for row in rows])
    return rows


# Sending.


def order_place(order_id: UUID) -> bool:
    """Send an order to its supplier; False when somebody did so before. Call it outside any transaction.

    Every way in which this can end, a killed process included, leaves the order bought and recorded, failed with its number
    released, or `unknown`, to be looked up. A purchase is never sent twice.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        mine = NumberOrder.objects.filter(pk=order_id, state=OrderState.PLACING).update(
            state=OrderState.UNKNOWN, look_up_at=now + _pause(0), updated_at=now
        )
    if not mine:
        return False
    order = NumberOrder.objects.select_related("promo_number__network").get(pk=order_id)
    supplier = supplier_named(order.supplier)
    if supplier is None:
        order_fail(order_id, f"There is no supplier “{order.supplier}” any more.")
        return True
    try:
        held = _bought(supplier, order)
    except (NothingLeft, SupplierRefused, SupplierDown) as error:
        order_fail(order_id, str(error))
    except SupplierSilent as error:
        logger.warning("order %s: %s It is looked up.", order_id, error)
        NumberOrder.objects.filter(pk=order_id, state=OrderState.UNKNOWN).update(error=str(error)[:250])
    else:
        order_complete(order_id, held)
    return True


def _bought(supplier: Supplier, order: NumberOrder) -> Held:
    """One number as the best wish that the supplier has one for. The next wish is asked for only when certainly nothing was
    bought for the one before. Raises as `Supplier.buy`."""
    webhook, wishes = webhook_of(order.promo_number.network), wishes_of(order)
    for wanted in wishes[:-1]:
        try:
            return supplier.buy(order.pk, wanted, webhook)
        except NothingLeft:
            continue
    return supplier.buy(order.pk, wishes[-1], webhook)


def orders_place(order_ids: list[UUID] | None = None) -> int:
    """Send these orders, or those that were left behind unsent. Returns how many were sent here."""
    if order_ids is None:
        late = NumberOrder.objects.filter(state=OrderState.PLACING, created_at__lt=timezone.now() - LEFT_BEHIND)
        order_ids = list(late.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE])
    return sum(_quietly(partial(order_place, order_id)) for order_id in order_ids)


def _pause(looked_up: int) -> timedelta:
    """How long to wait before the next look-up, when so many found nothing."""
    pauses = settings.PROMO_NUMBER_LOOK_UPS
    return timedelta(seconds=pauses[min(looked_up, len(pauses) - 1)])


# Ends.


def order_complete(order_id: UUID, held: Held, *, late: bool = False) -> NumberOrder:
    """Record what an order bought: the stock row, and the number in use. Safe to repeat.

    An order that has failed meanwhile, or bought another number, leaves this one as free stock: it is paid for.
    late: whoever asked is told, because he has had his answer already.
    """
    with transaction.atomic():
        order = _locked(order_id)
        number = order.promo_number
        taken = PromoNumber.objects.filter(number=held.number, state=NumberState.ACTIVE).exclude(pk=number.pk).exists()
        if order.state not in OPEN:
            if held.number != order.number and not taken:
                stock_record(held, order.supplier, state=StockState.FREE, network=number.network)
            return order
        if not taken:
            stock_record(held, order.supplier, state=StockState.USED, network=number.network)
            PromoNumber.objects.filter(pk=number.pk).update(number=held.number, state=NumberState.ACTIVE)
            order.state, order.number, order.supplier_reference = OrderState.DONE, held.number, held.reference
            order.error, order.look_up_at = "", None
            order.save()
            record(event="number.bought", obj=number.campaign, by=None, changes={"promo_number": [None, held.number]})
            if late:
                _tell(order, f"{held.number} is there now", f"It was bought for “{number.campaign}” and takes calls.")
            return order
    # Cannot be, unless somebody carried this very number to us as his own meanwhile.
    order_fail(order_id, f"{held.number} was bought, but is in use already.", late=late)
    return NumberOrder.objects.get(pk=order_id)


def order_fail(order_id: UUID, error: str, *, late: bool = False) -> None:
    """Nothing was bought: the number is released and stops counting. Safe to repeat."""
    network_id = NumberOrder.objects.values_list("promo_number__network_id", flat=True).get(pk=order_id)
    with transaction.atomic():
        network_hold(network_id)
        order = _locked(order_id)
        if order.state not in OPEN:
            return
        number = order.promo_number
        order.state, order.error, order.look_up_at = OrderState.FAILED, error[:250], None
        order.save()
        PromoNumber.objects.filter(pk=number.pk).update(state=NumberState.RELEASED, released_at=timezone.now())
        record(
            event="number.not_bought", obj=number.campaign, by=None, reason=error[:250],
            changes={"promo_number": [f"ordered: {wishes_of(order)[0]}", None]},
        )  # fmt: skip
        if late:
            _tell(order, "A number could not be bought", f"For “{number.campaign}” ({number.description}): {error}")


def _locked(order_id: UUID) -> NumberOrder:
    rows = NumberOrder.objects.select_for_update(no_key=True, of=("self",))
    order = rows.select_related("promo_number__campaign__network", "asked_by").get(pk=order_id)
    # Its number may have been changed or moved while the order was under way.
    order.promo_number = (
        PromoNumber.objects.select_for_update(no_key=True, of=("self",))
        .select_related("campaign__network", "network")
        .get(pk=order.promo_number_id)
    )
    return order


def _tell(order: NumberOrder, title: str, body: str) -> None:
    if order.asked_by is not None:
        number = order.promo_number
        notify(
            users=[order.asked_by], network=number.network, kind="number_order.ended", title=title, body=body,
            link=reverse("numbers:direct", args=[number.campaign_id]), key=f"number_order:{order.pk}",
        )  # fmt: skip


# Looking up.


def orders_look_up(now: datetime | None = None) -> int:
    """Ask suppliers what became of the orders that are due. Returns how many were asked for. Never buys."""
    now = now or timezone.now()
    due = NumberOrder.objects.filter(state=OrderState.UNKNOWN, look_up_at__lte=now).order_by("look_up_at")
    return sum(_quietly(partial(order_look_up, order, now)) for order in due[:AT_ONCE])


def _quietly(work: Callable[[], bool]) -> bool:
    """One order that cannot be dealt with keeps none of the others waiting."""
    try:
        return work()
    except Exception:
        logger.exception("an order could not be dealt with; it is looked up later")
        return False


def order_look_up(order: NumberOrder, now: datetime) -> bool:
    """Look one order up at its supplier, unless another worker does. Only an answer counts as a look-up; when the last of
    them knew nothing, the order has failed."""
    mine = NumberOrder.objects.filter(pk=order.pk, state=OrderState.UNKNOWN, look_up_at=order.look_up_at).update(
        look_up_at=now + _pause(order.looked_up + 1), updated_at=now
    )
    supplier = supplier_named(order.supplier)
    if not mine:
        return False
    if supplier is None:
        logger.error("order %s: there is no supplier “%s” any more; nobody can look it up", order.pk, order.supplier)
        return False
    try:
        held = supplier.look_up(order.pk)
    except (SupplierDown, SupplierRefused) as error:
        logger.warning("order %s cannot be looked up now: %s", order.pk, error)
        return False
    if held is not None:
        order_complete(order.pk, held, late=True)
        return True
    NumberOrder.objects.filter(pk=order.pk, state=OrderState.UNKNOWN).update(looked_up=F("looked_up") + 1)
    times = order.looked_up + 1
    if times >= len(settings.PROMO_NUMBER_LOOK_UPS):
        said = f"The supplier never answered, and does not know the order ({times} times looked up)."
        order_fail(order.pk, said, late=True)
    return True
