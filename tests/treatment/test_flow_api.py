"""The generic webhook: any switch leads a call through its treatment by JSON, and the races that this can bring."""

import random

import pytest
from django.test import Client

from campaigns import actions
from campaigns.models import Call, CallFlow, CallLeg
from campaigns.treatment.flow import Input
from portal.accounts.actions.tokens import token_create
from portal.accounts.models import Network
from tests.campaigns.race import deadlocks, together
from tests.factories import PromoNumberFactory, bundle_of, destinations

from .setting import in_force
from .switch import live
from .test_trees import END, menu, select

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_switch_leads_a_call_through_its_treatment(house, say):
    bundle, made = house
    in_force(bundle, {"root": menu(select({**END, "record_message": True}))})
    number = PromoNumberFactory(campaign=bundle).number
    status, body = say("start", caller="(303) 555-0123", promo_number=number)
    assert (status, body["phase"], body["call"], body["repeated"]) == (200, "asking", None, False)
    assert body["actions"] == [{"action": "gather", "text": "Press a key.", "turn": 1, "most": 1, "timeout": 5}]
    _, body = say("digits", digits="1", turn=1)
    (dial,) = body["actions"]
    assert (dial["action"], dial["numbers"], dial["turn"]) == ("dial", ["+13035550101"], 3)
    assert body["call"] == Call.objects.get().transaction_id and live(made) == [1, 0, 0]
    assert say("ringing", leg=dial["leg"]) == (204, None)
    _, body = say("busy", turn=3)
    assert body["actions"][0]["numbers"] == ["+13035550102"] and live(made) == [0, 1, 0]
    _, again = say("busy", turn=3)
    assert again["repeated"] is True and again["actions"] == body["actions"]
    _, body = say("answered", turn=body["turn"])
    assert (body["phase"], live(made)) == ("talking", [0, 1, 0])
    assert say("heartbeat") == (204, None)
    _, body = say("completed", reason="caller_hangup")
    assert body["actions"] == [{"action": "hangup", "reason": "caller_hangup"}] and live(made) == [0, 0, 0]
    assert [leg.end_reason for leg in CallLeg.objects.order_by("id")] == ["busy", "caller_hangup"]
    flow = CallFlow.objects.get()
    assert [entry["in"] for entry in flow.history] == ["start", "digits", "busy", "answered", "completed"]


def test_a_completed_call_was_answered_even_if_nobody_said_so(house, say):
    bundle, _made = house
    say("start", caller=None, bundle=bundle.id_from_network)
    say("completed", talked=5)
    leg = CallLeg.objects.get()
    assert leg.answered_at is not None and leg.end_reason == "destination_hangup"


@pytest.mark.parametrize(
    ("event", "values", "status", "code"),
    [
        ("dance", {}, 422, "invalid_choice"),
        ("digits", {"digits": 5}, 422, "invalid"),
        ("digits", {}, 404, "unknown_call"),
        ("ringing", {}, 404, "unknown_call"),
        ("start", {"caller": None}, 422, "required"),
        ("start", {"caller": None, "bundle": "nothing"}, 404, "unknown_campaign"),
        ("start", {"caller": None, "promo_number": "+18005550100"}, 404, "unknown_promo_number"),
        ("start", {"caller": None, "bundle": "x", "external_id": "y" * 101}, 422, "max_length"),
        ("selected", {"leg": 1}, 422, "invalid_choice"),
    ],
)
def test_what_is_wrong_is_said(house, say, event, values, status, code):
    got, body = say(event, **values)
    assert (got, body["errors"][0]["code"]) == (status, code), body
    assert not CallLeg.objects.exists()


def test_only_members_lead_calls(house, say, personas):
    bundle, _made = house
    assert say("start", user=personas.observer, caller=None, bundle=bundle.id_from_network)[0] == 403
    assert say("start", user=personas.outsider, caller=None, bundle=bundle.id_from_network)[0] == 404
    assert say("hangup", user=personas.limited)[0] == 403


