"""Twilio's webhooks over real HTTP: signed by the official SDK, answered with TwiML, slots taken and given back."""

from datetime import timedelta
from xml.etree.ElementTree import tostring

import pytest
from django.utils import timezone

from campaigns import actions
from campaigns.models import Call as CallRow
from campaigns.models import CallFlow, CallLeg, FlowMessage
from tests.factories import CampaignFactory, PromoNumberFactory

from .setting import in_force
from .test_trees import CONNECT, END, menu, node, select
from .twilio_phone import Call, query
from .twilio_world import legs

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_call_is_dialed_answered_and_ended(world):
    call = world.call()
    call.begin()
    assert call.tags == ["Dial"] and call.numbers == ["+13035550101"]
    dial = call.verb("Dial")
    assert dial.get("timeout") == "60" and dial.get("answerOnBridge") == "true"
    assert query(dial[0].get("statusCallback"))["leg"] == str(CallLeg.objects.get().pk)
    assert world.live == [1, 0]
    call.leg("ringing")
    call.leg("in-progress")
    leg = CallLeg.objects.get()
    assert leg.ringing_at and leg.answered_at and leg.expires_at > timezone.now() + timedelta(hours=2)
    call.dialed("completed")
    assert call.tags == ["Hangup"]
    call.over()
    assert world.live == [0, 0] and legs() == ["destination_hangup"]
    row = CallRow.objects.get()
    assert (row.outcome, row.promo_number, row.caller) == ("destination", world.number, "+13035550123")


def test_busy_and_no_answer_move_the_slot(world):
    call = world.call()
    call.begin()
    call.dialed("busy")
    assert call.numbers == ["+13035550102"] and world.live == [0, 1]
    call.dialed("no-answer")
    assert call.tags == ["Say", "Hangup"] or call.tags == ["Hangup"]
    assert world.live == [0, 0] and legs() == ["busy", "no_answer"]


def test_a_full_house_gets_the_else_branch(world):
    world.put(select({**END, "prompt": "All lines are busy. Leave a message.", "record_message": True}))
    for _caller in range(2):
        world.call().begin()
    call = world.call()
    call.begin()
    assert call.tags == ["Say", "Record"]
    assert world.live == [1, 1]
    response = call._post(call.verb("Record").get("action"), RecordingUrl="x", CallStatus="in-progress")
    assert "Hangup" in response.text
    assert CallRow.objects.order_by("id").last().refusal == "capped"


def test_without_an_else_branch_something_is_said(world):
    for _caller in range(2):
        world.call().begin()
    call = world.call()
    call.begin()
    assert call.tags == ["Say", "Hangup"] and "busy" in call.verb("Say").text


def test_a_menu_before_the_selection(world):
    world.put(menu(select(), {**END, "prompt": "Bye."}))
    call = world.call()
    call.begin()
    assert call.tags == ["Gather"] and call.verb("Gather").get("actionOnEmptyResult") == "true"
    assert world.live == [0, 0] and not CallRow.objects.exists(), "nothing is held while he listens"
    call.press("")
    assert call.tags == ["Gather"]
    call.press("1")
    assert call.numbers == ["+13035550101"]
    call.over()
    assert world.live == [0, 0] and legs() == ["caller_hangup"]


def test_the_calls_page_shows_its_way(world, personas, client):
    world.put(menu(select()))
    call = world.call()
    call.begin()
    call.press("1")
    call.dialed("busy")
    call.over()
    client.force_login(personas.observer, backend="portal.accounts.backends.RoleAndGrantBackend")
    text = client.get(f"/calls/{CallRow.objects.get().transaction_id}/").content.decode()
    for said in ("Digits 1", "<code>root.children[0]</code>", "hangup (caller hangup)", "Busy"):
        assert said in text
    assert text.count("Selected from bundle") >= 2 or text.count("busy") >= 1


def test_who_hangs_up_in_the_menu_is_in_the_list_of_calls(world):
    world.put(menu(select()))
    call = world.call()
    call.begin()
    call.over()
    row = CallRow.objects.get()
    assert (row.outcome, row.refusal, row.trace) == ("treatment", "", {"ended": "caller_hangup"})
    assert CallFlow.objects.get().ended_at


def test_a_plain_campaign_walks_its_tree_too(world):
    plain = CampaignFactory(advertiser=world.bundle.advertiser)
    number = PromoNumberFactory(campaign=plain).number
    group = {
        "node_type": "RingGroup", "ring_group_connect_timeout": 20, "max_simultaneous_calls": 2,
        "ring_group_destinations": [{"ring_group_number": f"+1303555020{n}"} for n in range(3)],
    }  # fmt: skip
    in_force(plain, {"root": group, "record_calls": True, "caller_id": {"setting": "promo"}})
    call = Call(world.twilio, number)
    call.begin()
    assert call.numbers == ["+13035550200", "+13035550201"]
    assert (call.verb("Dial").get("callerId"), call.verb("Dial").get("record")) == (number, "record-from-answer-dual")
    call.dialed("no-answer")
    assert call.numbers == ["+13035550202"]
    call.dialed("busy")
    assert call.tags == ["Hangup"] and legs() == ["busy"]
    assert CallRow.objects.get().outcome == "direct"


