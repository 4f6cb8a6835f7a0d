"""What calls cost and bring: priced once at their end, in decimals; counters set by hand. Sums: test_money.py."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from campaigns import actions
from campaigns.models import CallLeg, Campaign, CampaignHour, DestinationState
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed
from tests.factories import bundle_of, cap, changed, destinations

from .race import deadlocks, together

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD = {"reset_period": "Monthly", "starts_at": "2026-01-01", "time_zone": "America/Denver"}


def place(bundle, *events):
    routed = actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123")
    for event in events:
        actions.call_event(by=None, network=bundle.network, call=routed.call_id, event=event)
    return CallLeg.objects.get(pk=routed.leg_id)


@pytest.fixture
def one():
    (only,) = destinations(1, payout="12.3456", payin="20")
    cap(only, "1000", "budget", **PERIOD)
    cap(only, 1000, "periodic_calls", **PERIOD)
    return only, bundle_of(only)


def spent(campaign):
    return DestinationState.objects.get(pk=campaign.pk).spend_used


def test_an_answered_call_has_its_price_at_its_end_and_not_before(one):
    only, bundle = one
    leg = place(bundle, "answered")
    assert leg.cost is None and spent(only) == Decimal("12.3456"), "what is in progress counts as reserved"
    leg = place(bundle, "answered", "ended")
    assert (leg.cost, leg.revenue) == (Decimal("12.3456"), Decimal("20"))


def test_an_unanswered_call_costs_nothing(one):
    only, bundle = one
    leg = place(bundle, "ringing", "ended")
    assert (leg.cost, leg.revenue) == (0, 0) and spent(only) == 0


def test_an_answer_that_comes_after_the_end_prices_it_once(one):
    only, bundle = one
    leg = place(bundle, "ended", "answered", "answered", "ended")
    assert leg.cost == Decimal("12.3456") and spent(only) == Decimal("12.3456")


def test_a_counter_is_reset_and_overridden_with_a_reason(one, personas):
    only, bundle = one
    place(bundle, "answered", "ended")
    assert actions.usage_set(by=None, campaign=only, kind="budget", used="0", reason="Test calls") == Decimal("12.3456")
    assert spent(only) == 0
    event = AuditEvent.objects.filter(event="usage.set").get()
    assert event.reason == "Test calls" and event.changes["used"] == ["12.3456", "0"]
    actions.usage_set(by=None, campaign=only, kind="periodic_calls", used=998, reason="Moved from the old system")
    place(bundle, "answered", "ended")
    place(bundle, "answered", "ended")
    assert actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=None).refusal == "capped"
    assert actions.live_counts_reconcile(with_usage=True) == [], "recounting comes to the same"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"used": "-1"}, "out_of_range"),
        ({"used": "1.5", "kind": "periodic_calls"}, "fractional"),
        ({"used": "many"}, "not_a_number"),
        ({"used": "NaN"}, "not_a_number"),
        ({"reason": " "}, "required"),
        ({"kind": "concurrent_calls"}, "unknown_kind"),
    ],
)
def test_bad_input_sets_nothing(one, values, code):
    only, bundle = one
    place(bundle, "answered", "ended")
    with pytest.raises(Invalid) as refused:
        actions.usage_set(by=None, campaign=only, **{"kind": "budget", "used": "0", "reason": "x", **values})
    assert refused.value.code == code and spent(only) == Decimal("12.3456")


def test_nothing_is_set_where_nothing_is_counted():
    (free,) = destinations(1)
    with pytest.raises(Conflict) as refused:
        actions.usage_set(by=None, campaign=free, kind="budget", used=0, reason="x")
    assert refused.value.code == "not_counted"


def test_only_who_may_change_caps_sets_counters(one, client):
    from tests.factories import MembershipFactory

    only, bundle = one
    place(bundle, "answered", "ended")
    url = reverse("campaigns:usage", args=[only.pk])
    form = {"kind": "budget", "used": "5", "reason": "Corrected"}
    for role, status in ((10, 403), (20, 403), (30, 302)):
        user = MembershipFactory(network=only.network, role=role).user
        client.force_login(user)
        assert client.post(url, form).status_code == status
        if role < 30:
            with pytest.raises(NotAllowed):
                actions.usage_set(by=user, campaign=only, kind="budget", used=0, reason="x")
            assert spent(only) == Decimal("12.3456")
        page = client.get(reverse("campaigns:caps", args=[only.pk])).content.decode()
        assert ("Set the counter" in page) == (role == 30)
    assert spent(only) == 5


def test_the_api_sets_a_counter_too(one):
    from django.test import Client

    from portal.accounts.actions.tokens import token_create
    from tests.factories import MembershipFactory

    only, bundle = one
    place(bundle, "answered", "ended")
    campaign = f"advertisers/{only.advertiser.id_from_network}/advertiser_campaigns/{only.id_from_network}"
    path = f"/api/2026-11-01/{only.network_id}/{campaign}/usage.json"

    def post(role, body, version="2026-11-01"):
        user = MembershipFactory(network=only.network, role=role).user
        client = Client(headers={"Authorization": token_create(by=None, user=user, name="t")[1]})
        return client.post(path.replace("2026-11-01", version), body, content_type="application/json")

    body = {"cap": "budget_cap_alert", "used": 7.25, "reason": "Corrected"}
    assert post(20, body).status_code == 403 and spent(only) == Decimal("12.3456")
    answer = post(30, body)
    assert answer.status_code == 200 and spent(only) == Decimal("7.25")
    assert answer.json()["budget_activities"]["budget_cap_alert"]["total_amount"] == 7.25
    for wrong, field in (
        ({"cap": "concurrent_call_cap_alert"}, "cap"),
        ({"reason": ""}, "reason"),
        ({"used": -1}, "used"),
    ):
        refused = post(30, {**body, **wrong})
        assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == field
    assert post(30, body, "2022-08-01").status_code == 404


def with_policies(campaign, payout=(), payin=(), base="10"):
    """Policies in force at once, as a go-live leaves them."""
    campaign.payout, campaign.payout_policies, campaign.payin_policies = base, list(payout), list(payin)
    campaign.save()
    actions.profile_compile(campaign)


def talked(leg, seconds):
    """As if the answered call had lasted `seconds`, and was hung up now."""
    now = timezone.now()
    CallLeg.objects.filter(pk=leg.pk).update(
        answered_at=now - timedelta(seconds=seconds), selected_at=now - timedelta(seconds=seconds + 5)
    )
    leg.call.__class__.objects.filter(pk=leg.call_id).update(started_at=now - timedelta(seconds=seconds + 5))
    actions.call_event(by=None, network=leg.call.network, call=leg.call_id, event="ended")


LONG = [
    {"type": "Base", "amount": "2.50", "condition": "connect_duration < 30"},
    {"type": "Bonus", "amount": "5.00", "condition": "connect_duration >= 1 min 30 sec"},
]


@pytest.mark.parametrize(("seconds", "cost"), [(10, "2.5"), (60, "10"), (89, "10"), (95, "15")])
def test_policies_price_a_call_by_how_long_it_lasted(one, seconds, cost):
    only, bundle = one
    with_policies(only, payout=LONG, payin=[{"type": "Bonus", "amount": "1", "condition": "repeat"}])
    leg = place(bundle, "answered")
    assert spent(only) == 15, "the most that it can cost is reserved"
    talked(leg, seconds)
    leg.refresh_from_db()
    assert leg.cost is None and spent(only) == 15
    assert actions.legs_price() == 1
    leg.refresh_from_db()
    assert leg.cost == Decimal(cost) and leg.revenue == 20 and spent(only) == Decimal(cost)
    assert actions.legs_price() == 0
    assert actions.live_counts_reconcile(with_usage=True) == []


@pytest.mark.parametrize(
    ("before", "after", "cost"),
    [
        ({"base": "10", "payout": LONG}, {"base": "7"}, 7),
        ({"base": "10"}, {"base": "12"}, 12),
        ({"base": "10"}, {"base": "3", "payout": LONG}, 8),
        ({"base": "10"}, {"base": "10"}, 10),
    ],
)
def test_a_call_is_priced_by_the_terms_in_force_when_it_ends(one, before, after, cost):
    only, bundle = one
    with_policies(only, **before)
    leg = place(bundle, "answered")
    with_policies(only, **after)
    assert spent(only) == leg.reserved, "what it reserved stays until it ends"
    talked(leg, 100)
    actions.legs_price()
    leg.refresh_from_db()
    assert leg.cost == cost == spent(only) and leg.revenue == 20
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_a_call_that_ends_after_more_than_a_day_stands_in_the_sums_of_the_hour_in_which_it_ended(one):
    only, bundle = one
    leg = place(bundle, "answered")
    talked(leg, 30 * 3600)
    actions.hours_roll_up()
    sums = CampaignHour.objects.filter(campaign=only, ended=1).get()
    assert (sums.cost, sums.revenue, sums.seconds) == (Decimal("12.3456"), 20, 30 * 3600)


def test_a_call_nobody_answered_needs_no_policy(one):
    only, bundle = one
    with_policies(only, payout=LONG)
    place(bundle, "ringing", "ended")
    assert actions.legs_price() == 0 and spent(only) == 0


def test_sixteen_workers_price_each_call_once(one):
    only, bundle = one
    with_policies(only, payout=LONG)
    legs = [place(bundle, "answered") for _ in range(30)]
    for leg in legs:
        talked(leg, 100)
    counts = []
    together(lambda number: counts.append(actions.legs_price()))
    assert sum(counts) == 30
    assert spent(only) == 30 * 15 == CallLeg.objects.aggregate(sum=Sum("cost"))["sum"]


def test_one_call_that_cannot_be_priced_holds_up_no_other(one):
    only, bundle = one
    with_policies(only, payout=LONG)
    first, second = place(bundle, "answered"), place(bundle, "answered")
    talked(first, 100)
    (broken,) = destinations(1)
    with_policies(broken, payout=[{"type": "Bonus", "amount": "1", "condition": "in_region["}])
    CallLeg.objects.filter(pk=first.pk).update(destination=broken)
    talked(second, 100)
    assert actions.legs_price() == 1
    second.refresh_from_db()
    first.refresh_from_db()
    assert second.cost == 15 and first.cost is None, "it waits, and the log says why"


def test_terms_that_go_live_change_no_price_of_a_call_that_had_ended():
    """It waits for its price for seconds, or for as long as the workers are away: its terms are those of its end."""

    def bonus(amount):
        return [{"type": "Base", "amount": "1"}, {"type": "Bonus", "amount": amount, "condition": "duration >= 0 sec"}]

    only = changed(destinations(1)[0], payout_policies=bonus("2"), payin_policies=bonus("20"))
    cap(only, "1000", "budget", **PERIOD)
    bundle = bundle_of(only)
    ended, talking = place(bundle, "answered", "ended"), place(bundle, "answered")
    assert ended.cost is None
    only = changed(only, payout_policies=bonus("5"), payin_policies=bonus("50"))
    ended.refresh_from_db()
    assert (ended.cost, ended.revenue) == (3, 21)
    actions.call_event(by=None, network=bundle.network, call=talking.call_id, event="ended")
    assert actions.legs_price() == 1
    ended.refresh_from_db()
    talking.refresh_from_db()
    assert [(leg.cost, leg.revenue) for leg in (ended, talking)] == [(3, 21), (6, 51)]
    assert spent(only) == 9
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_going_live_while_workers_price_and_calls_end_neither_deadlocks_nor_drifts():
    def bonus(amount):
        return [{"type": "Bonus", "amount": amount, "condition": "duration >= 0 sec"}]

    only = changed(destinations(1)[0], payout_policies=bonus("2"))
    cap(only, "100000", "budget", **PERIOD)
    bundle, before = bundle_of(only), deadlocks()

    def work(number):
        for turn in range(8):
            if number == 0:
                changed(Campaign.objects.get(pk=only.pk), payout_policies=bonus(str(3 + turn)))
            elif number < 3:
                actions.legs_price()
            else:
                leg = place(bundle, "answered", "ended")
                actions.call_event(by=None, network=bundle.network, call=leg.call_id, event="answered")

    together(work, 10)
    actions.legs_price()
    assert deadlocks() == before
    assert CallLeg.objects.count() == 56 and not CallLeg.objects.filter(cost=None).exists()
    assert spent(only) == CallLeg.objects.aggregate(Sum("cost"))["cost__sum"]
    assert actions.live_counts_reconcile(with_usage=True) == []
