"""What the lint says about valid trees."""

import pytest
from hypothesis import given, settings

from campaigns.treatment.lint import remarks
from campaigns.treatment.validate import treatment_read

from .test_trees import CONNECT, END, GROUP, menu, node, select
from .trees import trees

OVER = node("Connect", destination_campaign_id_from_network="over")
VOICEMAIL = {**END, "record_message": True}


def said(root, is_bundle=False, regions=()):
    tree, faults = treatment_read({"root": root})
    assert faults == []
    return [(each.path, each.code) for each in remarks(tree, is_bundle=is_bundle, regions=frozenset(regions))]


@pytest.mark.parametrize(
    ("root", "is_bundle", "expected"),
    [
        (CONNECT, False, []),
        (END, False, [("root", "ends_at_once")]),
        (VOICEMAIL, False, []),
        (CONNECT, True, [("root", "never_selects")]),
        (select(OVER), True, []),
        (select(VOICEMAIL), True, []),
        (select(GROUP), True, []),
        (select(), True, [("root", "else_missing")]),
        (select(END), True, [("root.children[0]", "else_ends_call")]),
        (select(node("VerifyLocation", END)), True, [("root.children[0]", "else_ends_call")]),
        (select(OVER), False, [("root", "selects_outside_bundle")]),
        (node("Condition", CONNECT, END, condition=""), False, [("root.children[1]", "unreachable")]),
        (node("Condition", CONNECT, END, condition="mobile and landline"), False, [("root.children[0]", "unreachable")]),
        (node("Condition", CONNECT, END, condition="in_region[East]"), False, [("root", "unknown_region")]),
        (node("Condition", CONNECT, END, condition="in_region[West]"), False, []),
        (menu(CONNECT), False, [("root", "menu_without_none")]),
        (menu(CONNECT, {**END, "keypress_failover_type": "None"}), False, []),
        ({**menu(CONNECT, CONNECT, {**END, "keypress_failover_type": "None"}), "prompt": "Press 1 for sales."}, False,
         [("root", "menu_key_unsaid")]),
        (node("YesOrNo", CONNECT, END, prompt="Yes?"), False, [("root", "question_without_none")]),
        (node("SmsPromo", CONNECT, prompt="Press any key", sms_promo_copy="x"), False, [("root", "sms_prompt_without_key")]),
    ],
)  # fmt: skip
def test_what_the_lint_says(root, is_bundle, expected):
    assert said(root, is_bundle, ["West"]) == expected


@given(trees)
@settings(deadline=None, max_examples=50)
def test_any_valid_tree_can_be_remarked_on(data):
    tree, _ = treatment_read(data)
    paths = {each.path for each in tree.walk()}
    for each in remarks(tree, is_bundle=True):
        assert each.path in paths and each.text
