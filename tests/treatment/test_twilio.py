"""Twilio's webhooks over real HTTP: signed by the official SDK, answered with TwiML, slots taken and given back."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse
from xml.etree.ElementTree import tostring

import pytest
from django.utils import timezone

from campaigns import actions
from campaigns.models import Call as CallRow
from campaigns.models import CallFlow, CallLeg, DestinationState, FlowMessage, VoiceAccount
from portal import memory
from portal.audit.models import AuditEvent
from portal.errors import Invalid, NotAllowed
from tests.factories import AdvertiserFactory, CampaignFactory, PromoNumberFactory, bundle_of, destinations

from .setting import in_force
from .test_trees import CONNECT, END, FAILOVER, menu, node, select
from .twilio_phone import SID, TOKEN, Call, Chaos, Twilio, query

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live_server, network, settings):
    """A bundle of two destinations of one slot each, its promo number, and the network's Twilio account."""
    memory.forget_everything()
    settings.PORTAL_URL = ""
    first, second = _destinations(network)
    bundle = bundle_of(first, second)
    number = PromoNumberFactory(campaign=bundle)
    actions.voice_account_set(by=None, network=network, account_sid=SID, secret=TOKEN)
    yield World(bundle, first, second, number.number, Twilio(live_server.url, network))
    memory.forget_everything()


def _destinations(network):
    made = destinations(2, 1, advertiser=AdvertiserFactory(network=network))
    for index, campaign in enumerate(made):
        campaign.destination_phone_number = f"+1303555010{index + 1}"
        campaign.save()
    return made


class World:
    def __init__(self, bundle, first, second, number, twilio):
        self.bundle, self.first, self.second, self.number, self.twilio = bundle, first, second, number, twilio

    def call(self, **values):
        return Call(self.twilio, self.number, **values)

    def put(self, root, **values):
        in_force(self.bundle, {"root": root, **values})

    @property
    def live(self):
        return [DestinationState.objects.get(pk=campaign.pk).live for campaign in (self.first, self.second)]


def legs():
    return list(CallLeg.objects.order_by("id").values_list("end_reason", flat=True))


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


# The signature -----------------------------------------------------------------------------------------------------------


def test_only_the_accounts_own_signature_is_taken(world, live_server, network):
    for wrong in (
        Twilio(live_server.url, network, token="another-token"),
        Twilio(live_server.url, network, sid="AC999999"),
    ):
        response = wrong.post("incoming", CallSid="CA1", From="+13035550123", To=world.number)
        assert response.status_code == 403
        assert response.json()["errors"][0]["code"] == "bad_signature"
    unsigned = world.twilio.http.post(world.twilio.folder + "incoming", data={"AccountSid": SID})
    assert unsigned.status_code == 403
    assert not CallFlow.objects.exists()


def test_a_signature_is_good_for_its_own_address_and_values_only(world):
    address = world.twilio.folder + "step?do=keys&turn=1"
    params = {"AccountSid": SID, "CallSid": "CA1", "Digits": "1"}
    signature = world.twilio.validator.compute_signature(address, params)
    for where, what in ((address.replace("turn=1", "turn=2"), params), (address, {**params, "Digits": "2"})):
        response = world.twilio.http.post(where, data=what, headers={"X-Twilio-Signature": signature})
        assert response.status_code == 403


def test_another_networks_account_opens_nothing_here(world, live_server):
    other = bundle_of(*destinations(1))
    actions.voice_account_set(by=None, network=other.network, account_sid="AC777777", secret="another-secret")
    stranger = Twilio(live_server.url, world.bundle.network, token="another-secret", sid="AC777777")
    assert stranger.post("incoming", CallSid="CA1", To=world.number).status_code == 403


def test_behind_a_proxy_the_public_address_was_signed(world, settings):
    settings.PORTAL_URL = "https://portal.example"
    path = f"/api/2026-11-01/{world.bundle.network_id}/voice/twilio/incoming"
    params = {"AccountSid": SID, "CallSid": "CA1", "From": "+13035550123", "To": world.number}
    signature = world.twilio.validator.compute_signature("https://portal.example" + path, params)
    response = world.twilio.http.post(
        world.twilio.folder + "incoming", data=params, headers={"X-Twilio-Signature": signature}
    )
    assert response.status_code == 200
    assert 'action="https://portal.example/api/' in response.text


def test_the_secret_is_kept_encrypted_and_never_shown(world, personas, network, settings):
    account = VoiceAccount.objects.get()
    assert TOKEN not in account.secret and TOKEN not in str(list(VoiceAccount.objects.values()))
    assert TOKEN not in str(list(AuditEvent.objects.values()))
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-" * 5, [old]
    world.call().begin()
    settings.SECRET_KEY_FALLBACKS = []
    response = world.twilio.post("incoming", CallSid="CA9", To=world.number)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (503, "unreadable_secret")


def test_accounts_are_for_supers(world, personas, network):
    with pytest.raises(NotAllowed):
        actions.voice_account_set(by=personas.manager, network=network, account_sid="AC888888", secret="x" * 20)
    with pytest.raises(Invalid) as refused:
        actions.voice_account_set(by=personas.super, network=network, account_sid="!", secret="x", kind="pigeon")
    assert [field for field, _code, _text in refused.value.problems] == ["kind", "account_sid", "secret"]
    assert actions.voice_account_set(by=personas.super, network=network, account_sid=SID, secret="y" * 20)[1] is False
    actions.voice_account_remove(by=personas.super, network=network, account_sid=SID)
    assert world.twilio.post("incoming", CallSid="CA9", To=world.number).status_code == 403


