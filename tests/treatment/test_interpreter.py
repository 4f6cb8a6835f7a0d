"""Walking through a tree: every type of node."""

import pytest

from campaigns.treatment.expressions import Context
from campaigns.treatment.flow import Dial, Gather, Hangup, Input, Say, SendSms
from campaigns.treatment.imagine import walk

from .phone import NOW, OTHER, THREE, Phone, group, read
from .test_trees import CONNECT, END, FAILOVER, NUMBER, menu, node, select


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


def test_a_walk_shows_the_path():
    tree = read(menu(select(END)))
    script = [Input("digits", digits="1"), Input("refused", reason="capped"), Input("hangup")]
    steps = walk(tree, Context(now=NOW), script)
    assert [each.path for each in steps] == ["root", "root.children[0]", "root.children[0].children[0]"]
    assert steps[-1].state.phase == "ended", "the script goes on, the call does not"
