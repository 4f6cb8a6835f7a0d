"""Twilio by the official SDK over real HTTP: what is asked, and how each way of failing is told apart."""

import logging
from uuid import uuid4

import pytest
from promo_numbers.checks import supply_settings
from promo_numbers.suppliers import NothingLeft, SupplierDown, SupplierRefused, SupplierSilent, Wanted
from promo_numbers.suppliers.registry import remote_of
from promo_numbers.suppliers.twilio import TwilioNumbers

from .twilio_cloud import ACCOUNT, TOKEN

WEBHOOK = "https://portal.example/api/2026-11-01/1/voice/twilio/incoming"


def wanted(**values):
    return Wanted(**{"area_codes": ("805",), **values})


def test_a_number_is_searched_and_bought_with_the_orders_id(cloud):
    cloud.stock(3)
    order = uuid4()
    held = TwilioNumbers().buy(order, wanted(), WEBHOOK)
    (search,) = cloud.of("GET", "/AvailablePhoneNumbers/US/Local.json")
    assert (search["AreaCode"], search["VoiceEnabled"]) == ("805", "true")
    (form,) = cloud.of("POST", "/IncomingPhoneNumbers.json")
    assert form == {
        "PhoneNumber": held.number, "FriendlyName": f"headroom:{order}", "VoiceUrl": WEBHOOK, "VoiceMethod": "POST",
    }  # fmt: skip
    assert (held.order_id, held.reference) == (order, next(iter(cloud.account)))
    assert TwilioNumbers().look_up(order) == held
    assert TwilioNumbers().look_up(uuid4()) is None


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"area_codes": (), "locality": "Denver", "region": "CO"}, [{"InLocality": "Denver", "InRegion": "CO"}]),
        ({"area_codes": ("303", "720")}, [{"AreaCode": "303"}, {"AreaCode": "720"}]),
        ({"area_codes": (), "postal_code": "80202"}, [{"InPostalCode": "80202"}]),
        ({"area_codes": (), "prefixes": ("805555",)}, [{"Contains": "+1805555"}]),
        ({"area_codes": (), "looks_like": "55*1234"}, [{"Contains": "1234"}]),
    ],
)
def test_what_is_asked_for_is_searched_for(cloud, asked, sent):
    with pytest.raises(NothingLeft):
        TwilioNumbers().buy(uuid4(), wanted(**asked))
    searches = [
        {name: value for name, value in query.items() if name not in ("VoiceEnabled", "PageSize")}
        for query in cloud.of("GET", "/AvailablePhoneNumbers")
    ]
    assert searches == sent
    assert cloud.purchases == []


def test_offers_that_only_look_alike_are_left_out(cloud):
    cloud.stock(1, area_code="805", start=1234)
    cloud.stock(1, area_code="213", start=7)
    found = TwilioNumbers().search(wanted(area_codes=(), looks_like="805*551234"))
    assert [offer.number for offer in found] == ["+18055551234"]
    assert TwilioNumbers().search(wanted(area_codes=(), prefixes=("8055559",))) == []


def test_a_number_that_somebody_else_took_is_no_failure(cloud):
    cloud.stock(3)
    cloud.plan = ["taken", "taken"]
    assert TwilioNumbers().buy(uuid4(), wanted()).number.startswith("+1805")
    assert len(cloud.purchases) == 1
    cloud.plan = ["taken"] * 9
    with pytest.raises(NothingLeft):
        TwilioNumbers().buy(uuid4(), wanted())
    assert len(cloud.purchases) == 1


@pytest.mark.parametrize(
    ("how", "error", "sold"),
    [
        ("429", SupplierDown, 0), ("400", SupplierRefused, 0), ("401", SupplierRefused, 0),
        ("500_before", SupplierSilent, 0), ("500_after", SupplierSilent, 1), ("lost_before", SupplierSilent, 0),
        ("lost_after", SupplierSilent, 1), ("cut_after", SupplierSilent, 1), ("garbled_after", SupplierSilent, 1),
    ],
)  # fmt: skip
def test_each_failure_says_whether_anything_may_have_been_bought(cloud, how, error, sold):
    cloud.stock(3)
    cloud.plan = [how]
    with pytest.raises(error):
        TwilioNumbers().buy(uuid4(), wanted())
    assert len(cloud.of("POST", "/IncomingPhoneNumbers.json")) == 1, "a purchase is sent once, whatever came of it"
    assert len(cloud.purchases) == sold


