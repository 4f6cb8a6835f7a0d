"""Buying numbers: ordered, committed, bought once; lost answers are looked up, killed processes lose nothing, limits hold."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions import orders
from promo_numbers.actions.stock import supplier_reconcile
from promo_numbers.models import NumberOrder, PromoNumber, StockNumber
from promo_numbers.suppliers import Wanted

from portal.audit.models import AuditEvent
from portal.errors import Conflict
from portal.notices.models import Notice
from tests.campaigns.race import Tally, deadlocks, together

from .counting import assert_counted, static_of
from .twilio_cloud import ACCOUNT, TOKEN

pytestmark = pytest.mark.django_db(transaction=True)

WANTED = Wanted(area_codes=("303",))


@pytest.fixture(autouse=True)
def webhooks(settings):
    settings.PORTAL_URL = "https://portal.example"


@pytest.fixture
def buy(scene, cloud):
    """`buy()`: add a number that the stock does not have. The supplier has 40 of them."""
    cloud.stock(40, area_code="303", locality="Denver", region="CO")

    def add(by=None, campaign=None, **values):
        return actions.number_add(
            by=by,
            campaign=campaign or scene.roofing,
            description="Flyer",
            wanted=values.pop("wanted", WANTED),
            **values,
        )

    return add


def order_of(number):
    return NumberOrder.objects.get(promo_number=number)


def look_up(times=1):
    """Let the time of the next look-up come, `times` times."""
    for _ in range(times):
        NumberOrder.objects.filter(state="unknown").update(look_up_at=timezone.now() - timedelta(seconds=1))
        orders.orders_look_up()


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


def test_sixteen_look_ups_at_once_complete_it_once(scene, cloud, buy):
    cloud.plan = ["lost_after"]
    number = buy(by=scene.people.member)
    NumberOrder.objects.update(look_up_at=timezone.now() - timedelta(seconds=1))
    before = deadlocks()
    together(lambda _number: orders.orders_look_up())
    number.refresh_from_db()
    assert number.state == "active" and Notice.objects.count() == 1
    assert AuditEvent.objects.filter(event="number.bought").count() == 1
    assert deadlocks() == before
    assert_counted(scene.network)


def test_sixteen_buyers_at_the_limit_end_exactly_there(scene, cloud, buy):
    scene.limits(allowed=7)
    tally, before = Tally(), deadlocks()

    def work(number):
        for _ in range(2):
            try:
                tally.add(buy().state)
            except actions.LimitReached:
                tally.add("refused")

    together(work)
    assert tally.counts == {"active": 7, "refused": 25}
    assert len(cloud.purchases) == 7 and set(cloud.per_order().values()) == {1}
    assert StockNumber.objects.filter(supplier="twilio", state="used").count() == 7
    assert deadlocks() == before
    assert_counted(scene.network)


def test_sixteen_buyers_with_a_supplier_that_fails_in_every_way(scene, cloud, buy):
    scene.limits(allowed=9)
    cloud.plan = ["500_after", "429", "cut_after", "500_before", "taken", "400", "500_after", "garbled_after"] * 2
    tally = Tally()

    def work(number):
        for _ in range(2):
            try:
                tally.add(buy().state)
            except actions.LimitReached:
                tally.add("refused")
            except Conflict as error:
                tally.add(error.code)

    together(work)
    assert static_of(scene.roofing)[0] <= 9
    assert set(cloud.per_order().values()) == {1}, "no order was bought twice"
    look_up(len(django_settings.PROMO_NUMBER_LOOK_UPS))
    assert not NumberOrder.objects.filter(state__in=["placing", "unknown"]).exists()
    bought = {number for number, _order in cloud.purchases}
    active = set(PromoNumber.objects.filter(state="active").values_list("number", flat=True))
    assert active == bought, "all that was paid for is in use, and nothing else"
    assert_counted(scene.network)


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


def _database():
    at = urlsplit(os.environ["DATABASE_URL"])
    return at._replace(path="/" + quote(str(connection.settings_dict["NAME"]))).geturl()


def test_a_process_killed_between_buying_and_recording_loses_nothing(scene, cloud):
    """A real process, a real SIGKILL: the supplier has sold, and nobody here knows."""
    cloud.stock(5, area_code="303")
    cloud.plan = ["hold_after"]
    code = (
        "from campaigns.models import Campaign; from promo_numbers.actions import number_add;"
        "from promo_numbers.suppliers import Wanted;"
        f"number_add(by=None, campaign=Campaign.objects.get(pk={scene.roofing.pk}), description='Flyer',"
        " wanted=Wanted(area_codes=('303',)))"
    )
    environment = os.environ | {
        "DATABASE_URL": _database(), "PROMO_NUMBER_SUPPLIER": "twilio", "TWILIO_API_URL": cloud.url,
        "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "PROMO_NUMBER_SUPPLIER_TIMEOUT": "60",
    }  # fmt: skip
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=environment, start_new_session=True)
    try:
        assert cloud.sold.wait(120), "nothing was bought"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    number = PromoNumber.objects.get()
    assert (number.state, order_of(number).state) == ("ordered", "unknown")
    assert static_of(scene.roofing) == (1, 1)
    assert orders.orders_place() == 0
    look_up()
    number.refresh_from_db()
    assert (number.state, number.number) == ("active", cloud.purchases[0][0])
    assert len(cloud.purchases) == 1
    assert_counted(scene.network)


# RingPools.


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


# Our books against theirs.


def test_numbers_bought_but_not_recorded_are_found(scene, cloud, buy):
    cloud.plan = ["lost_after"]
    number = buy(by=scene.people.member)
    lost = cloud.sell({"PhoneNumber": "+13035550030", "FriendlyName": "headroom:11111111-1111-4111-8111-111111111111"})
    cloud.sell({"PhoneNumber": "+13035550031", "FriendlyName": "Front desk"})
    done = supplier_reconcile("twilio")
    assert (done.completed, done.found, done.missing) == (1, 1, 0)
    number.refresh_from_db()
    assert number.state == "active", "attached to its order"
    row = StockNumber.objects.get(number=lost["phone_number"])
    assert (row.state, row.network, row.supplier_reference) == ("free", None, lost["sid"])
    assert not StockNumber.objects.filter(number="+13035550031").exists(), "the account's other numbers are not ours"
    assert supplier_reconcile("twilio") == type(done)(), "nothing is left to mend"
    assert buy().number == lost["phone_number"], "and it is handed out"


def test_what_was_bought_after_its_order_failed_is_kept_as_stock(scene, cloud, buy, settings):
    settings.PROMO_NUMBER_LOOK_UPS = [120]
    cloud.plan = ["lost_before"]
    number = buy()
    look_up()
    assert order_of(number).state == "failed"
    cloud.sell({"PhoneNumber": "+13035550005", "FriendlyName": f"headroom:{order_of(number).pk}"})
    assert supplier_reconcile("twilio").found == 1
    row = StockNumber.objects.get(number="+13035550005")
    assert (row.state, row.network) == ("free", scene.network)
    assert_counted(scene.network)


def test_numbers_that_the_supplier_misses_are_flagged(scene, cloud, buy):
    used, freed, kept = buy(), buy(), buy()
    actions.numbers_release(by=None, numbers=[freed])
    StockNumber.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    rows = {row["phone_number"]: sid for sid, row in cloud.account.items()}
    gone = {sid: cloud.account.pop(sid) for sid in (rows[used.number], rows[freed.number])}
    assert supplier_reconcile("twilio").missing == 2
    state = dict(StockNumber.objects.filter(supplier="twilio").values_list("number", "state"))
    assert state == {used.number: "used", freed.number: "gone", kept.number: "used"}
    notice = Notice.objects.get(user=scene.people.staff)
    assert notice.title == "2 of our numbers are gone at Twilio" and "1 of them are in use" in notice.body
    assert supplier_reconcile("twilio").missing == 0, "said once"
    cloud.account |= gone
    assert supplier_reconcile("twilio").given_back == 0
    assert not StockNumber.objects.filter(missing_since__isnull=False).exists()
    assert StockNumber.objects.get(number=freed.number).state == "resting"


def test_the_wrong_account_takes_nothing_away(scene, cloud, buy):
    scene.limits(allowed=20)
    for _ in range(12):
        buy()
    StockNumber.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    cloud.account.clear()
    assert supplier_reconcile("twilio").missing == 0
    assert not StockNumber.objects.filter(missing_since__isnull=False).exists()


def test_a_supplier_that_cannot_be_listed_changes_nothing(scene, cloud, buy):
    buy()
    StockNumber.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    cloud.list_fails = 1
    from promo_numbers.actions.stock import suppliers_reconcile

    assert suppliers_reconcile() == {}
    assert not StockNumber.objects.filter(missing_since__isnull=False).exists()


def test_webhooks_follow_the_network_that_uses_the_number(scene, cloud, buy):
    number = buy()
    (row,) = cloud.account.values()
    row["voice_url"] = "https://elsewhere.example"
    assert supplier_reconcile("twilio").pointed == 1
    assert row["voice_url"].startswith("https://portal.example/api/")
    row["voice_url"] = ""
    assert orders.number_point(number.number) is True and row["voice_url"]
    assert orders.number_point("+18055550100") is False
