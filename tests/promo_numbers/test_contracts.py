"""Contracts: who sets them, what is refused, their history; the days of use; the warning on raising a campaign's limit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions.contracts import contract_set
from promo_numbers.actions.days import days_roll_up
from promo_numbers.models import CampaignNumbers, Contract, NetworkNumbers, NumberDay, PromoNumber
from promo_numbers.queries.advice import raise_warning
from promo_numbers.queries.usage import usage_of, usages_of

from portal.audit.models import AuditEvent
from portal.errors import Invalid, NotAllowed, NotFound
from tests.factories import CampaignFactory, NetworkFactory, PromoNumberFactory, RingPoolFactory, UserFactory

pytestmark = pytest.mark.django_db

TERMS = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), "numbers": 6000, "overage_price": "2.50"}


# Contracts ------------------------------------------------------------------------------------------------------------


def test_staff_set_and_change_a_contract_with_history_and_audit(scene):
    staff = scene.people.staff
    made = contract_set(by=staff, network=scene.network, csm=staff, **TERMS)
    assert (made.period, made.overage_price, made.currency) == ("Year", Decimal("2.50"), "USD")
    contract_set(by=staff, network=scene.network, numbers=12000, reason="Upgrade")
    row = Contract.objects.get(pk=scene.network.pk)
    assert (row.numbers, row.csm, row.ends_on) == (12000, staff, date(2026, 12, 31))
    history = row.events.order_by("pgh_id").values_list("pgh_label", "numbers")
    assert list(history) == [("insert", 6000), ("update", 12000)]
    last = AuditEvent.objects.filter(event="contract.set").first()
    assert (last.changes, last.reason, last.actor) == ({"numbers": [6000, 12000]}, "Upgrade", staff)
    contract_set(by=staff, network=scene.network, numbers=12000)
    assert AuditEvent.objects.filter(event="contract.set").count() == 2, "nothing changed, nothing is recorded"


@pytest.mark.parametrize("persona", ["limited", "observer", "member", "manager", "super"])
def test_nobody_in_the_network_sets_a_contract(scene, persona):
    with pytest.raises(NotAllowed) as refused:
        contract_set(by=getattr(scene.people, persona), network=scene.network, **TERMS)
    assert refused.value.permission == "numbers.change_contract"
    assert not Contract.objects.exists()


def test_to_another_network_there_is_none(scene):
    with pytest.raises(NotFound):
        contract_set(by=scene.people.outsider, network=scene.network, **TERMS)


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"ends_on": date(2025, 12, 31)}, "ends_on", "out_of_range"),
        ({"ends_on": date(2050, 1, 1)}, "ends_on", "out_of_range"),
        ({"starts_on": "2026-01-01"}, "starts_on", "invalid"),
        ({"numbers": -1}, "numbers", "out_of_range"),
        ({"numbers": True}, "numbers", "out_of_range"),
        ({"numbers": 10**9}, "numbers", "out_of_range"),
        ({"period": "Week"}, "period", "unknown_period"),
        ({"overage_price": "two"}, "overage_price", "invalid"),
        ({"overage_price": "-1"}, "overage_price", "out_of_range"),
        ({"overage_price": "NaN"}, "overage_price", "out_of_range"),
        ({"overage_price": "0.00001"}, "overage_price", "out_of_range"),
        ({"currency": "EURO"}, "currency", "invalid"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_what_is_wrong_is_named(scene, values, field, code):
    with pytest.raises(Invalid) as refused:
        contract_set(by=scene.people.staff, network=scene.network, **TERMS | values)
    assert (field, code) in [problem[:2] for problem in refused.value.problems]
    assert not Contract.objects.exists()


def test_a_csm_is_platform_staff(scene):
    with pytest.raises(Invalid) as refused:
        contract_set(by=scene.people.staff, network=scene.network, csm=scene.people.super, **TERMS)
    assert refused.value.field == "csm"


def test_a_first_contract_needs_its_term_and_numbers(scene):
    with pytest.raises(Invalid) as refused:
        contract_set(by=scene.people.staff, network=scene.network, overage_price="1")
    assert [problem[0] for problem in refused.value.problems] == ["starts_on", "ends_on", "numbers"]


# Days -----------------------------------------------------------------------------------------------------------------


def at(day, hour=12):
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hour)


def test_days_are_made_from_the_rows_and_made_again(scene):
    today = timezone.now().date()
    first = today - timedelta(days=5)
    PromoNumberFactory(campaign=scene.roofing, created_at=at(first, 0))
    PromoNumberFactory(campaign=scene.roofing, created_at=at(first, 23))
    PromoNumberFactory(
        campaign=scene.roofing, created_at=at(first + timedelta(days=1)), state="released",
        released_at=at(first + timedelta(days=3)),
    )  # fmt: skip
    pool = RingPoolFactory(campaign=scene.plumbing)
    PromoNumberFactory(campaign=scene.plumbing, ring_pool=pool, created_at=at(first + timedelta(days=2)))
    days_roll_up()
    rows = NumberDay.objects.filter(network=scene.network).order_by("day")
    assert list(rows.values_list("static_used", "dynamic_used", "added", "released")) == [
        (2, 0, 2, 0), (3, 0, 1, 0), (3, 1, 1, 0), (2, 1, 0, 1), (2, 1, 0, 0),
    ]  # fmt: skip
    assert rows.last().day == today - timedelta(days=1)
    assert days_roll_up() == 0, "a second run changes nothing"


def test_a_missed_night_is_made_up_and_a_wrong_day_mended(scene):
    first = timezone.now().date() - timedelta(days=10)
    PromoNumberFactory(campaign=scene.roofing, created_at=at(first))
    days_roll_up()
    NumberDay.objects.filter(day__gte=first + timedelta(days=6)).delete()
    NumberDay.objects.filter(day=first + timedelta(days=5)).update(static_used=99)
    NumberDay.objects.filter(day=first).update(static_used=98)
    days_roll_up()
    assert NumberDay.objects.filter(network=scene.network).count() == 10
    assert NumberDay.objects.get(day=first + timedelta(days=5)).static_used == 1
    assert NumberDay.objects.get(day=first).static_used == 98, "older days are left unless asked for"
    days_roll_up(since=first)
    assert NumberDay.objects.get(day=first).static_used == 1


def test_one_network_alone(scene):
    other = CampaignFactory()
    for campaign in (scene.roofing, other):
        PromoNumberFactory(campaign=campaign, created_at=timezone.now() - timedelta(days=2))
    days_roll_up(network=other.network)
    assert set(NumberDay.objects.values_list("network", flat=True)) == {other.network_id}


def test_usage_ends_with_todays_live_figure(scene):
    PromoNumberFactory(campaign=scene.roofing, created_at=timezone.now() - timedelta(days=2))
    days_roll_up()
    PromoNumberFactory.create_batch(2, campaign=scene.roofing)
    usage = usage_of(scene.network)
    assert [day.total for day in usage.days] == [1, 1, 3]
    assert (usage.used, usage.days[-1].day) == (3, timezone.now().date())


def test_usage_of_many_networks_is_a_constant_number_of_statements(scene, django_assert_num_queries):
    networks = [scene.network, *NetworkFactory.create_batch(12)]
    for network in networks[:5]:
        Contract.objects.create(network=network, csm=UserFactory(is_platform_staff=True), **TERMS)
    with django_assert_num_queries(3):
        assert len(usages_of(networks)) == 13


# The warning ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def this_month(scene):
    """A contract of one month, the present one: 20 numbers."""
    today = timezone.now().date()
    return Contract.objects.create(
        network=scene.network, starts_on=today, ends_on=today + timedelta(days=27), numbers=20, period="Month",
        overage_price="2.50",
    )  # fmt: skip


def test_a_raise_within_what_is_left_this_month_warns_of_nothing(scene, this_month):
    PromoNumberFactory.create_batch(5, campaign=scene.roofing)
    assert raise_warning(scene.roofing, 10 + 15) is None
    warning = raise_warning(scene.roofing, 10 + 16)
    assert warning.text.startswith(
        "That is 16 more. This month the contract has 15 left, and 1 month to go: up to 25 (15 more) is safe. Each number"
        " above the contract costs 2.50 USD a month."
    )
    assert warning.figures["safe_limit"] == 25


def test_a_yearly_contract_is_spread_over_the_months_it_has_left(scene):
    today = timezone.now().date()
    Contract.objects.create(
        network=scene.network, starts_on=today, ends_on=today + timedelta(days=364), numbers=120, overage_price=1
    )
    assert raise_warning(scene.roofing, 10 + 10) is None
    assert raise_warning(scene.roofing, 10 + 11).figures["fair"] == 10


def test_no_contract_no_warning_and_an_ended_one_always(scene):
    assert raise_warning(scene.roofing, 100_000) is None
    Contract.objects.create(
        network=scene.network, starts_on=date(2020, 1, 1), ends_on=date(2020, 12, 31), numbers=10, overage_price=1
    )
    assert "the contract ended on 2020-12-31" in raise_warning(scene.roofing, 11).text


def test_the_raise_itself_is_refused_until_it_is_confirmed(scene, this_month):
    with pytest.raises(Invalid) as refused:
        actions.campaign_limit_set(by=scene.people.super, campaign=scene.roofing, allowed=99, reason="Fair")
    assert (refused.value.code, refused.value.details["fair"]) == ("large_raise", 20)
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 10
    actions.campaign_limit_set(by=scene.people.super, campaign=scene.roofing, allowed=99, reason="Fair", confirmed=True)
    assert CampaignNumbers.objects.get(pk=scene.roofing.pk).allowed == 99


def test_what_is_released_stops_counting_from_its_day_on(scene):
    PromoNumber.objects.all().delete()
    assert NetworkNumbers.objects.get(pk=scene.network.pk).total_used == 0
    assert days_roll_up() == 0 and usage_of(scene.network).at_end == (0, 0, 0)
