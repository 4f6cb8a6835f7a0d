"""Buying numbers: ordered, committed, bought once; lost answers, and what becomes of orders."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions import orders
from promo_numbers.models import NumberOrder, PromoNumber, StockNumber
from promo_numbers.suppliers import Wanted

from portal.audit.models import AuditEvent
from portal.errors import Conflict
from portal.notices.models import Notice
from tests.campaigns.race import Tally, together

from .buying import look_up, order_of
from .counting import assert_counted, static_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("webhooks")]


def test_the_stock_comes_first_and_then_the_supplier(scene, cloud, buy):
    assert buy(wanted=Wanted(area_codes=("805",))).supplier == "stock"
    assert cloud.requests == []
    number = buy(by=scene.people.member)
    (bought,) = cloud.purchases
    assert (number.state, number.number, number.supplier) == ("active", bought[0], "twilio")
    order = order_of(number)
    assert bought[1] == f"headroom:{order.pk}"
    assert (order.state, order.number, order.asked_by) == ("done", number.number, scene.people.member)
    row = StockNumber.objects.get(number=number.number)
    assert (row.state, row.supplier, row.supplier_reference, row.network, row.area_code) == (
        "used", "twilio", next(iter(cloud.account)), scene.network, "303",
    )  # fmt: skip
    (form,) = cloud.of("POST", "/IncomingPhoneNumbers.json")
    assert form["VoiceUrl"] == f"https://portal.example/api/2026-11-01/{scene.network.pk}/voice/twilio/incoming"
    assert {"number.add", "number.bought"} <= set(AuditEvent.objects.values_list("event", flat=True))
    assert Notice.objects.count() == 0, "he has his answer"
    assert_counted(scene.network)


def test_nothing_is_bought_that_would_not_fit(scene, cloud, buy):
    for limits in ({"allowed": 0}, {"allowed": 10, "total": 0}):
        scene.limits(**limits)
        with pytest.raises(actions.LimitReached) as refused:
            buy()
        assert str(refused.value) == actions.SENTENCE
    assert cloud.requests == [] and NumberOrder.objects.count() == 0


def test_without_a_supplier_an_empty_stock_refuses_as_before(scene, cloud, buy, settings):
    settings.PROMO_NUMBER_SUPPLIER = ""
    with pytest.raises(Conflict) as refused:
        buy()
    assert refused.value.code == "out_of_numbers"
    assert cloud.requests == [] and PromoNumber.objects.count() == 0


@pytest.mark.parametrize("how", ["429", "400", "401"])
def test_a_refused_order_leaves_nothing_behind(scene, cloud, buy, how):
    cloud.plan = [how]
    with pytest.raises(Conflict) as refused:
        buy(id_from_network="ours")
    assert refused.value.code == "not_bought" and f"HTTP {how}" in refused.value.message
    row = PromoNumber.objects.get()
    assert (row.state, row.number) == ("released", "") and row.released_at is not None
    assert order_of(row).state == "failed" and cloud.purchases == []
    assert static_of(scene.roofing) == (0, 0)
    assert_counted(scene.network)
    assert buy(id_from_network="ours").state == "active", "its own id is free again"


def test_a_supplier_without_such_a_number_says_so(scene, cloud, buy):
    with pytest.raises(Conflict, match="no local number \\(area code 212\\), and none was bought"):
        buy(wanted=Wanted(area_codes=("212",)))
    assert_counted(scene.network)


def test_the_next_wish_is_bought_where_the_best_has_nothing(scene, cloud, buy):
    StockNumber.objects.all().delete()
    wishes = [Wanted(locality="Boulder", region="CO"), Wanted(region="CO"), Wanted()]
    number = buy(wanted=wishes[0], or_else=wishes[1:])
    assert (number.state, number.number[:5]) == ("active", "+1303")
    assert [query.get("InLocality") for query in cloud.of("GET", "/AvailablePhoneNumbers")] == ["Boulder", None]
    cloud.plan = ["lost_before"]
    assert buy(wanted=Wanted(region="CO"), or_else=[Wanted()]).state == "ordered"
    assert len(cloud.of("POST", "/IncomingPhoneNumbers.json")) == 2, "no other wish while one may have been fulfilled"


@pytest.mark.parametrize("how", ["lost_after", "500_after", "cut_after", "garbled_after"])
def test_a_purchase_without_an_answer_is_found_and_never_bought_again(scene, cloud, buy, how):
    cloud.plan = [how]
    number = buy(by=scene.people.member)
    assert (number.state, number.number) == ("ordered", "")
    assert order_of(number).state == "unknown"
    assert static_of(scene.roofing) == (1, 1), "it counts while nobody knows"
    assert orders.orders_place([order_of(number).pk]) == 0, "not sent again, whoever asks"
    assert orders.orders_look_up() == 0, "not before its time"
    look_up()
    number.refresh_from_db()
    assert (number.state, number.number) == ("active", cloud.purchases[0][0])
    assert order_of(number).state == "done" and len(cloud.purchases) == 1
    notice = Notice.objects.get()
    assert notice.user == scene.people.member and notice.title == f"{number.number} is there now"
    look_up()
    assert Notice.objects.count() == 1
    assert_counted(scene.network)


@pytest.mark.parametrize("how", ["lost_before", "500_before"])
def test_an_order_that_the_supplier_never_got_fails_after_the_last_look_up(scene, cloud, buy, settings, how):
    settings.PROMO_NUMBER_LOOK_UPS = [120, 120, 300]
    cloud.plan = [how]
    number = buy(by=scene.people.member)
    seen = []
    for _ in range(3):
        assert order_of(number).state == "unknown"
        seen.append(order_of(number).look_up_at - timezone.now())
        look_up()
    assert seen == sorted(seen) and seen[0] < seen[2], "the pauses grow"
    number.refresh_from_db()
    assert (number.state, order_of(number).state, order_of(number).looked_up) == ("released", "failed", 3)
    assert Notice.objects.get().title == "A number could not be bought"
    assert cloud.purchases == [] and len(cloud.of("POST", "/IncomingPhoneNumbers.json")) == 1
    assert_counted(scene.network)


def test_a_supplier_that_is_away_is_no_answer(scene, cloud, buy):
    cloud.plan = ["lost_after"]
    number = buy()
    cloud.list_fails = 20
    look_up(10)
    assert (order_of(number).state, order_of(number).looked_up) == ("unknown", 0)
    cloud.list_fails = 0
    look_up()
    assert order_of(number).state == "done" and len(cloud.purchases) == 1


def test_inside_a_transaction_nothing_is_sent_before_the_commit(scene, cloud, buy):
    with transaction.atomic():
        number = buy()
        assert (number.state, cloud.requests) == ("ordered", [])
    number.refresh_from_db()
    assert number.state == "active" and len(cloud.purchases) == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        buy()
        raise ZeroDivisionError
    assert len(cloud.purchases) == 1 and NumberOrder.objects.count() == 1
    with pytest.raises(RuntimeError), transaction.atomic():
        orders.order_place(NumberOrder.objects.get().pk)


def test_orders_left_behind_are_sent_by_the_beat(scene, cloud, buy, monkeypatch):
    monkeypatch.setattr(orders, "order_place", lambda pk: False)
    number = buy()
    monkeypatch.undo()
    assert (order_of(number).state, cloud.requests) == ("placing", [])
    assert orders.orders_place() == 0, "its own process may be about to"
    NumberOrder.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    sent = Tally()
    together(lambda _number: sent.add(str(orders.orders_place())))
    assert sent.counts == {"0": 15, "1": 1} and len(cloud.purchases) == 1
    number.refresh_from_db()
    assert number.state == "active"


def test_a_pool_grows_by_buying_within_the_limits(scene, cloud, buy):
    scene.limits(total=1000, dynamic=9)
    from promo_numbers.actions.limits import network_hold
    from promo_numbers.actions.pool_sizes import pool_add

    pool = scene.pool
    pool.local_center = {"tn_prefix": "303"}
    pool.save()
    with transaction.atomic():
        network_hold(scene.network.pk)
        assert pool_add(pool, 4, by=None) == 4
        assert pool_add(pool, 4, by=None) == 0, "what is on its way is not ordered again"
    assert cloud.requests == [], "a worker sends them"
    with pytest.raises(actions.LimitReached), transaction.atomic():
        network_hold(scene.network.pk)
        pool_add(pool, 6, by=None)
    orders.orders_place(list(NumberOrder.objects.values_list("pk", flat=True)))
    assert PromoNumber.objects.filter(ring_pool=pool, state="active").count() == 4 == len(cloud.purchases)
    assert pool.slots.count() == 4, "visitors can have them"
    assert_counted(scene.network)
