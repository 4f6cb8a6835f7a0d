"""For any tree and any inputs: an end, no leaked slot, none doubled."""

import json

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from campaigns.treatment.expressions import Context
from campaigns.treatment.flow import INPUTS, Dial, Gather, Hangup, Input, Release, Select, State
from campaigns.treatment.interpreter import MAX_STEPS, Inside, step
from campaigns.treatment.nodes import Connect, SelectFromBundle
from campaigns.treatment.validate import treatment_read

from .phone import NOW, OTHER
from .test_trees import NUMBER
from .trees import bundles, trees

# (whether it fits what is waited for, which of those, else what, whether it is old news, keys, the number selected)
inputs = st.tuples(
    st.sampled_from([True, True, True, False]), st.integers(0, 9), st.sampled_from(INPUTS), st.booleans(),
    st.sampled_from(["1", "1", "2", "9", "12345", "80202", "*", "x"]), st.sampled_from([NUMBER, OTHER, ""]),
)  # fmt: skip
scripts = st.lists(inputs, max_size=60) | st.lists(inputs, min_size=15, max_size=60)
FITTING = {
    "asking": ("digits", "digits", "digits", "timeout"), "confirming": ("digits",), "recording": ("recorded",),
    "selecting": ("selected", "selected", "selected", "refused"), "talking": ("completed",),
    "dialing": ("busy", "no_answer", "failed", "busy", "answered"),
}  # fmt: skip


# What destinations have: no tree of their own, or one of these. Trees of bundles are among them, which nothing forbids.
owns = st.lists(st.none() | trees | bundles, min_size=1, max_size=4)


calls = st.tuples(trees | bundles, owns, scripts, st.booleans(), st.sampled_from(["", "mobile"]))


def played(data, own, script, plain, line):
    """Play a call and check it at each step; what happened in it, for `find`."""
    seen = set()
    tree, faults = treatment_read(data)
    assert faults == []
    context = Context(now=NOW, line=line, custom_data={"route": f"{NUMBER},{OTHER}"})
    theirs = [None if each is None else Inside(treatment_read(each)[0], context) for each in own]
    state, ended = State(), 0
    taken, back = [], []

    def feed(given):
        nonlocal state, ended
        held_before, before = state.leg, state
        seen.add(state.phase if state.inside is None else f"{state.phase} inside")
        whose = given.destination if given.kind == "selected" and state.phase == "selecting" else state.inside
        inside = None if whose is None else theirs[whose % len(theirs)]
        actions, state = step(tree, State.of_json(json.loads(json.dumps(state.as_json()))), given, context, inside)
        assert state.inside is None or state.phase != "selecting", "nothing is selected inside"
        if state.inside is None:
            assert (state.home, state.home_keys) == ((), ())
        elif state.leg is not None:
            assert isinstance(tree.at(state.home), SelectFromBundle | Connect), "handed over by a selection"
        assert len(state.legs) <= len(before.legs) + 1
        if before.inside is not None and state.inside is None:
            seen.add("came back")
            assert held_before in [action.leaving for action in actions if isinstance(action, Select)] or (
                state.leg == held_before or any(isinstance(action, Release) for action in actions)
            )
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
    for number, (fits, which, kind, old, keys, ring) in enumerate(script):
        if fits and state.phase in FITTING:
            kind, old = FITTING[state.phase][which % len(FITTING[state.phase])], False
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
    return seen


@given(calls)
@settings(deadline=None, max_examples=400)
def test_any_tree_and_any_inputs_end_without_a_leaked_or_doubled_slot(call):
    """The world outside: a Select is answered or not, legs come once or twice, everything may come late or never, and
    each destination has a tree of its own or none."""
    played(*call)


@pytest.mark.parametrize("what", ["asking inside", "talking inside", "came back"])
def test_such_calls_are_among_them(what):
    """So that the rule above is not kept only because nothing happens."""
    quick = settings(max_examples=5000, deadline=None, phases=[Phase.generate])
    assert what in played(*find(calls, lambda call: what in played(*call), settings=quick))


@given(trees | bundles, st.none() | trees, st.sampled_from(INPUTS))
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


@given(trees | bundles, st.none() | trees)
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