def test_a_search_that_fails_bought_nothing(cloud):
    cloud.stock(3)
    cloud.list_fails = 1
    with pytest.raises(SupplierDown):
        TwilioNumbers().buy(uuid4(), wanted())
    assert cloud.of("POST", "/") == []


def test_a_supplier_that_cannot_be_reached_sold_nothing(settings, cloud):
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    for ask in (
        lambda twilio: twilio.buy(uuid4(), wanted()),
        lambda twilio: twilio.look_up(uuid4()),
        lambda twilio: twilio.held(),
        lambda twilio: twilio.release("PN1"),
        lambda twilio: twilio.set_webhook("PN1", WEBHOOK),
    ):
        with pytest.raises(SupplierDown):
            ask(TwilioNumbers())


def test_every_page_of_the_account_is_read_and_strangers_are_told_apart(cloud):
    cloud.stock(7)
    orders = [uuid4() for _ in range(7)]
    for order in orders:
        TwilioNumbers().buy(order, wanted())
    next(iter(cloud.account.values()))["friendly_name"] = "Front desk"
    cloud.page_size = 2
    held = list(TwilioNumbers().held())
    assert {row.reference for row in held} == set(cloud.account)
    assert {row.order_id for row in held if row.ours} == set(orders[1:])
    assert [row.ours for row in held].count(False) == 1
    cloud.list_fails = 1
    with pytest.raises(SupplierDown):
        TwilioNumbers().held()


def test_webhooks_are_set_and_numbers_given_back(cloud):
    cloud.stock(1)
    held = TwilioNumbers().buy(uuid4(), wanted())
    TwilioNumbers().set_webhook(held.reference, WEBHOOK)
    assert cloud.account[held.reference]["voice_url"] == WEBHOOK
    TwilioNumbers().release(held.reference)
    assert cloud.account == {}
    TwilioNumbers().release(held.reference)  # gone already: no error
    with pytest.raises(SupplierRefused):
        TwilioNumbers().set_webhook(held.reference, WEBHOOK)


def test_the_token_is_never_said(cloud, settings, caplog):
    caplog.set_level(logging.DEBUG)
    cloud.stock(1)
    cloud.plan = ["400"]
    with pytest.raises(SupplierRefused) as refused:
        TwilioNumbers().buy(uuid4(), wanted())
    assert "HTTP 400" in str(refused.value)
    for said in (caplog.text, str(refused.value), repr(refused.value)):
        assert TOKEN not in said and ACCOUNT not in str(refused.value)
    settings.TWILIO_AUTH_TOKEN = "another"
    with pytest.raises(SupplierRefused):
        TwilioNumbers().held()


@pytest.mark.django_db
def test_which_networks_may_buy(network, settings):
    settings.PROMO_NUMBER_SUPPLIER = ""
    assert remote_of(network) == ""
    settings.PROMO_NUMBER_SUPPLIER = "twilio"
    assert remote_of(network) == "twilio"
    settings.PROMO_NUMBER_SUPPLIER_NETWORKS = [network.pk + 1]
    assert remote_of(network) == ""
    settings.PROMO_NUMBER_SUPPLIER_NETWORKS = [network.pk]
    assert remote_of(network) == "twilio"
    settings.PROMO_NUMBER_SUPPLIER = "nobody"
    assert remote_of(network) == ""


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"PROMO_NUMBER_SUPPLIER": "nobody"}, "numbers.E001"), ({"TWILIO_AUTH_TOKEN": ""}, "numbers.E002"),
        ({"PROMO_NUMBER_LOOK_UPS": []}, "numbers.E003"), ({"PROMO_NUMBER_SUPPLIER_TIMEOUT": 0}, "numbers.E004"),
        ({"PROMO_NUMBER_RECLAIM_DAY": 20}, "numbers.E005"), ({"PROMO_NUMBER_RECLAIM_AFTER_DAYS": 0}, "numbers.E005"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_named(cloud, settings, values, code):
    assert supply_settings(None) == []
    for name, value in values.items():
        setattr(settings, name, value)
    (problem,) = supply_settings(None)
    assert problem.id == code and TOKEN not in problem.msg
