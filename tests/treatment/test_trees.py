"""Reading and checking trees: all faults at once, each at its node and field; one truth for what a bundle's node says."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.treatment.bundles import composed, implied, stored
from campaigns.treatment.nodes import MAX_DEPTH, MAX_NODES, TYPES, indexes_of, path_of, tree_read
from campaigns.treatment.validate import treatment_read

from .trees import trees

NUMBER = "+13035550100"
END = {"node_type": "EndCall"}
CONNECT = {"node_type": "Connect", "destination_phone_number": NUMBER}
FAILOVER = {"node_type": "Failover", "destination_phone_number": NUMBER}
GROUP = {
    "node_type": "RingGroup",
    "ring_group_destinations": [{"ring_group_number": NUMBER}],
    "ring_group_connect_timeout": 20,
}


def node(kind, *children, **settings):
    return {"node_type": kind, "children": list(children), **settings}


def menu(*children, **settings):
    return node("Menu", *children, prompt="Press a key.", **settings)


def select(*children, **settings):
    return node("SelectFromBundle", *children, **settings)


def faults(root, **values):
    return [(fault.path, fault.field, fault.code) for fault in treatment_read({"root": root, **values})[1]]


# One good node of each type.
GOOD = {
    "Condition": node("Condition", CONNECT, END, condition="during_hours"),
    "Menu": menu(CONNECT, END, {**END, "keypress_failover_type": "Wrong"}, {**END, "keypress_failover_type": "None"}),
    "Connect": {**CONNECT, "connect_timeout": 20, "destination_extension": "1,,,234", "children": [FAILOVER]},
    "Failover": {**CONNECT, "children": [FAILOVER]},
    "EndCall": {**END, "prompt": "Goodbye.", "record_message": True},
    "VerifyLocation": node("VerifyLocation", END),
    "RingGroup": {**GROUP, "distribution_method": "Random", "max_simultaneous_calls": 2, "children": [FAILOVER]},
    "AnyKeyPress": node("AnyKeyPress", CONNECT, END, prompt="Press any key."),
    "YesOrNo": node("YesOrNo", CONNECT, END, prompt="Yes?"),
    "NumberQuestion": node("NumberQuestion", END, prompt="Your zip?", number_question_type="ZipCode"),
    "SmsPromo": node("SmsPromo", END, prompt="Press 9.", sms_promo_copy="10 % off", sms_promo_delay=1800),
    "DynamicRoute": node("DynamicRoute", END, dynamic_route_destination="route", behave_like_ring_group=True),
    "SelectFromBundle": select(node("Connect", destination_campaign_id_from_network="over"), repeat_caller=True),
}


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_node_is_read(kind):
    tree, found = treatment_read({"record_calls": True, "root": GOOD[kind]})
    assert found == []
    assert tree.record_calls is True
    assert kind in {node.kind for node in tree.walk()}


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ({"node_type": "Nonsense"}, [("root", "node_type", "unknown_node_type")]),
        ({}, [("root", "node_type", "unknown_node_type")]),
        ({"node_type": ["Menu"]}, [("root", "node_type", "unknown_node_type")]),
        ("Menu", [("root", "", "invalid_type")]),
        (FAILOVER, [("root", "node_type", "not_here")]),
        (node("Menu", END), [("root", "prompt", "required")]),
        (menu(), [("root", "children", "wrong_children")]),
        (menu(*[END] * 10), [("root", "children", "wrong_children")]),
        (menu(END, {**END, "keypress_failover_type": "Sometimes"}),
         [("root.children[1]", "keypress_failover_type", "unknown_choice")]),
        (menu({**END, "keypress_failover_type": "Wrong"}, END), [("root.children[1]", "keypress_failover_type", "wrong_order")]),
        (menu(END, *[{**END, "keypress_failover_type": "None"}] * 2),
         [("root.children[2]", "keypress_failover_type", "twice")]),
        (node("Condition", END, {**END, "keypress_failover_type": "None"}, condition=""),
         [("root", "children", "wrong_children"), ("root.children[1]", "keypress_failover_type", "not_here")]),
        (node("Condition", END, END), [("root", "condition", "required")]),
        (node("Condition", END, END, condition=5), [("root", "condition", "invalid_type")]),
        (node("Condition", END, condition=""), [("root", "children", "wrong_children")]),
        (node("Connect"), [("root", "destination_phone_number", "required")]),
        ({**CONNECT, "destination_phone_number": "12"}, [("root", "destination_phone_number", "invalid_phone_number")]),
        ({**CONNECT, "destination_phone_number": True},
         [("root", "destination_phone_number", "invalid_type")]),
        ({**CONNECT, "connect_timeout": 4}, [("root", "connect_timeout", "out_of_range")]),
        ({**CONNECT, "connect_timeout": "soon"}, [("root", "connect_timeout", "invalid_type")]),
        ({**CONNECT, "destination_extension": "one"}, [("root", "destination_extension", "invalid_extension")]),
        ({**CONNECT, "children": [END]}, [("root.children[0]", "node_type", "not_here")]),
        ({**CONNECT, "destination_campaign_id_from_network": "x"},
         [("root", "destination_campaign_id_from_network", "not_here")]),
        ({**END, "children": [END]}, [("root", "children", "wrong_children")]),
        ({**END, "children": END}, [("root", "children", "invalid_type")]),
        ({**END, "prompt": "x" * 2001}, [("root", "prompt", "too_long")]),
        ({**END, "record_message": "yes"}, [("root", "record_message", "invalid_type")]),
        ({**GROUP, "ring_group_destinations": []}, [("root", "ring_group_destinations", "required")]),
        ({**GROUP, "ring_group_destinations": [{"number": NUMBER}]}, [("root", "ring_group_destinations", "required")]),
        ({**GROUP, "ring_group_destinations": [{"ring_group_number": "x"}]},
         [("root", "ring_group_destinations", "invalid_phone_number")]),
        ({**GROUP, "ring_group_destinations": [{"ring_group_number": NUMBER, "destination_disabled": True}]},
         [("root", "ring_group_destinations", "none_enabled")]),
        ({**GROUP, "distribution_method": "Weighted",
          "ring_group_destinations": [{"ring_group_number": NUMBER, "distribution_weight": 0}]},
         [("root", "ring_group_destinations", "weights_all_zero")]),
        ({**GROUP, "ring_group_destinations": [{"ring_group_number": NUMBER}] * 51},
         [("root", "ring_group_destinations", "too_many")]),
        ({key: value for key, value in GROUP.items() if key != "ring_group_connect_timeout"},
         [("root", "ring_group_connect_timeout", "required")]),
        ({**GROUP, "distribution_method": "Fair"}, [("root", "distribution_method", "unknown_choice")]),
        (node("NumberQuestion", END, prompt="?", number_question_type="Colour"),
         [("root", "number_question_type", "unknown_choice")]),
        (node("SmsPromo", END, prompt="?", sms_promo_copy="x", sms_promo_delay=7), [("root", "sms_promo_delay", "unknown_choice")]),
        (node("SmsPromo", prompt="?"), [("root", "children", "wrong_children"), ("root", "sms_promo_copy", "required")]),
        (node("DynamicRoute", END), [("root", "dynamic_route_destination", "required")]),
        (select(select()), [("root.children[0]", "node_type", "selects_twice")]),
        (select(node("Connect")), [("root.children[0]", "destination_phone_number", "required")]),
        (select(FAILOVER), [("root.children[0]", "node_type", "not_here")]),
        (menu(select(repeat_caller=True), select()), [("root.children[1]", "repeat_caller", "differs")]),
        (menu(select(), select(node("Connect", destination_campaign_id_from_network="over"))),
         [("root.children[1]", "children", "differs")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_at_its_node_and_field(root, expected):
    assert faults(root) == expected


def test_all_faults_come_at_once_in_the_order_of_the_tree():
    root = menu(
        {**CONNECT, "connect_timeout": 1},
        node("Condition", {"node_type": "Maybe"}, END, condition="mobile andd\nrepeat"),
        *[END] * 9,
        END,
    )
    found = treatment_read({"root": root, "record_calls": 1, "caller_id": {"setting": "specific"}})[1]
    assert [(fault.where, fault.line, fault.column) for fault in found] == [
        ("caller_id.mask", None, None),
        ("record_calls", None, None),
        ("root.children", None, None),
        ("root.children[0].connect_timeout", None, None),
        ("root.children[1].condition", 1, 8),
        ("root.children[1].children[0].node_type", None, None),
    ]
    assert all(fault.message and fault.code for fault in found)


def test_trees_have_bounds():
    deep = END
    for _level in range(MAX_DEPTH):
        deep = node("VerifyLocation", deep)
    assert faults(deep) == [("root" + ".children[0]" * MAX_DEPTH, "", "too_deep")]
    wide = menu(*[menu(*[menu(*[END] * 9)] * 9)] * 9)
    assert [code for _path, _field, code in faults(wide)].count("too_many_nodes") == 1
    assert MAX_NODES < 9**3


@pytest.mark.parametrize("data", [None, [], "x", {}, {"record_calls": True}, {"root": None}])
def test_what_is_no_tree_is_said_so(data):
    tree, found = treatment_read(data)
    assert tree is None and len(found) == 1


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(list(TYPES)),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["root", "node_type", "children", "prompt", "condition", "ring_group_destinations", "connect_timeout"]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(json, json)
@settings(max_examples=200, deadline=None)
def test_any_json_is_read_without_a_crash(root, rest):
    tree, found = treatment_read({"root": root, "caller_id": rest, "record_calls": rest})
    assert tree is not None or found


@given(trees)
@settings(deadline=None)
def test_valid_trees_are_valid_and_their_paths_lead_to_their_nodes(data):
    tree, found = treatment_read(data)
    assert found == []
    for each in tree.walk():
        assert tree.at(indexes_of(each.path)) is each
        assert path_of(indexes_of(each.path)) == each.path


def test_numbers_are_read_as_in_their_country():
    read, _ = tree_read(
        {"root": {**CONNECT, "destination_phone_number": "020 7946 0000", "destination_country_code": "44"}}
    )
    assert read.root.destination_phone_number == "+442079460000"
    read, _ = tree_read({"root": {**CONNECT, "destination_phone_number": "(303) 555-0100"}})
    assert read.root.destination_phone_number == NUMBER
    read, _ = tree_read({"root": {**CONNECT, "destination_phone_number": "020 7946 0000"}}, "GB")
    assert read.root.destination_phone_number == "+442079460000"


def test_unknown_fields_are_no_fault_and_kept():
    read, found = treatment_read({"root": {**CONNECT, "asr_phrases": [{"phrase": "sales"}]}, "colour": "blue"})
    assert found == []
    assert read.root.extra == {"asr_phrases": [{"phrase": "sales"}]} and read.extra == {"colour": "blue"}


def test_the_implied_trees_are_valid():
    assert faults(implied(is_bundle=True, number="")["root"]) == []
    assert faults(implied(is_bundle=False, number=NUMBER)["root"]) == []


def test_a_bundles_node_says_what_the_fields_say():
    given_tree = {"root": menu(select({**node("Connect", destination_campaign_id_from_network="over"), "prompt": "Wait."},
                                      repeat_caller=True, colour="red"), END)}  # fmt: skip
    before = deepcopy(given_tree)
    kept = stored(given_tree, is_bundle=True)
    assert given_tree == before, "what was given is left alone"
    assert "repeat_caller" not in kept["root"]["children"][0]
    assert composed(kept, overflow="over", repeat_caller=True) == given_tree
    other = composed(kept, overflow="another", repeat_caller=False)["root"]["children"][0]
    assert other["repeat_caller"] is False and other["colour"] == "red"
    assert other["children"] == [
        {"node_type": "Connect", "children": [], "prompt": "Wait.", "destination_campaign_id_from_network": "another"}
    ]
    assert composed(kept, overflow="", repeat_caller=True)["root"]["children"][0]["children"] == []


def test_the_overflow_field_takes_the_place_of_another_else_branch_and_gives_it_back():
    kept = stored({"root": select(END)}, is_bundle=True)
    assert composed(kept, overflow="over", repeat_caller=False)["root"]["children"] == [
        {"node_type": "Connect", "destination_campaign_id_from_network": "over"}
    ]
    assert composed(kept, overflow="", repeat_caller=False)["root"]["children"] == [END]


@given(trees)
@settings(deadline=None)
def test_what_is_stored_and_composed_is_what_was_given(data):
    tree, _ = treatment_read(data)
    selects = [each for each in tree.walk() if each.kind == "SelectFromBundle"]
    over = bool(selects) and any(child.get("destination_campaign_id_from_network") for child in _else_of(data["root"]))
    whole = composed(stored(data, is_bundle=True), overflow="over" if over else "", repeat_caller=True)
    assert treatment_read(whole)[0] == tree


def _else_of(data):
    if data["node_type"] == "SelectFromBundle":
        return data.get("children", [])
    return [found for child in data.get("children", []) for found in _else_of(child)]
