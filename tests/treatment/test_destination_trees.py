"""A bundle hands a call to a destination that has a call treatment of its own: through the generic webhook, in the database."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from campaigns import actions
from campaigns.callers import caller_read
from campaigns.models import Call, CallFlow, CallLeg
from campaigns.queries import simulate
from campaigns.treatment.flow import Input
from tests.factories import CampaignFactory, changed

from .setting import change, in_force
from .switch import live
from .test_trees import CONNECT, END, FAILOVER, menu, node, select

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "+13035550177"


def begin(say, bundle):
    return say("start", caller="+13035550123", bundle=bundle.id_from_network)[1]


def test_its_tree_is_walked_while_its_slot_is_held(house, say):
    bundle, made = house
    in_force(made[0], {"root": menu(node("VerifyLocation", {**CONNECT, "destination_phone_number": OTHER}))})
    body = begin(say, bundle)
    assert (body["phase"], body["actions"][0]["action"], live(made)) == ("asking", "gather", [1, 0, 0])
    leg = CallLeg.objects.get()
    CallLeg.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    say("digits", digits="1", turn=body["turn"])
    assert CallLeg.objects.get().expires_at > timezone.now() + timedelta(seconds=60), "each step extends the lease"
    (dial,) = say("digits", digits="80202")[1]["actions"]
    assert (dial["numbers"], dial["leg"]) == ([OTHER], leg.pk)
    say("answered", turn=dial["turn"])
    assert say("completed")[1]["actions"] == [{"action": "hangup", "reason": "destination_hangup"}]
    assert live(made) == [0, 0, 0] and CallLeg.objects.get().answered_at is not None


@pytest.mark.parametrize(
    ("event", "reason"), [({"event": "digits", "digits": "1"}, "ivr_hangup"), ({"event": "hangup"}, "caller_hangup")]
)
def test_its_end_gives_the_slot_back(house, say, event, reason):
    bundle, made = house
    in_force(made[0], {"root": menu(END)})
    begin(say, bundle)
    body = say(**event)[1]
    assert body["actions"][-1] == {"action": "hangup", "reason": reason} and live(made) == [0, 0, 0]
    assert CallLeg.objects.get().end_reason == reason


def test_nobody_there_moves_the_slot_to_the_next_destination(house, say):
    bundle, made = house
    in_force(made[0], {"root": menu({**CONNECT, "children": [{**FAILOVER, "destination_phone_number": OTHER}]})})
    in_force(made[1], {"root": menu({**CONNECT, "destination_phone_number": OTHER})})
    begin(say, bundle)
    say("digits", digits="1")
    assert say("busy")[1]["actions"][0]["numbers"] == [OTHER] and live(made) == [1, 0, 0]
    body = say("no_answer")[1]
    assert body["actions"][0]["action"] == "gather" and live(made) == [0, 1, 0]
    assert say("no_answer", turn=3)[1]["repeated"] is True
    say("digits", digits="1")
    body = say("busy")[1]
    assert body["actions"][0]["numbers"] == ["+13035550103"] and live(made) == [0, 0, 1], (
        "this one has no tree: it rings"
    )
    assert say("busy")[1]["phase"] == "ended" and live(made) == [0, 0, 0]
    assert list(CallLeg.objects.order_by("id").values_list("end_reason", flat=True)) == ["no_answer", "busy", "busy"]


def test_it_is_asked_as_the_destination(house, say):
    """Hours and custom data are the destination's; what is known of the call itself goes first."""
    bundle, made = house
    changed(
        bundle, operating_24_7=False, hours={}, extra={"custom_data": {"team": "bundle", "kept": "yes", "source": "b"}}
    )
    changed(made[0], extra={"custom_data": {"team": "north", "source": "standing"}})
    condition = (
        'during_hours and custom_data[team] = "north" and custom_data[kept] = "yes" and custom_data[source] = "call"'
    )
    yes = {**CONNECT, "destination_phone_number": OTHER}
    in_force(made[0], {"root": node("Condition", yes, END, condition=condition)})
    body = say("start", caller=None, bundle=bundle.id_from_network, custom_data={"source": "call"})[1]
    assert body["actions"][0]["numbers"] == [OTHER]
    tree = {"root": node("Condition", yes, END, condition='custom_data[source] = "standing"')}
    changed(made[1], extra={"custom_data": {"source": "standing"}})
    in_force(made[1], tree)
    body = say("start", caller=None, bundle=bundle.id_from_network, external_id="a-2")[1]
    assert body["actions"][0]["numbers"] == [OTHER], "the destination's before the bundle's"


