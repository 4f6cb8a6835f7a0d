"""A slot is a lease: it moves on with every sign of life, runs out by itself, and can be released by hand."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import actions
from campaigns.models import CallLeg, DestinationState
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import AdvertiserFactory, MembershipFactory, bundle_of, destinations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def one(network):
    """A bundle of one destination with room for one call, and that call."""
    (only,) = destinations(1, 1, advertiser=AdvertiserFactory(network=network))
    bundle = bundle_of(only)
    return only, bundle, route(bundle)


def route(bundle):
    return actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123")


def tell(bundle, routed, event, **values):
    return actions.call_event(by=None, network=bundle.network, call=routed.call_id, event=event, **values)


def live(campaign):
    return DestinationState.objects.get(pk=campaign.pk).live


def run_out(routed):
    CallLeg.objects.filter(pk=routed.leg_id).update(expires_at=timezone.now() - timedelta(seconds=1))


def left(leg_id):
    """Seconds left on a lease."""
    return (CallLeg.objects.get(pk=leg_id).expires_at - timezone.now()).total_seconds()


def test_a_killed_caller_gives_his_slot_back_when_the_lease_runs_out(one):
    only, bundle, routed = one
    assert route(bundle).refusal == "capped"
    assert actions.slots_sweep() == 0, "a lease that still runs is left alone"
    run_out(routed)
    assert actions.slots_sweep() == 1
    leg = CallLeg.objects.get(pk=routed.leg_id)
    assert (leg.end_reason, leg.answered_at, live(only)) == ("lease_expired", None, 0)
    assert leg.ended_at is not None
    assert actions.slots_sweep() == 0, "once"
    assert route(bundle).destination_id == only.pk


def test_each_sign_of_life_moves_the_lease_on(one, settings):
    _only, bundle, routed = one
    settings.HEADROOM_SETUP_LEASE, settings.HEADROOM_CALL_LEASE = 60, 600
    assert 110 < left(routed.leg_id) <= 120, "the setup lease that was set when the call came"
    CallLeg.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    tell(bundle, routed, "ringing")
    assert 55 < left(routed.leg_id) <= 60
    CallLeg.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    tell(bundle, routed, "heartbeat")
    assert 55 < left(routed.leg_id) <= 60, "a heartbeat before the answer is worth a setup lease"
    tell(bundle, routed, "answered")
    assert 595 < left(routed.leg_id) <= 600
    CallLeg.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    tell(bundle, routed, "heartbeat")
    assert 595 < left(routed.leg_id) <= 600, "and after it a call lease"


def test_a_lease_never_gets_shorter_by_a_sign_of_life(one, settings):
    _only, bundle, routed = one
    tell(bundle, routed, "answered")
    settings.HEADROOM_CALL_LEASE = 60
    before = left(routed.leg_id)
    tell(bundle, routed, "heartbeat")
    assert left(routed.leg_id) == pytest.approx(before, abs=2)


def test_an_answered_lease_runs_out_too_and_its_call_still_counts(one):
    only, bundle, routed = one
    tell(bundle, routed, "answered")
    run_out(routed)
    assert actions.slots_sweep() == 1
    leg = CallLeg.objects.get(pk=routed.leg_id)
    assert leg.end_reason == "lease_expired" and leg.answered_at <= leg.ended_at
    assert live(only) == 0


def test_a_late_heartbeat_before_the_sweeper_saves_the_call(one):
    only, bundle, routed = one
    run_out(routed)
    assert tell(bundle, routed, "heartbeat").result == "applied"
    assert actions.slots_sweep() == 0
    assert live(only) == 1


@pytest.mark.parametrize("event", ["ringing", "answered", "heartbeat"])
def test_a_sign_of_life_after_the_lease_ran_out_is_refused(one, event):
    only, bundle, routed = one
    run_out(routed)
    actions.slots_sweep()
    with pytest.raises(Conflict) as refused:
        tell(bundle, routed, event)
    assert (refused.value.status, refused.value.code) == (409, "call_finished")
    assert refused.value.details == {"end_reason": "lease_expired"}
    assert live(only) == 0
    assert CallLeg.objects.get(pk=routed.leg_id).answered_at is None


def test_a_hang_up_after_the_lease_ran_out_changes_nothing(one):
    only, bundle, routed = one
    run_out(routed)
    actions.slots_sweep()
    before = CallLeg.objects.values().get(pk=routed.leg_id)
    assert tell(bundle, routed, "ended", cause="busy").result == "unchanged"
    assert CallLeg.objects.values().get(pk=routed.leg_id) == before
    assert live(only) == 0


def test_a_hang_up_never_comes_before_the_answer_that_was_heard(one):
    _only, bundle, routed = one
    tell(bundle, routed, "answered")
    tell(bundle, routed, "ended", at=timezone.now() - timedelta(hours=1))
    leg = CallLeg.objects.get(pk=routed.leg_id)
    assert leg.selected_at <= leg.answered_at <= leg.ended_at


def test_staff_release_a_slot_with_a_reason_and_it_is_on_record(one, personas):
    only, bundle, routed = one
    leg = actions.slot_release(by=personas.manager, leg=routed.leg_id, reason="  The switch in Denver crashed. ")
    assert (leg.end_reason, leg.end_detail) == ("released", "The switch in Denver crashed.")
    assert live(only) == 0
    event = AuditEvent.objects.get(event="slot.release")
    assert (event.actor, event.object_id, event.reason) == (
        personas.manager,
        str(only.pk),
        "The switch in Denver crashed.",
    )
    assert event.changes["call"][0] == CallLeg.objects.get(pk=routed.leg_id).call.transaction_id
    with pytest.raises(Conflict) as refused:
        actions.slot_release(by=personas.manager, leg=routed.leg_id, reason="Again")
    assert refused.value.code == "call_finished"
    assert AuditEvent.objects.filter(event="slot.release").count() == 1
    with pytest.raises(Conflict):
        tell(bundle, routed, "answered")
    assert route(bundle).destination_id == only.pk


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_release_without_a_reason_is_refused(one, personas, reason):
    only, _bundle, routed = one
    with pytest.raises(Invalid) as refused:
        actions.slot_release(by=personas.manager, leg=routed.leg_id, reason=reason)
    assert (refused.value.field, refused.value.code) == ("reason", "required")
    assert live(only) == 1


def test_who_may_release_a_slot(one, personas, network):
    only, _bundle, routed = one
    for who, error in (
        (personas.observer, NotAllowed),
        (personas.member, NotAllowed),
        (personas.limited, NotFound),
        (personas.outsider, NotFound),
    ):
        with pytest.raises(error):
            actions.slot_release(by=who, leg=routed.leg_id, reason="Because")
        assert live(only) == 1
    actions.access_grant(by=None, obj=only, to=personas.limited, action="operate")
    actions.slot_release(by=personas.limited, leg=routed.leg_id, reason="Granted here")
    assert live(only) == 0


def test_a_grant_on_another_destination_is_no_right_here(one, network):
    only, _bundle, routed = one
    (other,) = destinations(1, advertiser=only.advertiser)
    holder = MembershipFactory(network=network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=other, to=holder, action="operate")
    with pytest.raises(NotFound):
        actions.slot_release(by=holder, leg=routed.leg_id, reason="Because")
    assert live(only) == 1