def test_carriers_accounts(house, say, personas, network):
    account = {"account_sid": "AC123456", "secret": "a-very-secret-token"}
    status, body = say("x", user=personas.super, path="accounts", **account)
    assert status == 201 and "secret" not in body and body["account_sid"] == "AC123456"
    assert say("x", user=personas.super, path="accounts", **account)[0] == 200
    assert say("x", user=personas.manager, path="accounts", **account)[0] == 403
    assert say("x", user=personas.observer, path="accounts", **account)[0] == 404
    key = token_create(by=None, user=personas.super, name="switch")[1]
    client = Client(headers={"Authorization": key})
    address = f"/api/2026-11-01/{network.pk}/voice/accounts"
    listed = client.get(f"{address}.json").json()["results"]
    assert [row["account_sid"] for row in listed] == ["AC123456"] and "secret" not in str(listed)
    assert client.delete(f"{address}/AC123456.json").status_code == 204
    assert client.delete(f"{address}/AC123456.json").status_code == 204
    assert client.get(f"{address}.json").json()["results"] == []


def test_another_networks_call_is_not_found(house, say):
    other = bundle_of(*destinations(1))
    actions.flow_begin(by=None, network=other.network, external_id="a-1", caller=None, campaign=other.pk)
    assert say("hangup")[0] == 404


def test_an_edit_does_not_lead_a_caller_astray(house, say):
    bundle, _made = house
    in_force(bundle, {"root": menu(END, select())})
    say("start", caller=None, bundle=bundle.id_from_network)
    in_force(bundle, {"root": {**END, "prompt": "Gone."}})
    _, body = say("digits", digits="2")
    assert body["actions"][0]["action"] == "dial"


def test_a_hang_up_between_a_selection_and_its_writing_leaves_no_slot(house, overtaken_by_a_hang_up):
    bundle, made = house
    in_force(bundle, {"root": menu(select())})
    overtaken_by_a_hang_up(bundle, made)


def test_webhooks_of_one_call_from_many_sides_at_once(house, network):
    bundle, made = house
    in_force(bundle, {"root": menu(select({**END, "record_message": True}))})
    before = deadlocks()
    kinds = ["digits", "digits", "busy", "no_answer", "answered", "completed", "hangup", "failed", "timeout"]

    def tell(number):
        dice = random.Random(number)
        for index in range(10):
            name = f"call-{index}"
            actions.flow_begin(by=None, network=Network.objects.get(pk=network.pk), external_id=name, caller=None,
                               campaign=bundle.pk)  # fmt: skip
            for _event in range(4):
                actions.flow_step(
                    by=None, network=network, external_id=name, given=Input(dice.choice(kinds), digits="1")
                )

    together(tell, 6)
    for flow in CallFlow.objects.filter(ended_at=None):
        actions.flow_step(by=None, network=network, external_id=flow.external_id, given=Input("hangup"))
    assert live(made) == [0, 0, 0]
    assert not CallLeg.objects.filter(ended_at=None).exists()
    assert Call.objects.count() == CallFlow.objects.count() == 10
    assert actions.live_counts_reconcile(with_usage=True) == []
    assert deadlocks() == before


@pytest.mark.parametrize("end", ["lost", "hung up", "answered"])
def test_a_leg_that_ended_before_the_treatment_asked_for_it_is_not_rung(house, say, network, end):
    """Routed under the same id before (a process that died between the two, or a switch that asked both ways): that slot is
    gone and somebody else may have it. The call takes another one, or none where it is over."""
    bundle, made = house
    first = actions.call_route(by=None, network=network, campaign=bundle.pk, caller="+13035550123", external_id="a-1")
    leg = CallLeg.objects.get(pk=first.leg_id)
    if end == "answered":
        actions.call_event(by=None, network=network, call=first.call_id, event="answered")
    if end == "lost":
        CallLeg.objects.filter(pk=leg.pk).update(expires_at=leg.selected_at)
        actions.slots_sweep()
    else:
        actions.call_event(by=None, network=network, call=first.call_id, event="ended")
    actions.call_route(by=None, network=network, campaign=bundle.pk, caller="+13035550124")
    _status, body = say("start", bundle=bundle.id_from_network, caller="+13035550123")
    dials = [action for action in body["actions"] if action["action"] == "dial"]
    if end != "lost":
        assert dials == [] and sum(live(made)) == 1
        return
    (dial,) = dials
    taken = CallLeg.objects.get(pk=dial["leg"])
    assert taken.pk != leg.pk and taken.ended_at is None and taken.holds_slot
    assert sum(live(made)) == 2 and max(live(made)) == 1
