"""Twilio's REST by the official SDK against a server that speaks it: orders, refusals, callbacks, the list."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone
from twilio.request_validator import RequestValidator

from outbound import actions
from outbound.carriers import adapter_of
from outbound.carriers.port import Known, Lost, NotSent, Order, Rejected
from outbound.models import Attempt, AttemptEvent
from tests.servers import Handler, Server

from .conftest import numbers

pytestmark = pytest.mark.django_db

TOKEN = "0123456789abcdef"


class _Api(Handler):
    def do_POST(self):
        form = parse_qs(self.body().decode())
        if not self.path.endswith("/Calls.json"):
            return self.answer_json(200, {"sid": self.path.rpartition("/")[2].removesuffix(".json")})
        self.owner.orders.append({name: values if len(values) > 1 else values[0] for name, values in form.items()})
        if self.owner.status != 201:
            return self.answer_json(self.owner.status, self.owner.error)
        call = {"sid": f"CA{len(self.owner.calls)}", "status": "queued", "to": form["To"][0], "from": form["From"][0]}
        self.owner.calls.append(call)
        return self.answer_json(201, call)

    def do_GET(self):
        parts, calls = urlsplit(self.path), self.owner.calls
        if not parts.path.endswith("/Calls.json"):
            sid = parts.path.rpartition("/")[2].removesuffix(".json")
            found = [call for call in calls if call["sid"] == sid]
            return self.answer_json(200 if found else 404, found[0] if found else {"status": 404, "code": 20404})
        if self.owner.list_status != 200:
            return self.answer_json(self.owner.list_status, {"status": self.owner.list_status})
        query = parse_qs(parts.query)
        found = [call for call in calls if call["to"] == query["To"][0] and call["from"] == query["From"][0]]
        return self.answer_json(200, {"calls": found, "page": 0, "page_size": 50})


class Cloud(Server):
    """As much of Twilio as calls need."""

    handler = _Api

    def __init__(self) -> None:
        self.orders, self.calls, self.status, self.error = [], [], 201, {}
        self.list_status = 200
        super().__init__()


@pytest.fixture
def cloud(house):
    made = Cloud()
    house.carrier = actions.carrier_create(
        by=None, network=house.network, kind="twilio", name="Twilio", base_url=made.url,
        settings={"account_sid": "AC1"}, secrets={"auth_token": TOKEN},
    )  # fmt: skip
    yield made
    made.close()


def order(**values):
    return Order(attempt=uuid4(), recipient=1, number="+13035550100", ani="+18055550100", **values)


def test_an_order_names_numbers_address_parameters_and_machine_detection(house, cloud):
    adapter = adapter_of(house.carrier)
    placed = adapter.place(
        order(start_url="https://x.example/s?a=1", parameters={"name": "Ann Lee"}, callback_url="https://p.example/c")
    )
    (sent,) = cloud.orders
    assert placed.carrier_call_id == "CA0"
    assert (sent["To"], sent["From"], sent["Url"]) == (
        "+13035550100", "+18055550100", "https://x.example/s?a=1&name=Ann+Lee",
    )  # fmt: skip
    assert sent["MachineDetection"] == "Enable" and sent["AsyncAmdStatusCallback"] == "https://p.example/c"
    assert sent["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]


@pytest.mark.parametrize(
    ("status", "error", "kind", "outcome"),
    [
        (429, {"code": 20429}, NotSent, None), (503, {}, NotSent, None), (500, {}, Lost, None), (502, {}, Lost, None),
        (400, {"code": 21211}, Rejected, "invalid_number"), (400, {"code": 21210}, Rejected, "rejected"),
        # The account's fault, not the person's: nobody was dialed, and nobody's attempts are used up.
        (401, {"code": 20003}, NotSent, None), (403, {"code": 20005}, NotSent, None), (404, {"code": 20404}, NotSent, None),
        (403, {"code": 21215}, Rejected, "rejected"), (422, {}, Rejected, "carrier_error"),
    ],
)  # fmt: skip
def test_refusals_are_told_apart_by_whether_anything_may_have_been_dialed(house, cloud, status, error, kind, outcome):
    cloud.status, cloud.error = status, {"message": "no", "status": status, **error}
    with pytest.raises(kind) as caught:
        adapter_of(house.carrier).place(order())
    assert getattr(caught.value, "outcome", None) == outcome


def test_a_carrier_that_cannot_be_reached_has_dialed_nothing(house, cloud):
    house.carrier.base_url = "http://127.0.0.1:9"
    with pytest.raises(NotSent):
        adapter_of(house.carrier).place(order())


def post(client, house, url, form, token=TOKEN):
    signature = RequestValidator(token).compute_signature("https://portal.example" + url, form)
    return client.post(url, form, headers={"X-Twilio-Signature": signature})


def test_a_name_that_has_no_address_just_now_has_dialed_nothing(house, cloud):
    house.carrier.base_url = "http://nowhere.invalid"
    with pytest.raises(NotSent):
        adapter_of(house.carrier).place(order())


def test_signed_callbacks_are_applied_and_others_refused(house, cloud, client, settings, receiver):
    settings.OUTBOUND_CALLBACK_URL = "https://portal.example"
    house.batch(numbers(1), carrier=house.carrier, start_url=receiver.url)
    (call,) = actions.calls_claim(worker="w", limit=1)
    url = f"/carriers/{house.carrier.pk}/events/{call.attempt}"
    ended = {
        "CallSid": "CA7", "CallStatus": "completed", "CallDuration": "12", "SequenceNumber": "3", "AnsweredBy": "machine_start",
        "Timestamp": "Wed, 25 Nov 2026 16:00:12 +0000",
    }  # fmt: skip
    assert post(client, house, url, ended, token="wrong").status_code == 403
    assert client.post(url, ended).status_code == 403
    assert Attempt.objects.get().state == "queued"
    # The end comes first, twice, and the ringing last.
    for form in (ended, ended, {"CallSid": "CA7", "CallStatus": "ringing", "SequenceNumber": "1"}):
        assert post(client, house, url, form).status_code == 204
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.outcome, attempt.callee_type, attempt.duration) == (
        "completed", "machine", "answeringmachine", 12,
    )  # fmt: skip
    assert attempt.carrier_call_id == "CA7" and attempt.ringing_at is not None
    assert AttemptEvent.objects.get(kind="ended").heard == 2
    assert client.post(f"/carriers/999/events/{call.attempt}", ended).status_code == 404


def test_failures_keep_the_sip_answer_beside_our_label(house, cloud, client, settings, receiver):
    settings.OUTBOUND_CALLBACK_URL = "https://portal.example"
    house.batch(numbers(1), carrier=house.carrier, start_url=receiver.url)
    (call,) = actions.calls_claim(worker="w", limit=1)
    form = {"CallSid": "CA7", "CallStatus": "failed", "SipResponseCode": "404", "SequenceNumber": "2"}
    post(client, house, f"/carriers/{house.carrier.pk}/events/{call.attempt}", form)
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.cause) == ("invalid_number", "404")


def test_a_lost_call_is_found_in_the_list_and_never_taken_for_another(house, cloud, receiver):
    batch = house.batch(numbers(1), carrier=house.carrier, start_url=receiver.url)
    (call,) = actions.calls_claim(worker="w", limit=1)
    adapter = adapter_of(house.carrier)
    known = Known(call.attempt, "", call.number, batch.ani, timezone.now())
    assert [one["kind"] for one in adapter.lookup([known])] == ["absent"]
    cloud.calls.append({"sid": "CA5", "status": "busy", "to": call.number, "from": batch.ani})
    kinds = {one["kind"]: one for one in adapter.lookup([known])}
    assert kinds["accepted"]["carrier_call_id"] == "CA5" and kinds["ended"]["outcome"] == "busy"
    Attempt.objects.create(
        recipient_id=0, batch=batch, carrier=house.carrier, number=1, state="failed", carrier_call_id="CA5",
        claimed_at=timezone.now(), dial_at=timezone.now(),
    )  # fmt: skip
    assert [one["kind"] for one in adapter.lookup([known])] == ["absent"], "CA5 is another attempt's"
    by_sid = Known(call.attempt, "CA5", call.number, batch.ani, timezone.now())
    assert {one["kind"] for one in adapter.lookup([by_sid])} == {"accepted", "ended"}
    assert adapter.hangup(by_sid) is True and adapter.hangup(known) is False


def test_one_record_of_the_carrier_is_never_taken_for_two_calls(house, cloud):
    """Two batches lost the answer about the same number, and only one of the calls reached the carrier."""
    now = timezone.now()
    known = [Known(uuid4(), "", "+13035550100", "+18055550100", now) for _ in range(2)]
    cloud.calls.append({"sid": "CA5", "status": "busy", "to": known[0].number, "from": known[0].ani})
    events = adapter_of(house.carrier).lookup(known)
    assert {one["attempt"]: one["kind"] for one in events} == {
        str(known[0].attempt): "ended", str(known[1].attempt): "absent",
    }  # fmt: skip


def test_what_was_looked_up_before_the_carrier_failed_is_not_lost(house, cloud):
    now = timezone.now()
    found, unread = (Known(uuid4(), sid, "+13035550100", "+18055550100", now) for sid in ("CA5", ""))
    cloud.calls.append({"sid": "CA5", "status": "busy", "to": found.number, "from": found.ani})
    cloud.list_status = 503
    adapter = adapter_of(house.carrier)
    assert {one["attempt"] for one in adapter.lookup([found, unread])} == {str(found.attempt)}
    with pytest.raises(NotSent):
        adapter.lookup([unread, found])
    cloud.list_status = 404
    with pytest.raises(NotSent):
        adapter.lookup([unread])
