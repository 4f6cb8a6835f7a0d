"""Selecting from the bundle: slots are taken, moved and given back; the else branch and the overflow campaign."""

from campaigns.treatment.flow import INPUTS, Dial, Hangup, Release, Say, Select
from campaigns.treatment.interpreter import MAX_MOVES

from .phone import OTHER, OVER, Phone
from .test_trees import CONNECT, END, FAILOVER, NUMBER, menu, select


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
