"""Buying numbers with sixteen threads, with a supplier that fails in every way, and with a process that is killed."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions import orders
from promo_numbers.models import NumberOrder, PromoNumber, StockNumber

from portal.audit.models import AuditEvent
from portal.errors import Conflict
from portal.notices.models import Notice
from tests.campaigns.race import Tally, deadlocks, together

from .buying import look_up, order_of
from .counting import assert_counted, static_of
from .twilio_cloud import ACCOUNT, TOKEN

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("webhooks")]


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


def buy_two(buy, tally):
    """Two numbers, one after the other; the tally says what became of each: its state, or why it was not bought."""
    for _ in range(2):
        try:
            tally.add(buy().state)
        except actions.LimitReached:
            tally.add("refused")
        except Conflict as error:
            tally.add(error.code)


def test_sixteen_buyers_at_the_limit_end_exactly_there(scene, cloud, buy):
    scene.limits(allowed=7)
    tally, before = Tally(), deadlocks()

    together(lambda _number: buy_two(buy, tally))
    assert tally.counts == {"active": 7, "refused": 25}
    assert len(cloud.purchases) == 7 and set(cloud.per_order().values()) == {1}
    assert StockNumber.objects.filter(supplier="twilio", state="used").count() == 7
    assert deadlocks() == before
    assert_counted(scene.network)


def test_sixteen_buyers_with_a_supplier_that_fails_in_every_way(scene, cloud, buy):
    scene.limits(allowed=9)
    cloud.plan = ["500_after", "429", "cut_after", "500_before", "taken", "400", "500_after", "garbled_after"] * 2
    tally = Tally()

    together(lambda _number: buy_two(buy, tally))
    assert static_of(scene.roofing)[0] <= 9
    assert set(cloud.per_order().values()) == {1}, "no order was bought twice"
    look_up(len(django_settings.PROMO_NUMBER_LOOK_UPS))
    assert not NumberOrder.objects.filter(state__in=["placing", "unknown"]).exists()
    bought = {number for number, _order in cloud.purchases}
    active = set(PromoNumber.objects.filter(state="active").values_list("number", flat=True))
    assert active == bought, "all that was paid for is in use, and nothing else"
    assert_counted(scene.network)


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
