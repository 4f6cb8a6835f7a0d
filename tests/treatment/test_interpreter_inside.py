"""A call handed to a destination that has a call treatment of its own: walked inside, given back, moved on."""

import pytest

from campaigns.treatment.expressions import Context
from campaigns.treatment.flow import Dial, Gather, Hangup, Release, Say, Select, State
from campaigns.treatment.interpreter import MAX_MOVES, Inside
from campaigns.treatment.validate import treatment_read

from .phone import NOW, OTHER, OVER, THREE, Phone, group
from .test_trees import CONNECT, END, FAILOVER, NUMBER, menu, node, select


def test_a_destination_with_a_tree_of_its_own_is_walked():
    phone = Phone(select())
    phone.hand(menu(node("VerifyLocation", {**CONNECT, "destination_phone_number": OTHER})))
    assert phone.said == ["Gather"] and phone.state.inside == 5 and phone.state.leg == 7
    phone.do("digits", digits="1")
    phone.do("digits", digits="80202")
    assert phone.actions == [Dial((OTHER,), 60, 4, 7)], "not the destination's number: what its tree says"
    assert phone.do("answered") == [] and phone.state.phase == "talking"
    assert phone.do("completed") == [Release(7, "destination_hangup"), Hangup("destination_hangup")]


@pytest.mark.parametrize("news", ["hangup", "end"])
def test_an_end_inside_gives_the_slot_back(news):
    phone = Phone(select(CONNECT))
    phone.hand(menu({**END, "prompt": "Bye."}))
    if news == "hangup":
        assert phone.do("hangup") == [Release(7, "caller_hangup"), Hangup("caller_hangup")]
    else:
        phone.do("digits", digits="1")
        assert phone.actions == [Say("Bye."), Release(7, "ivr_hangup"), Hangup("ivr_hangup")], "not the else branch"


def test_nobody_inside_and_no_failover_moves_the_call_on():
    phone = Phone(menu(select(END)))
    phone.do("digits", digits="1")
    phone.hand(menu(END, group(*THREE[:2])))
    phone.do("digits", digits="2")
    assert phone.rung == THREE[:1] and phone.state.keys == ("2",), "its menus begin anew"
    phone.do("busy")
    assert phone.rung == THREE[1:2]
    phone.do("no_answer")
    assert phone.actions == [Select(6, 7, "no_answer")] and phone.state.leg is None
    assert phone.state.inside is None and phone.state.keys == ("1",)
    assert phone.hand(None, leg=8, destination=6) == [Dial((NUMBER,), 60, 7, 8)]
    assert phone.do("busy") == [Select(8, 8, "busy")]
    assert phone.do("refused", reason="capped") == [Hangup("ivr_hangup")], "the else branch of the bundle"


def test_a_failover_inside_comes_first_and_then_the_next_destination():
    phone = Phone(select())
    phone.hand({**CONNECT, "connect_timeout": 20, "children": [{**FAILOVER, "destination_phone_number": OTHER}]})
    assert phone.actions == [Dial((NUMBER,), 20, 2, 7)]
    assert phone.do("busy") == [Dial((OTHER,), 60, 3, 7)]
    assert phone.do("no_answer") == [Select(4, 7, "no_answer")]


def test_conditions_inside_are_asked_of_the_destination():
    own = node("Condition", CONNECT, END, condition='in_region[West] and not pressed[1] and custom_data[a] = "b"')
    phone = Phone(menu(select()), regions=frozenset({"East"}))
    phone.do("digits", digits="1")
    phone.hand(own, regions=frozenset({"West"}), custom_data={"a": "b"})
    assert phone.rung == (NUMBER,)


@pytest.mark.parametrize(
    "root", [select(), node("Condition", select(), END, condition=""), select(select()), {"node_type": "Connect"}]
)
def test_nothing_is_selected_inside_a_destination(root):
    phone = Phone(select(END))
    tree, _faults = treatment_read({"root": root})
    phone.inside = Inside(tree, Context(now=NOW))
    assert phone.do("selected", leg=7, number=NUMBER, destination=5) == [Select(2, 7, "error")]


def test_a_selection_inside_goes_to_its_else_branch():
    phone = Phone(select())
    phone.hand(select({**CONNECT, "destination_phone_number": OTHER}))
    assert phone.rung == (OTHER,)


def test_destinations_that_only_pass_on_come_to_an_end():
    phone = Phone(select(END))
    for leg in range(1, MAX_MOVES + 2):
        phone.hand(select(), leg=leg, destination=leg)
    assert phone.said == ["Release", "Hangup"] and phone.state.phase == "ended"


def test_an_overflow_campaign_with_a_tree_of_its_own_is_walked_and_then_the_failover_of_its_node():
    phone = Phone(select({**OVER, "prompt": "One moment.", "children": [FAILOVER]}))
    phone.hand(menu({**CONNECT, "destination_phone_number": OTHER}), leg=9, overflow=True)
    assert phone.actions == [Say("One moment."), Gather("Press a key.", 2)]
    phone.do("digits", digits="1")
    assert phone.rung == (OTHER,)
    phone.do("busy")
    assert phone.actions == [Dial((NUMBER,), 60, 4, 9)], "the failover of the else branch, with the same leg"
    assert phone.do("busy") == [Release(9, "busy"), Hangup("busy")]


def test_a_talk_inside_is_recorded_if_either_tree_says_so():
    for outer, inner in ((True, False), (False, True), (False, False)):
        phone = Phone(select(), record_calls=outer)
        phone.hand(CONNECT, record_calls=inner)
        assert phone.actions[0].record is (outer or inner)


def test_a_destination_whose_tree_is_lost_gives_way_to_the_next():
    phone = Phone(select())
    phone.hand(CONNECT)
    phone.inside = None
    assert phone.do("busy") == [Select(3, 7, "busy")]
    phone = Phone(select())
    phone.hand(menu(CONNECT))
    phone.inside = None
    assert phone.do("digits", digits="1") == [Release(7, "error"), Hangup("error")]


def test_a_call_that_an_older_portal_began_is_stepped_on():
    """As it was written before destinations' trees were walked: none of these fields, and the destination rings."""
    old = {
        "phase": "dialing", "at": [], "turn": 2, "keys": ["3"], "attempts": 0, "answer": "", "queue": [], "leg": 7,
        "legs": [7], "moves": 0, "chosen": True, "sms_sent": False, "data": [["a", "b"]], "steps": 2, "reason": "",
    }  # fmt: skip
    phone = Phone(select(), start=False)
    phone.state = State.of_json(old)
    assert phone.do("busy") == [Select(3, 7, "busy")]
    assert phone.hand(menu(CONNECT), leg=8) == [Gather("Press a key.", 4)]
    assert phone.do("hangup") == [Release(8, "caller_hangup"), Hangup("caller_hangup")]
