"""Every row of “What users of such systems complain about” in domain/call-capacity.md, replayed by its name."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import actions
from campaigns.callers import caller_read
from campaigns.models import CallLeg, CampaignHour, Cap, DestinationState
from campaigns.queries import decision_of, simulate
from portal.errors import Conflict
from tests.factories import AdvertiserFactory, CampaignFactory, NetworkFactory, bundle_of, cap, changed, destinations

from .field import CALLER, DAILY, api, live
from .race import Tally, most_at_once, play, together

pytestmark = pytest.mark.django_db(transaction=True)


def counter_never_comes_down(field):
    """Calls stuck at “1 of 1”: a slot is a lease that runs out, can be released, and is compared with its legs."""
    (child,) = field.make(1, 1)
    bundle = bundle_of(child)
    stuck = field.route(bundle)
    CallLeg.objects.filter(pk=stuck.leg_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert actions.slots_sweep() == 1 and live(child) == 0
    stuck = field.route(bundle)
    actions.slot_release(by=field.people.manager, leg=stuck.leg_id, reason="No hang-up was heard")
    assert live(child) == 0
    DestinationState.objects.filter(pk=child.pk).update(live=1)
    (drift,) = actions.live_counts_reconcile()
    assert drift["live"] == (1, 0) and live(child) == 0
    assert actions.live_counts_reconcile() == []


def released_twice(field):
    """A counter below zero: the end is idempotent on the leg, and the table itself refuses a negative count."""
    (child,) = field.make(1, 2)
    bundle = bundle_of(child)
    first, _second = field.route(bundle), field.route(bundle)
    assert field.tell(first, "ended", "ended", "ended") == ["applied", "unchanged", "unchanged"]
    with pytest.raises(Conflict):
        actions.slot_release(by=None, leg=first.leg_id, reason="Again")
    assert live(child) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        DestinationState.objects.filter(pk=child.pk).update(live=-1)


def race_over_the_cap(field):
    """A race lets more calls through than the cap: 16 threads, never one too many (more in test_races)."""
    (child,) = field.make(1, 3)
    bundle = bundle_of(child)
    together(lambda number: play(bundle, number, 30, Tally()))
    assert most_at_once(child) == 3 and live(child) == 0


def zero_and_null(field):
    """0 and “not set” mixed up: none = no limit, 0 = closed, and each says which it is."""
    closed, open_ = field.make(2, [0, None])
    bundle = bundle_of(closed, open_)
    routed = [field.route(bundle) for _ in range(5)]
    assert {call.destination_id for call in routed} == {open_.pk}
    states = DestinationState.objects.in_bulk()
    assert (states[closed.pk].live_cap, states[open_.pk].live_cap) == (0, None)
    entry = simulate(bundle=bundle, caller=caller_read(CALLER)).entries[0]
    assert entry.reasons[0].text == "Concurrent call cap is 0 (closed)"
    actions.cap_clear(by=None, campaign=closed, kind="concurrent_calls")
    assert field.route(bundle).destination_id == closed.pk


def one_counter_for_different_things(field):
    """The key is the destination campaign: not the tenant, not the bundle, not the way that a call came."""
    shared, own = field.make(2, [2, 2])
    one, two = bundle_of(shared), bundle_of(shared, own)
    (foreign,) = destinations(1, 2, advertiser=AdvertiserFactory(network=NetworkFactory()))
    elsewhere = bundle_of(foreign)
    field.route(one)
    field.route(two)
    assert field.route(one).refusal == "capped", "both bundles fill the one destination"
    assert field.route(two).destination_id == own.pk, "and it leaves the other alone"
    field.route(shared)
    assert (live(shared), live(own)) == (2, 1), "a direct call counts nowhere"
    actions.call_route(by=None, network=foreign.network, campaign=elsewhere.pk, caller=CALLER)
    assert (live(foreign), live(shared)) == (1, 2)


def counting_lags(field):
    """Caps leak because counting lags: a call in progress counts from its selection, for all three kinds of caps."""
    (child,) = field.make(1, payout="10.00")
    bundle = bundle_of(child)
    for kind, amount, period in (("concurrent_calls", 1, {}), ("periodic_calls", 1, DAILY), ("budget", "10.00", DAILY)):
        cap(child, amount, kind, **period)
        first = field.route(bundle)
        assert first.destination_id == child.pk, kind
        assert field.route(bundle).refusal == "capped", f"{kind}: not even ringing yet, and it counts"
        field.tell(first, "ended")
        actions.cap_clear(by=None, campaign=child, kind=kind)


def misleading_cause(field):
    """Every destination carries its own reason, and a refusal is called what it is."""
    (full,) = field.make(1, 0)
    (paused,) = field.make(1)
    actions.campaign_move_status(by=None, campaign=paused, move="pause")
    (used,) = field.make(1)
    cap(used, 0, "periodic_calls", **DAILY)
    (abroad,) = field.make(1)
    changed(abroad, named_regions=[{"name": "UK", "regions": [{"region_type": "Prefix", "value": "+44"}]}])
    (shut,) = field.make(1)
    changed(shut, operating_24_7=False, hours={})
    bundle = bundle_of(full, paused, used, abroad, shut)
    refused = field.route(bundle)
    assert refused.refusal == "capped"
    decision = decision_of(bundle.calls.get(pk=refused.call_id))
    codes = {entry.campaign_id: [reason.code for reason in entry.reasons] for entry in decision.entries}
    assert codes == {
        full.pk: ["concurrent_call_cap"], paused.pk: ["not_live"], used.pk: ["periodic_call_cap"],
        abroad.pk: ["out_of_region"], shut.pk: ["closed"],
    }  # fmt: skip
    assert field.route(bundle_of(paused)).refusal == "no_destination"
    assert field.route(bundle_of(shut)).refusal == "closed"
    assert field.route(bundle_of(abroad)).refusal == "out_of_region"
    assert field.route(paused).refusal == "not_in_service"


def reset_at_an_unexpected_hour(field):
    """The period is the cap's own zone's, and its next reset is on the page (nights that change: test_time)."""
    (child,) = field.make(1)
    cap(child, 7, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="Asia/Tokyo")
    state = DestinationState.objects.get(pk=child.pk)
    assert (state.calls_since.hour, state.calls_until - state.calls_since) == (15, timedelta(days=1)), (
        "midnight in Tokyo"
    )
    assert "Asia/Tokyo" in field.page(field.people.observer, "campaigns:detail", child.pk)


def enforced_in_one_screen_only(field):
    """One action stands behind every surface, and a constraint below it: page, API and raw SQL refuse alike."""
    child = CampaignFactory(advertiser=field.advertiser, id_from_network="33")
    cap(child, 5)
    client = Client()
    client.force_login(field.people.observer)
    page = client.post(reverse("campaigns:caps", args=[child.pk]), {"concurrent_calls-amount": "9"})
    path = "advertisers/27/advertiser_campaigns/33.json"
    data = {"budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 9}}}
    answers = [
        api(field, field.people.observer, "put", version, path, data) for version in ("2015-05-01", "2026-11-01")
    ]
    assert [page.status_code, *(answer.status_code for answer in answers)] == [403, 403, 403]
    assert all("change_budget_caps" in answer.content.decode() for answer in answers)
    data["budget_activities"]["concurrent_call_cap_alert"]["budget_amount"] = -1
    assert api(field, field.people.manager, "put", "2026-11-01", path, data).status_code == 422
    for amount in ("-1", "2.5"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Cap.objects.filter(campaign=child).update(amount=amount)
    assert Cap.objects.get().amount == 5


def peak_history(field):
    """The peak per destination and hour is kept and plotted."""
    (child,) = field.make(1, 3)
    bundle = bundle_of(child)
    calls = [field.route(bundle) for _ in range(3)]
    for call in calls:
        field.tell(call, "ended")
    actions.hours_roll_up()
    assert CampaignHour.objects.filter(campaign=child).order_by("-peak_live").first().peak_live == 3
    assert "data-chart" in field.page(field.people.observer, "campaigns:detail", child.pk)


COMPLAINTS = {
    "live counter never comes down": counter_never_comes_down,
    "counter below zero or released twice": released_twice,
    "race lets more calls through than the cap": race_over_the_cap,
    "0 and not set mixed up": zero_and_null,
    "one counter for things that differ": one_counter_for_different_things,
    "caps leak because counting lags": counting_lags,
    "misleading cause in reports": misleading_cause,
    "reset at an unexpected hour": reset_at_an_unexpected_hour,
    "limit enforced in one screen only": enforced_in_one_screen_only,
    "peak concurrency history wanted": peak_history,
}


@pytest.mark.parametrize("complaint", COMPLAINTS.values(), ids=COMPLAINTS)
def test_complaint(complaint, field):
    complaint(field)
