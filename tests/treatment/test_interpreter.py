"""Walking through a tree: every type of node, and for any tree and any inputs: an end, no leaked slot, none doubled."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.treatment.expressions import Context
from campaigns.treatment.flow import INPUTS, Dial, Gather, Hangup, Input, Release, Say, Select, SendSms, State
from campaigns.treatment.imagine import walk
from campaigns.treatment.interpreter import MAX_MOVES, MAX_STEPS, Inside, step
from campaigns.treatment.nodes import Connect, SelectFromBundle
from campaigns.treatment.validate import treatment_read

from .test_trees import CONNECT, END, FAILOVER, GROUP, NUMBER, menu, node, select
from .trees import trees

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
OTHER = "+13035550200"
OVER = node("Connect", destination_campaign_id_from_network="over")


def read(root, **values):
    tree, faults = treatment_read({"root": root, **values})
    assert faults == []
    return tree


class Phone:
    """Plays a call: `do(kind, ...)` gives the actions; everything is passed through JSON in between, as in real life."""

    def __init__(self, root, start=True, leg=None, record_calls=False, **known):
        self.tree, self.state = read(root, record_calls=record_calls), State()
        self.context = Context(now=NOW, **known)
        self.actions, self.inside = [], None
        if start:
            self.do("start", leg=leg)

    def do(self, kind, **values):
        state = State.of_json(json.loads(json.dumps(self.state.as_json())))
        self.actions, self.state = step(self.tree, state, Input(kind, **values), self.context, self.inside)
        return self.actions

    def hand(self, root, leg=7, destination=5, overflow=False, record_calls=False, **known):
        """A destination is selected that has `root` as its own tree; None = it has none."""
        tree = None if root is None else read(root, record_calls=record_calls)
        self.inside = None if tree is None else Inside(tree, Context(now=NOW, **known))
        return self.do("selected", leg=leg, number=NUMBER, destination=destination, overflow=overflow)

    @property
    def said(self):
        return [type(action).__name__ for action in self.actions]

    @property
    def rung(self):
        return next((action.numbers for action in self.actions if isinstance(action, Dial)), None)

    @property
    def end(self):
        return next((action.reason for action in self.actions if isinstance(action, Hangup)), None)


def test_connect_says_its_prompt_and_rings():
    phone = Phone(
        {**CONNECT, "prompt": "Hold on.", "connect_timeout": 25, "destination_extension": "1"}, record_calls=True
    )
    assert phone.actions == [Say("Hold on."), Dial((NUMBER,), 25, 1, None, "1", True)]
    assert phone.do("answered") == [] and phone.state.phase == "talking"
    assert phone.do("completed") == [Hangup("destination_hangup")]


@pytest.mark.parametrize(("news", "reason"), [("busy", "busy"), ("no_answer", "no_answer"), ("failed", "error")])
def test_connect_goes_on_to_its_failover_and_then_ends(news, reason):
    phone = Phone({**CONNECT, "children": [{**FAILOVER, "destination_phone_number": OTHER}]})
    phone.do(news)
    assert phone.rung == (OTHER,)
    phone.do(news)
    assert phone.end == reason


def test_a_condition_chooses_a_child():
    root = node("Condition", {**END, "prompt": "yes"}, {**END, "prompt": "no"}, condition="mobile")
    assert Phone(root, line="mobile").actions[0] == Say("yes")
    assert Phone(root).actions[0] == Say("no")


def test_a_menu_takes_a_key_and_conditions_see_it():
    deeper = node("Condition", CONNECT, END, condition="pressed[2 1]")
    phone = Phone(menu(END, menu(deeper)))
    assert phone.actions == [Gather("Press a key.", 1, 1, 5)]
    phone.do("digits", digits="2")
    assert phone.said == ["Gather"]
    phone.do("digits", digits="1")
    assert phone.rung == (NUMBER,) and phone.state.keys == ("2", "1")


def test_a_menu_asks_three_times_and_then_ends_or_follows_its_failover():
    phone = Phone(menu(END))
    assert phone.do("timeout")[0].text == "Press a key."
    phone.do("digits", digits="7")
    assert phone.said == ["Gather"]
    phone.do("timeout")
    assert phone.end == "ivr_hangup"
    phone = Phone(menu(END, {**CONNECT, "keypress_failover_type": "None"}))
    for _attempt in range(3):
        phone.do("timeout")
    assert phone.rung == (NUMBER,) and phone.state.keys == ("N",)


def test_a_wrong_key_follows_its_failover_at_once():
    phone = Phone(menu(END, {**CONNECT, "keypress_failover_type": "Wrong"}))
    phone.do("digits", digits="9")
    assert phone.rung == (NUMBER,) and phone.state.keys == ("W",)


def test_an_answer_is_read_back_where_that_is_asked_for():
    phone = Phone(menu(CONNECT, confirm_response_enabled=True))
    phone.do("digits", digits="1")
    assert "You entered 1" in phone.actions[0].text
    phone.do("digits", digits="2")
    assert phone.actions[0].text == "Press a key."
    phone.do("digits", digits="1")
    phone.do("digits", digits="1")
    assert phone.rung == (NUMBER,)


def test_any_key_yes_or_no():
    root = node("AnyKeyPress", CONNECT, END, prompt="Press any key.")
    phone = Phone(root)
    phone.do("digits", digits="#")
    assert phone.rung == (NUMBER,) and phone.state.keys == ("A",)
    phone = Phone(root)
    phone.do("timeout")
    assert phone.end == "ivr_hangup" and phone.state.keys == ("N",)
    phone = Phone(node("YesOrNo", CONNECT, END, prompt="Yes?"))
    phone.do("digits", digits="2")
    assert phone.end == "ivr_hangup"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("Digits", "12", "1*"), ("Number", "0", "#"), ("PhoneNumber", "3035550100", "12"), ("Date", "02292024", "02302024"),
        ("Time", "2359", "2460"), ("ZipCode", "80202", "8020"), ("Currency", "1999", "x"),
    ],
)  # fmt: skip
def test_a_number_question_checks_and_keeps_the_answer(kind, good, bad):
    root = node(
        "NumberQuestion", node("Condition", CONNECT, END, condition=f'custom_data[asked] = "{good}"'), prompt="?",
        number_question_type=kind, caller_response_custom_data_partner_name="asked",
    )  # fmt: skip
    phone = Phone(root)
    phone.do("digits", digits=bad)
    assert phone.said == ["Say", "Gather"]
    phone.do("digits", digits=good)
    assert phone.rung == (NUMBER,)


def test_verify_location_keeps_the_place_or_the_zip_code():
    phone = Phone(node("VerifyLocation", CONNECT), place="Denver, CO")
    assert "Denver, CO" in phone.actions[0].text
    phone.do("digits", digits="1")
    assert dict(phone.state.data) == {"verified_location": "Denver, CO"}
    phone = Phone(node("VerifyLocation", CONNECT))
    phone.do("digits", digits="80202")
    assert dict(phone.state.data) == {"verified_location": "80202"}
    phone = Phone(node("VerifyLocation", CONNECT))
    for _attempt in range(3):
        phone.do("timeout")
    assert phone.rung == (NUMBER,), "who does not answer goes on all the same"


def test_an_sms_is_offered_to_mobiles_only_and_sent_once():
    root = node(
        "SmsPromo", menu(node("Condition", CONNECT, END, condition="sms_sent")), prompt="Press 9.", sms_promo_copy="Hi"
    )
    assert Phone(root).actions[0].text == "Press a key."
    phone = Phone(root, line="mobile")
    assert phone.do("digits", digits="9") == [SendSms("Hi", 1), Gather("Press a key.", 2, 1, 5)]
    phone.do("digits", digits="1")
    assert phone.rung == (NUMBER,)
    phone = Phone(root, line="mobile")
    assert phone.do("timeout")[0].text == "Press a key."


def test_a_voicemail_records():
    phone = Phone({**END, "prompt": "Leave a message.", "record_message": True})
    assert phone.said == ["Say", "Record"]
    phone.do("recorded")
    assert phone.end == "ivr_hangup"


def group(*numbers, **values):
    return {**GROUP, "ring_group_destinations": [{"ring_group_number": number} for number in numbers], **values}


THREE = ("+13035550101", "+13035550102", "+13035550103")


def test_a_ring_group_rings_one_after_the_other():
    phone = Phone(group(*THREE, children=[FAILOVER]))
    rung = [phone.rung]
    for news in ("busy", "no_answer", "failed"):
        phone.do(news)
        rung.append(phone.rung)
    assert rung == [("+13035550101",), ("+13035550102",), ("+13035550103",), (NUMBER,)]


def test_a_ring_group_at_once_limited_and_shuffled():
    assert Phone(group(*THREE, max_simultaneous_calls=2)).rung == THREE[:2]
    phone = Phone(group(*THREE, ring_group_destination_total_limit=1))
    phone.do("busy")
    assert phone.end == "busy"
    firsts = {Phone(group(*THREE, distribution_method="Random"), seed=seed).rung for seed in range(60)}
    assert len(firsts) == 3
    assert len({Phone(group(*THREE, distribution_method="Random"), seed=7).rung for _again in range(9)}) == 1
    heavy = group(*THREE, distribution_method="Weighted")
    heavy["ring_group_destinations"][1]["distribution_weight"] = 50
    firsts = [Phone(heavy, seed=seed).rung for seed in range(300)]
    assert firsts.count((THREE[1],)) > 250


def test_a_dynamic_route_rings_what_the_field_says():
    root = node("DynamicRoute", END, dynamic_route_destination="route")
    assert Phone(root, custom_data={"route": NUMBER}).rung == (NUMBER,)
    assert Phone(root, custom_data={"route": "nobody"}).end == "ivr_hangup"
    assert Phone(root).end == "ivr_hangup"
    several = {**root, "behave_like_ring_group": True}
    phone = Phone(several, custom_data={"route": f"{NUMBER}, {OTHER}, x"})
    assert phone.rung == (NUMBER,)
    phone.do("busy")
    assert phone.rung == (OTHER,)


# Selecting from the bundle --------------------------------------------------------------------------------------------


def test_a_destination_is_selected_rung_and_released_once():
    phone = Phone(select())
    assert phone.actions == [Select(1)]
    phone.do("selected", leg=7, number=NUMBER)
    assert phone.actions == [Dial((NUMBER,), 60, 2, 7)]
    phone.do("answered")
    assert phone.do("completed") == [Release(7, "destination_hangup"), Hangup("destination_hangup")]
    for kind in INPUTS:
        assert phone.do(kind) == [], "an ended call asks for nothing"


def test_the_slot_moves_on_busy_and_no_answer():
    phone = Phone(select())
    phone.do("selected", leg=7, number=NUMBER)
    assert phone.do("busy") == [Select(3, 7, "busy")]
    phone.do("selected", leg=8, number=OTHER)
    assert phone.rung == (OTHER,)
    assert phone.do("no_answer", turn=2) == [], "news of the first dial is old by now"
    assert phone.do("no_answer", turn=4) == [Select(5, 8, "no_answer")]
    assert phone.do("refused", reason="capped") == [Hangup("capped")]


def test_a_full_house_gets_the_else_branch():
    phone = Phone(select({**END, "prompt": "All are busy.", "record_message": True}))
    phone.do("refused", reason="capped")
    assert phone.said == ["Say", "Record"]


def test_the_overflow_campaign_is_rung_with_the_prompt_of_its_node():
    phone = Phone(select({**OVER, "prompt": "One moment.", "children": [FAILOVER]}))
    phone.do("selected", leg=9, number=OTHER, overflow=True)
    assert phone.actions == [Say("One moment."), Dial((OTHER,), 60, 2, 9)]
    phone.do("busy")
    assert phone.rung == (NUMBER,), "the failover of the overflow, not another destination"
    phone.do("completed")
    assert phone.actions == [Release(9, "destination_hangup"), Hangup("destination_hangup")]


def test_an_overflow_that_cannot_take_it_ends_with_the_reason():
    phone = Phone(select(OVER))
    phone.do("refused", reason="closed")
    assert phone.end == "closed"


def test_a_selection_that_comes_too_late_is_given_back():
    phone = Phone(select())
    phone.do("hangup")
    assert phone.do("selected", leg=7, number=NUMBER) == [Release(7, "caller_hangup")]
    assert phone.do("selected", leg=7, number=NUMBER) == []


def test_a_repeated_selection_changes_nothing():
    phone = Phone(select())
    phone.do("selected", leg=7, number=NUMBER)
    assert phone.do("selected", leg=7, number=NUMBER) == []
    assert phone.do("selected", leg=8, number=NUMBER) == [Release(8, "error")]
    assert phone.state.leg == 7


def test_a_destination_without_a_number_is_passed_over():
    phone = Phone(select())
    assert phone.do("selected", leg=7, number="") == [Select(2, 7, "error")]


def test_a_slot_moves_so_often_and_no_more():
    phone = Phone(select(END))
    for leg in range(1, MAX_MOVES + 2):
        phone.do("selected", leg=leg, number=NUMBER)
        phone.do("busy")
    assert phone.said == ["Release", "Hangup"]


def test_a_plain_campaigns_leg_is_released_at_the_end():
    phone = Phone(menu(CONNECT), leg=5)
    phone.do("digits", digits="1")
    assert phone.actions == [Dial((NUMBER,), 60, 2, 5)]
    assert phone.do("busy") == [Release(5, "busy"), Hangup("busy")]
    phone = Phone(menu(CONNECT), leg=5)
    assert phone.do("hangup") == [Release(5, "caller_hangup"), Hangup("caller_hangup")]


# The own tree of a destination ---------------------------------------------------------------------------------------


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


def test_a_walk_shows_the_path():
    tree = read(menu(select(END)))
    script = [Input("digits", digits="1"), Input("refused", reason="capped"), Input("hangup")]
    steps = walk(tree, Context(now=NOW), script)
    assert [each.path for each in steps] == ["root", "root.children[0]", "root.children[0].children[0]"]
    assert steps[-1].state.phase == "ended", "the script goes on, the call does not"


inputs = st.builds(
    lambda kind, old, keys, number: (kind, old, keys, number),
    st.sampled_from(INPUTS), st.booleans(), st.sampled_from(["1", "2", "9", "12345", "80202", "*", "x"]),
    st.sampled_from([NUMBER, OTHER, ""]),
)  # fmt: skip


# What destinations have: no tree of their own, or one of these. Trees of bundles are among them, which nothing forbids.
owns = st.lists(st.none() | trees, min_size=1, max_size=4)


@given(trees, owns, st.lists(inputs, max_size=60), st.booleans(), st.sampled_from(["", "mobile"]))
@settings(deadline=None, max_examples=300)
def test_any_tree_and_any_inputs_end_without_a_leaked_or_doubled_slot(data, own, script, plain, line):
    """The world outside: a Select is answered or not, legs come once or twice, everything may come late or never, and
    each destination has a tree of its own or none."""
    tree, faults = treatment_read(data)
    assert faults == []
    context = Context(now=NOW, line=line, custom_data={"route": f"{NUMBER},{OTHER}"})
    theirs = [None if each is None else Inside(treatment_read(each)[0], context) for each in own]
    state, ended = State(), 0
    taken, back = [], []

    def feed(given):
        nonlocal state, ended
        held_before, before = state.leg, state
        whose = given.destination if given.kind == "selected" and state.phase == "selecting" else state.inside
        inside = None if whose is None else theirs[whose % len(theirs)]
        actions, state = step(tree, State.of_json(json.loads(json.dumps(state.as_json()))), given, context, inside)
        if state.inside is None:
            assert (state.home, state.home_keys) == ((), ())
        elif state.leg is not None:
            assert isinstance(tree.at(state.home), SelectFromBundle | Connect), "handed over by a selection"
            assert state.phase != "selecting", "nothing is selected inside"
        assert len(state.legs) <= len(before.legs) + 1
        for action in actions:
            if isinstance(action, Release):
                back.append(action.leg)
            if isinstance(action, Select) and action.leaving is not None:
                back.append(action.leaving)
            if isinstance(action, Dial):
                assert action.numbers and all(action.numbers)
                assert action.leg is None or action.leg == state.leg
            if isinstance(action, Hangup):
                ended += 1
        assert len(actions) < 10
        assert state.leg is None or state.leg in taken
        if held_before is not None and state.leg != held_before:
            assert held_before in back
        return actions

    if plain:
        taken.append(1000)
    feed(Input("start", leg=1000 if plain else None))
    for number, (kind, old, keys, ring) in enumerate(script):
        turn = state.turn - 1 if old else state.turn
        if kind in ("selected", "start"):
            leg = number if not old or not taken else taken[-1]
            if leg not in taken:
                taken.append(leg)
            feed(Input(kind, turn=state.turn, leg=leg, number=ring, destination=number, overflow=keys == "1"))
        else:
            feed(Input(kind, turn=turn, digits=keys, reason="capped" if kind == "refused" else ""))
    feed(Input("hangup"))
    assert state.phase == "ended" and state.leg is None
    assert ended == 1, "a call ends once"
    assert sorted(back) == sorted(taken), "each slot is given back or handed over exactly once"


@given(trees, st.none() | trees, st.sampled_from(INPUTS))
@settings(deadline=None)
def test_the_same_input_for_ever_comes_to_an_end(data, own, kind):
    tree, _ = treatment_read(data)
    inside = None if own is None else Inside(treatment_read(own)[0], Context(now=NOW))
    state = State()
    _, state = step(tree, state, Input("start"), Context(now=NOW))
    seen = 0
    while state.phase != "ended" and seen <= MAX_STEPS + 1:
        seen += 1
        given_input = Input(kind, leg=seen, number=NUMBER, digits="1", destination=seen)
        _, state = step(tree, state, given_input, Context(now=NOW), inside)
    assert state.phase == "ended"


@given(trees, st.none() | trees)
@settings(deadline=None)
def test_a_patient_caller_who_finds_everybody_busy_reaches_an_end_soon(data, own):
    """Also where each of the destinations has a tree of its own: the steps are those of both."""
    tree, _ = treatment_read(data)
    inside = None if own is None else Inside(treatment_read(own)[0], Context(now=NOW))
    state, leg = State(), 0
    actions, state = step(tree, state, Input("start"), Context(now=NOW))
    for count in range(MAX_STEPS + 2):
        if state.phase == "ended":
            break
        wanted = actions[-1]
        if isinstance(wanted, Gather):
            given_input = Input("digits", digits="1") if count % 2 else Input("timeout")
        elif isinstance(wanted, Select):
            leg += 1
            given_input = Input("selected", leg=leg, number=NUMBER, destination=leg)
        elif isinstance(wanted, Dial):
            given_input = Input("busy")
        else:
            given_input = Input("recorded")
        actions, state = step(tree, state, given_input, Context(now=NOW), inside)
    assert state.phase == "ended"