def test_an_edit_of_it_does_not_lead_a_caller_astray(house, say):
    bundle, made = house
    in_force(made[0], {"root": menu(END, {**CONNECT, "destination_phone_number": OTHER})})
    begin(say, bundle)
    in_force(made[0], {"root": {**END, "prompt": "Gone."}})
    assert say("digits", digits="2")[1]["actions"][0]["numbers"] == [OTHER]


def test_the_overflow_campaign_walks_its_tree_too(house, say):
    bundle, made = house
    over = CampaignFactory(advertiser=bundle.advertiser, destination_phone_number="+13035550190")
    in_force(over, {"root": menu({**CONNECT, "destination_phone_number": OTHER})})
    change(bundle, overflow=over)
    for count in range(3):
        actions.flow_begin(
            by=None, network=bundle.network, external_id=f"full-{count}", caller=None, campaign=bundle.pk
        )
    assert live(made) == [1, 1, 1]
    assert begin(say, bundle)["actions"][0]["action"] == "gather"
    assert say("digits", digits="1")[1]["actions"][0]["numbers"] == [OTHER]
    assert say("busy")[1]["actions"] == [{"action": "hangup", "reason": "busy"}]
    assert not CallLeg.objects.filter(destination=over, ended_at=None).exists()


def test_a_call_that_an_older_portal_began_goes_on(house, say):
    """Its state has no word of destinations' trees, and the destination rings."""
    bundle, made = house
    body = begin(say, bundle)
    flow = CallFlow.objects.get()
    flow.state = {name: value for name, value in flow.state.items() if name not in ("inside", "home", "home_keys")}
    flow.save()
    in_force(made[1], {"root": menu(CONNECT)})
    body = say("busy", turn=body["turn"])[1]
    assert body["actions"][0]["action"] == "gather" and live(made) == [0, 1, 0]


def test_its_policies_see_the_keys_of_its_own_menus(house, say):
    bundle, made = house
    in_force(bundle, {"root": menu(END, select())})
    in_force(made[0], {"root": menu(CONNECT)})
    policy = {"type": "Base", "amount": 5}
    for campaign in made:
        change(campaign, payout_policies=[{**policy, "condition": "pressed[1]"}])
    for name, press in (("own", "1"), ("bundle's", None)):
        actions.flow_begin(by=None, network=bundle.network, external_id=name, caller=None, campaign=bundle.pk)
        for keys in filter(None, ("2", press)):
            actions.flow_step(by=None, network=bundle.network, external_id=name, given=Input("digits", digits=keys))
        actions.flow_step(by=None, network=bundle.network, external_id=name, given=Input("answered"))
    for name in ("own", "bundle's"):
        actions.flow_step(by=None, network=bundle.network, external_id=name, given=Input("completed"))
    actions.legs_price()
    prices = dict(CallLeg.objects.values_list("destination_id", "cost"))
    assert prices == {made[0].pk: Decimal(5), made[1].pk: Decimal(0)}


def test_a_hang_up_between_its_selection_and_its_writing_leaves_no_slot(house, overtaken_by_a_hang_up):
    bundle, made = house
    in_force(made[0], {"root": menu(CONNECT)})
    in_force(bundle, {"root": menu(select())})
    overtaken_by_a_hang_up(bundle, made)


def test_the_calls_page_and_simulate_say_so(house, say, personas, client):
    bundle, made = house
    in_force(made[0], {"root": menu(END)})
    begin(say, bundle)
    say("hangup")
    client.force_login(personas.observer, backend="portal.accounts.backends.RoleAndGrantBackend")
    text = client.get(f"/calls/{Call.objects.get().transaction_id}/").content.decode()
    assert f"{made[0]}: <code>root</code>" in text
    said = simulate(bundle=bundle, caller=caller_read("+13035550123")).summary
    assert said == f"Sent to “{made[0]}”. Its own call treatment leads the call on from there, beginning with Menu."
