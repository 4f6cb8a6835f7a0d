"""The main job: which destination takes the call."""

import pytest

from campaigns import actions
from campaigns.models import Call, CallLeg, DestinationState
from tests.factories import bundle_of, cap, destinations

pytestmark = pytest.mark.django_db(transaction=True)

CALLER = "+13035550123"


def route(bundle, caller=CALLER, **kwargs):
    return actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=caller, **kwargs)


def live(campaign):
    return DestinationState.objects.get(pk=campaign.pk).live


def test_five_agents_the_sixth_call_goes_to_another_destination():
    first, second = destinations(2, [5, None])
    bundle = bundle_of(first, second)
    taken = [route(bundle).destination_id for _ in range(6)]
    assert taken == [first.pk] * 5 + [second.pk]
    assert (live(first), live(second)) == (5, 1)


def test_a_slot_is_given_back_exactly_once():
    (only,) = destinations(1, 1)
    bundle = bundle_of(only)
    call = route(bundle)
    assert route(bundle).refusal == "capped"
    for expected in ("applied", "unchanged", "unchanged"):
        result = actions.call_event(by=None, network=bundle.network, call=call.call_id, event="ended")
        assert result.result == expected
    assert live(only) == 0
    assert route(bundle).destination_id == only.pk


def test_a_hang_up_before_its_answer():
    (only,) = destinations(1, 1)
    bundle = bundle_of(only)
    call = route(bundle)
    actions.call_event(by=None, network=bundle.network, call=call.call_id, event="ended")
    late = actions.call_event(by=None, network=bundle.network, call=call.call_id, event="answered")
    assert late.result == "applied"
    assert live(only) == 0
    leg = CallLeg.objects.get(call_id=call.call_id)
    assert leg.answered_at <= leg.ended_at


def test_the_same_external_id_is_one_call():
    (only,) = destinations(1, 5)
    bundle = bundle_of(only)
    first = route(bundle, external_id="sip-1")
    again = route(bundle, external_id="sip-1")
    assert again.call_id == first.call_id and again.repeated
    assert live(only) == 1
    assert Call.objects.count() == 1


def test_zero_closes_and_null_is_no_cap():
    closed, open_ = destinations(2, [0, None])
    bundle = bundle_of(closed, open_)
    assert {route(bundle).destination_id for _ in range(20)} == {open_.pk}
    actions.cap_clear(by=None, campaign=closed, kind="concurrent_calls")
    assert route(bundle).destination_id == closed.pk


def test_budget_and_periodic_caps_count_calls_in_progress_and_are_given_back_unanswered():
    (only,) = destinations(1, payout="10.00")
    bundle = bundle_of(only)
    cap(only, 2, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="America/Denver")
    one, _two = route(bundle), route(bundle)
    assert route(bundle).refusal == "capped"
    actions.call_event(by=None, network=bundle.network, call=one.call_id, event="ended", cause="no_answer")
    three = route(bundle)
    assert three.destination_id == only.pk
    actions.call_event(by=None, network=bundle.network, call=three.call_id, event="answered")
    actions.call_event(by=None, network=bundle.network, call=three.call_id, event="ended")
    assert route(bundle).refusal == "capped"
    actions.cap_clear(by=None, campaign=only, kind="periodic_calls")
    cap(only, "25.00", "budget", reset_period="Monthly", starts_at="2026-01-31", time_zone="America/Denver")
    assert route(bundle).refusal == "capped"  # 10 of the third call and 10 of the second, still in progress
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_a_decision_explains_itself_and_simulate_agrees():
    from campaigns.callers import caller_read
    from campaigns.queries import decision_of, simulate

    paused, full, free = destinations(3, [None, 1, None])
    actions.campaign_move_status(by=None, campaign=paused, move="pause")
    bundle = bundle_of(paused, full, free)
    route(bundle)
    said = simulate(bundle=bundle, caller=caller_read(CALLER))
    call = Call.objects.get(pk=route(bundle).call_id)
    decision = decision_of(call)
    for explained in (said, decision):
        codes = {entry.campaign_id: entry.reasons[0].code for entry in explained.entries}
        assert codes == {paused.pk: "not_live", full.pk: "concurrent_call_cap", free.pk: "chosen"}
        assert explained.entries[1].reasons[0].text == "Concurrent call cap reached: 1/1 live"
        assert explained.summary == f"Sent to “{free}”."