def test_a_campaign_that_is_not_live_is_not_in_service(world):
    actions.campaign_move_status(by=None, campaign=world.bundle, move="pause")
    call = world.call()
    call.begin()
    assert call.tags == ["Say", "Hangup"] and "not in service" in call.verb("Say").text
    assert CallRow.objects.get().refusal == "not_in_service"


def test_a_number_that_nobody_knows_is_not_in_service(world):
    call = Call(world.twilio, "+18005550199")
    call.begin()
    assert "not in service" in call.verb("Say").text and not CallFlow.objects.exists()


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "sip:who@example.com", ""])
def test_a_withheld_caller_is_no_problem(world, caller):
    call = world.call(caller=caller)
    call.begin()
    assert call.tags == ["Dial"]
    assert CallRow.objects.get().caller is None


def test_a_repeated_webhook_is_answered_the_same(world):
    call = world.call()
    first = [tostring(verb) for verb in call.begin()]
    assert [tostring(verb) for verb in call.begin()] == first
    assert CallLeg.objects.count() == 1 and world.live == [1, 0]
    dial = call.verb("Dial")
    moved = [tostring(verb) for verb in call.dialed("busy", dial)]
    assert [tostring(verb) for verb in call.dialed("busy", dial)] == moved
    assert CallLeg.objects.count() == 2 and world.live == [0, 1]
    call.leg("in-progress")
    call.dialed("busy", dial)
    assert world.live == [0, 1], "old news does not end a talk"


def test_an_answer_that_comes_after_the_end_still_counts(world):
    call = world.call()
    call.begin()
    dial = call.verb("Dial")
    call.over()
    assert CallLeg.objects.get().answered_at is None
    call.leg("in-progress", dial)
    assert CallLeg.objects.get().answered_at is not None and world.live == [0, 0]


def test_a_lost_answer_is_known_from_the_end_of_the_dial(world):
    call = world.call()
    call.begin()
    CallLeg.objects.update(selected_at=timezone.now() - timedelta(seconds=100))
    call.dialed("completed", DialCallDuration="60", caller_gone=True)
    leg = CallLeg.objects.get()
    assert 58 <= (leg.ended_at - leg.answered_at).total_seconds() <= 62
    assert leg.end_reason == "caller_hangup" and world.live == [0, 0]


def test_a_destination_with_a_tree_of_its_own_is_walked_and_dialed_as_that_says(world):
    own = menu({**CONNECT, "destination_phone_number": "+13035550177", "connect_timeout": 25})
    in_force(world.first, {"root": own, "caller_id": {"setting": "specific", "mask": "+13035550999"}})
    world.put(select(), caller_id={"setting": "promo"})
    call = world.call()
    call.begin()
    assert call.tags == ["Gather"] and world.live == [1, 0], "the slot is held while its menu is heard"
    call.press("1")
    dial = call.verb("Dial")
    assert (call.numbers, dial.get("timeout"), dial.get("callerId")) == (["+13035550177"], "25", "+13035550999")
    assert query(dial[0].get("statusCallback"))["leg"] == str(CallLeg.objects.get().pk)
    call.dialed("no-answer")
    assert (call.numbers, call.verb("Dial").get("callerId")) == (["+13035550102"], world.number)
    assert world.live == [0, 1]
    call.leg("in-progress")
    call.dialed("completed", DialCallDuration="5")
    assert world.live == [0, 0] and legs() == ["no_answer", "destination_hangup"]


def test_a_text_message_is_sent_once(world, twilio_api):
    world.put(node("SmsPromo", select(), prompt="Press 9.", sms_promo_copy="10 % off"))
    call = world.call(caller="+447911123456")
    call.begin()
    call.press("9")
    assert call.tags == ["Dial"]
    assert FlowMessage.objects.get().sent_at is None
    FlowMessage.objects.update(due_at=timezone.now())
    assert (actions.messages_send(), actions.messages_send()) == (1, 0)
    assert twilio_api.sent == [{"From": world.number, "To": "+447911123456", "Body": "10 % off"}]


def test_a_message_that_cannot_be_sent_says_why_and_is_not_tried_for_ever(world, settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    world.put(node("SmsPromo", select(), prompt="Press 9.", sms_promo_copy="10 % off"))
    call = world.call(caller="+447911123456")
    call.begin()
    call.press("9")
    FlowMessage.objects.update(due_at=timezone.now())
    assert (actions.messages_send(), actions.messages_send()) == (0, 0)
    assert FlowMessage.objects.get().problem
