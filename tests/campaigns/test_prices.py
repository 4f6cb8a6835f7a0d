"""What calls cost and bring: priced once at their end, in decimals; counters set by hand; sums that agree."""

import random
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse

from campaigns import actions
from campaigns.models import CallLeg, CampaignHour, DestinationState
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed
from tests.factories import bundle_of, cap, destinations

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


def test_sums_of_calls_caps_and_hours_agree_to_the_cent():
    """A small day; `make bench` and CI's long run take 100 000 calls."""
    dice = random.Random(5)
    targets = destinations(3)
    for target, payout in zip(targets, ("0.3333", "17.0101", "4.9999"), strict=True):
        actions.campaign_update(by=None, campaign=target, payout=payout)
        actions.profile_compile(target)
        cap(target, "10000000", "budget", **PERIOD)
    bundle = bundle_of(*targets, distribution="Weighted")
    for _ in range(400):
        events = dice.choice([("answered", "ended"), ("ended",), ("ended", "answered"), ("answered", "ended", "ended")])
        place(bundle, *events)
    actions.hours_roll_up()
    for target in targets:
        legs = CallLeg.objects.filter(destination=target)
        cost = legs.aggregate(sum=Sum("cost"))["sum"]
        hours = CampaignHour.objects.filter(campaign=target).aggregate(sum=Sum("cost"))["sum"]
        assert cost == spent(target) == hours
        assert cost == sum(leg.reserved for leg in legs if leg.answered_at)
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_the_api_sets_a_counter_too(one):
    from django.test import Client

    from portal.accounts.actions.tokens import token_create
    from tests.factories import MembershipFactory

    only, bundle = one
    place(bundle, "answered", "ended")
    path = f"/api/2026-11-01/{only.network_id}/advertisers/{only.advertiser.id_from_network}/advertiser_campaigns/{only.id_from_network}/usage.json"

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
