"""For any tree and any inputs: an end, no leaked slot, none doubled."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.treatment.expressions import Context
from campaigns.treatment.flow import INPUTS, Dial, Gather, Hangup, Input, Release, Select, State
from campaigns.treatment.interpreter import MAX_STEPS, Inside, step
from campaigns.treatment.nodes import Connect, SelectFromBundle
from campaigns.treatment.validate import treatment_read

from .phone import NOW, OTHER
from .test_trees import NUMBER
from .trees import trees

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