# Carriers that go silent ------------------------------------------------------------------------------------------------------


@pytest.fixture
def twilio_api(settings):
    """Twilio's REST API as a small server: its calls in progress and the messages sent."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body, status=200):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            status = parse_qs(urlparse(self.path).query).get("Status", [""])[0]
            calls = [{"sid": sid, "status": status} for sid in server.alive] if status == "in-progress" else []
            server.asked.append(self.path)
            self._answer({"calls": calls, "next_page_uri": None, "page": 0, "page_size": 1000})

        def do_POST(self):
            body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            server.sent.append({name: values[0] for name, values in body.items()})
            self._answer({"sid": "SM1", "status": "queued"}, 201)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.alive, server.asked, server.sent = [], [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.TWILIO_API_URL = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_calls_that_the_carrier_does_not_know_any_more_are_ended(world, twilio_api):
    lost, alive = world.call(), world.call()
    lost.begin()
    alive.begin()
    twilio_api.alive = [alive.sid]
    assert actions.flows_reconcile() == 0, "too young to be judged"
    CallFlow.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    CallLeg.objects.update(expires_at=timezone.now() + timedelta(seconds=3))
    assert actions.flows_reconcile() == 1
    assert world.live == [0, 1] and legs() == ["error", ""]
    assert CallLeg.objects.get(ended_at=None).expires_at > timezone.now() + timedelta(seconds=60)
    assert f"/2010-04-01/Accounts/{SID}/Calls.json" in twilio_api.asked[0]
    assert actions.flows_reconcile() == 0


def test_a_carrier_that_cannot_be_asked_ends_nothing(world, settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    world.call().begin()
    CallFlow.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    assert actions.flows_reconcile() == 0
    assert world.live == [1, 0]


# A day of calls -----------------------------------------------------------------------------------------------------------------


def one_call(world, chaos, index):
    """A call on a bad day. What Twilio does by itself (asking for TwiML) happens; what it tells may be lost or late."""
    dice = chaos.dice
    call = world.call(caller=f"+1303555{index:04d}")
    chaos.send(call.begin, lose=0, delay=0)
    for _round in range(12):
        if "Dial" in call.tags:
            dial = call.verb("Dial")
            chaos.send(lambda dial=dial: call.leg("ringing", dial))
            what = dice.choice(["talk", "talk", "busy", "no-answer", "failed", "gone", "silent"])
            if what == "talk":
                chaos.send(lambda dial=dial: call.leg("in-progress", dial))
                chaos.send(lambda dial=dial: call.leg("completed", dial, CallDuration="30"))
                gone = dice.random() < 0.5
                late = {"caller_gone": gone, "DialCallDuration": "30"}
                chaos.send(lambda dial=dial, late=late: Call.dialed(call, "completed", dial, **late))
                break
            if what in ("gone", "silent"):
                break
            if dice.random() < 0.1:
                break
            before = call.tags
            for _time in range(dice.choice([1, 1, 2])):
                call.dialed(what, dial)
            if call.tags == before and "Dial" not in call.tags:
                break
        elif "Gather" in call.tags:
            if dice.random() < 0.15:
                break
            call.press(dice.choice(["1", "1", "1", "", "7"]))
        elif "Record" in call.tags:
            chaos.send(lambda: call._post(call.verb("Record").get("action"), CallStatus="in-progress"))
            break
        else:
            break
    chaos.send(call.over, lose=0.3)
    return call


OWN = menu({**CONNECT, "children": [FAILOVER]}, {**END, "prompt": "Bye.", "keypress_failover_type": "Wrong"})


@pytest.mark.parametrize(("seed", "own"), [(1, None), (2, None), (3, OWN), (4, menu(CONNECT))])
def test_a_day_of_calls_ends_with_no_slot_held(world, twilio_api, seed, own):
    """own: the tree of the first destination."""
    if own is not None:
        in_force(world.first, {"root": own})
    world.put(
        menu(
            select({**END, "prompt": "Leave a message.", "record_message": True}),
            {**END, "keypress_failover_type": "None"},
        )
    )
    chaos = Chaos(seed)
    answered = set()
    for index in range(40):
        one_call(world, chaos, index)
        live = world.live
        assert all(0 <= count <= 1 for count in live), live
        if index % 10 == 9:
            # The carrier's list is compared once in a while.
            CallFlow.objects.filter(ended_at=None).update(started_at=timezone.now() - timedelta(minutes=5))
            actions.flows_reconcile()
    chaos.settle()
    CallFlow.objects.filter(ended_at=None).update(started_at=timezone.now() - timedelta(minutes=5))
    actions.flows_reconcile()
    assert world.live == [0, 0]
    assert not CallLeg.objects.filter(ended_at=None).exists()
    assert not CallFlow.objects.filter(ended_at=None).exists()
    assert CallFlow.objects.count() == CallRow.objects.count() == 40, "each call is one call"
    assert CallLeg.objects.count() > 20
    assert actions.live_counts_reconcile(with_usage=True) == []
    for leg in CallLeg.objects.exclude(answered_at=None):
        assert leg.call_id not in answered, "a call is connected once"
        answered.add(leg.call_id)
