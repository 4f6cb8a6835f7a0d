"""Our books against a supplier's: what was bought and not recorded, what is missing there, where calls are sent."""

from datetime import timedelta

import pytest
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions import orders
from promo_numbers.actions.stock import supplier_reconcile
from promo_numbers.models import StockNumber

from portal.notices.models import Notice

from .buying import look_up, order_of
from .counting import assert_counted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("webhooks")]


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
