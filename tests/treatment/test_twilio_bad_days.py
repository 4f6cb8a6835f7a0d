"""Carriers that go silent, and a day of duplicated, lost and late webhooks: no slot stays held."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import actions
from campaigns.models import Call as CallRow
from campaigns.models import CallFlow, CallLeg

from .setting import in_force
from .test_trees import CONNECT, END, FAILOVER, menu, select
from .twilio_phone import SID, Call, Chaos
from .twilio_world import legs

pytestmark = pytest.mark.django_db(transaction=True)


def test_calls_that_the_carrier_does_not_know_any_more_are_ended(world, twilio_api):
    lost, alive = world.call(), world.call()
    lost.begin()
    alive.begin()
    twilio_api.alive = [alive.sid]
    assert actions.flows_reconcile() == 0, "too young to be judged"
    CallFlow.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    CallLeg.objects.update(expires_at=timezone.now() + timedelta(seconds=3))
    assert actions.flows_reconcile() == 1
    assert world.live == [0, 1] and legs() == ["error", ""]
    assert CallLeg.objects.get(ended_at=None).expires_at > timezone.now() + timedelta(seconds=60)
    assert f"/2010-04-01/Accounts/{SID}/Calls.json" in twilio_api.asked[0]
    assert actions.flows_reconcile() == 0


def test_a_carrier_that_cannot_be_asked_ends_nothing(world, settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    world.call().begin()
    CallFlow.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    assert actions.flows_reconcile() == 0
    assert world.live == [1, 0]


def one_call(world, chaos, index):
    """A call on a bad day. What Twilio does by itself (asking for TwiML) happens; what it tells may be lost or late."""
    dice = chaos.dice
    call = world.call(caller=f"+1303555{index:04d}")
    chaos.send(call.begin, lose=0, delay=0)
    for _round in range(12):
        if "Dial" in call.tags:
            dial = call.verb("Dial")
            chaos.send(lambda dial=dial: call.leg("ringing", dial))
            what = dice.choice(["talk", "talk", "busy", "no-answer", "failed", "gone", "silent"])
            if what == "talk":
                chaos.send(lambda dial=dial: call.leg("in-progress", dial))
                chaos.send(lambda dial=dial: call.leg("completed", dial, CallDuration="30"))
                gone = dice.random() < 0.5
                late = {"caller_gone": gone, "DialCallDuration": "30"}
                chaos.send(lambda dial=dial, late=late: Call.dialed(call, "completed", dial, **late))
                break
            if what in ("gone", "silent"):
                break
            if dice.random() < 0.1:
                break
            before = call.tags
            for _time in range(dice.choice([1, 1, 2])):
                call.dialed(what, dial)
            if call.tags == before and "Dial" not in call.tags:
                break
        elif "Gather" in call.tags:
            if dice.random() < 0.15:
                break
            call.press(dice.choice(["1", "1", "1", "", "7"]))
        elif "Record" in call.tags:
            chaos.send(lambda: call._post(call.verb("Record").get("action"), CallStatus="in-progress"))
            break
        else:
            break
    chaos.send(call.over, lose=0.3)
    return call


OWN = menu({**CONNECT, "children": [FAILOVER]}, {**END, "prompt": "Bye.", "keypress_failover_type": "Wrong"})


@pytest.mark.parametrize(("seed", "own"), [(1, None), (2, None), (3, OWN), (4, menu(CONNECT))])
def test_a_day_of_calls_ends_with_no_slot_held(world, twilio_api, seed, own):
    """own: the tree of the first destination."""
    if own is not None:
        in_force(world.first, {"root": own})
    world.put(
        menu(
            select({**END, "prompt": "Leave a message.", "record_message": True}),
            {**END, "keypress_failover_type": "None"},
        )
    )
    chaos = Chaos(seed)
    answered = set()
    for index in range(40):
        one_call(world, chaos, index)
        live = world.live
        assert all(0 <= count <= 1 for count in live), live
        if index % 10 == 9:
            # The carrier's list is compared once in a while.
            CallFlow.objects.filter(ended_at=None).update(started_at=timezone.now() - timedelta(minutes=5))
            actions.flows_reconcile()
    chaos.settle()
    CallFlow.objects.filter(ended_at=None).update(started_at=timezone.now() - timedelta(minutes=5))
    actions.flows_reconcile()
    assert world.live == [0, 0]
    assert not CallLeg.objects.filter(ended_at=None).exists()
    assert not CallFlow.objects.filter(ended_at=None).exists()
    assert CallFlow.objects.count() == CallRow.objects.count() == 40, "each call is one call"
    assert CallLeg.objects.count() > 20
    assert actions.live_counts_reconcile(with_usage=True) == []
    for leg in CallLeg.objects.exclude(answered_at=None):
        assert leg.call_id not in answered, "a call is connected once"
        answered.add(leg.call_id)
