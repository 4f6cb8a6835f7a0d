"""Changing a tree step by step: its shape stays valid, nothing gets lost, and an imagined call shows its path."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.treatment import edits
from campaigns.treatment.edits import CHOICES, CannotEdit, node_at
from campaigns.treatment.expressions import Context
from campaigns.treatment.flow import Input
from campaigns.treatment.imagine import imagine, in_words, picture
from campaigns.treatment.interpreter import Inside
from campaigns.treatment.nodes import TYPES
from campaigns.treatment.validate import treatment_read

from .test_trees import CONNECT, END, FAILOVER, menu, node, select
from .trees import trees

SHAPE = {"wrong_children", "wrong_order", "twice", "unknown_node_type", "invalid_type"}


def shape_faults(tree):
    return [(fault.where, fault.code) for fault in treatment_read(tree)[1] if fault.code in SHAPE]


@pytest.mark.parametrize("kind", TYPES)
def test_a_new_node_has_the_children_that_it_must_have(kind):
    assert shape_faults({"root": edits.blank(kind)}) == []


def test_adding_children():
    tree = {"root": menu(END, {**END, "keypress_failover_type": "None"})}
    tree, path = edits.node_add(tree, "root", "Connect")
    assert path == "root.children[1]" and node_at(tree, path)["node_type"] == "Connect"
    tree, path = edits.node_add(tree, "root", "EndCall", "Wrong")
    assert node_at(tree, path) == {"node_type": "EndCall", "keypress_failover_type": "Wrong"}
    with pytest.raises(CannotEdit):
        edits.node_add(tree, "root", "EndCall", "Wrong")
    with pytest.raises(CannotEdit):
        edits.node_add(tree, "root.children[0]", "EndCall")
    tree, path = edits.node_add({"root": CONNECT}, "root", "Menu")
    assert node_at(tree, path)["node_type"] == "Failover", "below a dial only a failover can stand"


def test_inserting_keeps_what_stood_there():
    tree = {"root": menu({**END, "prompt": "Bye"}, {**CONNECT, "keypress_failover_type": "Wrong"})}
    tree, path = edits.node_insert(tree, "root.children[0]", "Condition")
    assert node_at(tree, path)["children"][0]["prompt"] == "Bye"
    tree, path = edits.node_insert(tree, "root.children[1]", "VerifyLocation")
    assert node_at(tree, path)["keypress_failover_type"] == "Wrong"
    assert node_at(tree, path + ".children[0]") == CONNECT
    assert shape_faults(tree) == []
    tree, _path = edits.node_insert({"root": CONNECT}, "root", "Menu")
    assert tree["root"]["children"] == [CONNECT]
    with pytest.raises(CannotEdit):
        edits.node_insert(tree, "root", "EndCall")


def test_removing():
    tree = {"root": menu(END, CONNECT, {**END, "keypress_failover_type": "None"})}
    assert [child["node_type"] for child in edits.node_remove(tree, "root.children[0]")["root"]["children"]] == [
        "Connect",
        "EndCall",
    ]
    assert edits.node_remove(tree, "root") == {"root": {"node_type": "EndCall"}}
    condition = {"root": node("Condition", CONNECT, END, condition="mobile")}
    assert edits.node_remove(condition, "root.children[0]")["root"]["children"] == [{"node_type": "EndCall"}, END]
    assert edits.node_remove(condition, "root", keep=True)["root"] == CONNECT
    with pytest.raises(CannotEdit):
        edits.node_remove({"root": {**CONNECT, "children": [FAILOVER]}}, "root", keep=True)


def test_moving_changes_places_and_places_keep_their_meaning():
    tree = {
        "root": menu(
            {**END, "prompt": "one"}, {**END, "prompt": "two"}, {**END, "prompt": "x", "keypress_failover_type": "None"}
        )
    }
    moved, path = edits.node_move(tree, "root.children[0]", 1)
    assert path == "root.children[1]" and node_at(moved, path)["prompt"] == "one"
    moved, path = edits.node_move(moved, path, 1)
    assert node_at(moved, path) == {**END, "prompt": "one", "keypress_failover_type": "None"}
    assert "keypress_failover_type" not in node_at(moved, "root.children[1]")
    for path, by in (("root", 1), ("root.children[0]", -1), ("root.children[2]", 1)):
        with pytest.raises(CannotEdit):
            edits.node_move(tree, path, by)


def test_changing_the_type_keeps_what_fits():
    tree = {"root": menu(CONNECT, END, {**END, "keypress_failover_type": "None"})}
    changed = edits.node_change_type(tree, "root", "YesOrNo")["root"]
    assert changed["prompt"] == "Press a key." and len(changed["children"]) == 3
    assert edits.node_change_type(tree, "root", "VerifyLocation")["root"]["children"] == [CONNECT]
    assert "children" not in edits.node_change_type(tree, "root", "EndCall")["root"]
    assert "children" not in edits.node_change_type(tree, "root", "Connect")["root"]


def test_settings_are_set_and_unknown_ones_stay():
    tree = edits.node_set(
        {"root": {**CONNECT, "shade": 1, "prompt": "x"}}, "root", {"prompt": "", "connect_timeout": 20}
    )
    assert tree["root"] == {**CONNECT, "shade": 1, "connect_timeout": 20}


@pytest.mark.parametrize("path", ["root.children[9]", "root.children[0].children[0]", "root.children[x]"])
def test_a_path_that_leads_nowhere_is_refused(path):
    with pytest.raises(CannotEdit):
        node_at({"root": menu(END)}, path)


steps = st.tuples(
    st.sampled_from(["add", "failover", "insert", "type", "remove", "keep", "up", "down"]), st.integers(0, 30),
    st.sampled_from(CHOICES),
)  # fmt: skip


@given(trees, st.lists(steps, max_size=8))
@settings(deadline=None, max_examples=150)
def test_any_edits_leave_a_tree_of_a_valid_shape(tree, script):
    for what, where, kind in script:
        read, _faults = treatment_read(tree)
        paths = [each.path for each in read.walk()]
        path = paths[where % len(paths)]
        try:
            match what:
                case "add":
                    tree, path = edits.node_add(tree, path, kind)
                case "failover":
                    tree, path = edits.node_add(tree, path, kind, "Wrong")
                case "insert":
                    tree, path = edits.node_insert(tree, path, kind)
                case "type":
                    tree = edits.node_change_type(tree, path, kind)
                case "remove" | "keep":
                    tree = edits.node_remove(tree, path, keep=what == "keep")
                case _:
                    tree, path = edits.node_move(tree, path, 1 if what == "down" else -1)
        except CannotEdit as error:
            assert str(error)
            continue
        assert shape_faults(tree) == []


def imagined(root, keys="", dials=(), chosen=None, own=None):
    """chosen: the number that is selected each time, None = nobody is left. own: the own tree of the destination."""
    tree, faults = treatment_read({"root": root})
    assert faults == []
    legs = iter(range(1, 99))

    context = Context(now=datetime(2026, 11, 2, 12, tzinfo=UTC))
    inside = None if own is None else Inside(treatment_read(own)[0], context)

    def answer(wanted):
        if chosen is None:
            return Input("refused", turn=wanted.turn, reason="capped"), None
        return Input("selected", turn=wanted.turn, leg=next(legs), number=chosen, destination=1), inside

    return imagine(tree, context, keys=keys.split(), dials=dials, select=answer)


def test_an_imagined_call_shows_its_path():
    root = menu(node("Condition", select({**END, "prompt": "Full."}), END, condition="pressed[1]"))
    walked = imagined(root, "- 1")
    assert [each.path for each in walked] == [
        "root", "root", "root.children[0].children[0]", "root.children[0].children[0].children[0]",
    ]  # fmt: skip
    said = [in_words(action) for each in walked for action in each.actions]
    assert said == [
        "Asks “Press a key.”", "Asks “Press a key.”", "Selects a destination from the bundle", "Says “Full.”",
        "Ends the call (ivr hangup)",
    ]  # fmt: skip
    walked = imagined(root, "1", ["busy", "answered"], "+13035550101")
    assert [each.given.kind for each in walked] == [
        "start",
        "digits",
        "selected",
        "busy",
        "selected",
        "answered",
        "completed",
    ]


@given(trees, st.none() | trees)
@settings(deadline=None, max_examples=60)
def test_any_tree_can_be_imagined_and_drawn(data, own):
    tree, _ = treatment_read(data)
    for chosen in (None, "+13035550101"):
        walked = imagined(data["root"], "1 1 9 2", ["busy", "no_answer"], chosen, own)
        assert walked[-1].state.phase == "ended"
    boxes = picture(tree)
    assert len(boxes) == sum(1 for _each in tree.walk())
    assert len({(box.column, box.row) for box in boxes}) == len(boxes), "no two stand in one place"
