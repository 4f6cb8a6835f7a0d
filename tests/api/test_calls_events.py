"""POST calls/<id>/events.json, release, the lists, and the calls in progress."""

import pytest

from campaigns import actions
from campaigns.models import Call, CallLeg, DestinationState
from portal.audit.models import AuditEvent
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory, CampaignFactory, PromoNumberFactory, bundle_of, cap, destinations

pytestmark = pytest.mark.django_db

CALLER = "+13035550123"


@pytest.fixture
def bundle(network):
    return bundle_of(*destinations(1, 5, advertiser=AdvertiserFactory(network=network)))


@pytest.fixture
def api(as_, personas):
    return as_(personas.manager)


@pytest.fixture
def call(api, bundle):
    return api.post("calls.json", {"bundle": bundle.id_from_network, "caller": CALLER}).json()["call"]


def live(bundle):
    return DestinationState.objects.get(pk=bundle.destinations.get().destination_id).live


def test_the_life_of_a_call(api, bundle, call):
    def send(event, **data):
        answer = api.post(f"calls/{call}/events.json", {"event": event, **data})
        assert answer.status_code == 200, answer.content
        return answer.json()

    assert send("ringing")["result"] == "applied"
    answered = send("answered")
    assert answered["answered_at"] and answered["lease_expires_at"] and answered["ended_at"] is None
    assert send("answered")["result"] == "unchanged"
    assert send("heartbeat")["result"] == "applied"
    assert live(bundle) == 1
    ended = send("ended", cause="destination_hangup", detail="NORMAL_CLEARING", at="2026-11-01T12:00:00Z")
    assert (ended["result"], ended["end_reason"], ended["lease_expires_at"]) == ("applied", "destination_hangup", None)
    assert send("ended")["result"] == "unchanged"
    assert live(bundle) == 0
    assert CallLeg.objects.get().end_detail == "NORMAL_CLEARING"


def test_any_order_and_any_case(api, call):
    assert api.post(f"calls/{call.lower()}/events.json", {"event": "ended"}).json()["call"] == call
    assert api.post(f"calls/{call}/events.json", {"event": "answered"}).json()["result"] == "applied"


def test_a_finished_call(api, call):
    api.post(f"calls/{call}/release.json", {"reason": "stuck"})
    for event in ("ringing", "answered", "heartbeat"):
        answer = api.post(f"calls/{call}/events.json", {"event": event})
        assert (answer.status_code, codes(answer)) == (409, [("call_finished", "event")])
        assert answer.json()["details"] == {"end_reason": "released"}
    assert api.post(f"calls/{call}/events.json", {"event": "ended"}).json()["result"] == "unchanged"


UNKNOWN = [
    "00000000-FFFFFFFF",
    "nonsense",
    "FFFFFFFF-FFFFFFFF",
    "00000000-00000000",
    "0x000000-0x000001",
    "-",
    "%00",
    "1",
]


@pytest.mark.parametrize("call_id", UNKNOWN)
def test_an_unknown_call(api, call, call_id):
    for answer in (
        api.post(f"calls/{call_id}/events.json", {"event": "ended"}),
        api.post(f"calls/{call_id}/release.json", {"reason": "x"}),
        api.get(f"calls/{call_id}.json"),
    ):
        assert answer.status_code == 404
        assert codes(answer)[0][0] in ("unknown_call", "not_found")


BAD = [
    ({}, [("required", "event")]),
    ({"event": "explode"}, [("unknown_event", "event")]),
    ({"event": 5}, [("invalid_type", "event")]),
    ({"event": "ended", "cause": "boredom"}, [("unknown_cause", "cause")]),
    ({"event": "ended", "cause": []}, [("invalid_type", "cause")]),
    ({"event": "ended", "at": "yesterday"}, [("invalid_moment", "at")]),
    ({"event": "ended", "at": "2026-11-01T12:00:00"}, [("invalid_moment", "at")]),
    ({"event": "ended", "at": 1700000000}, [("invalid_moment", "at")]),
    ({"event": "ended", "detail": "x" * 251}, [("too_long", "detail")]),
]


@pytest.mark.parametrize(("data", "expected"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_events(api, bundle, call, data, expected):
    answer = api.post(f"calls/{call}/events.json", data)
    assert (answer.status_code, codes(answer)) == (422, expected)
    assert live(bundle) == 1


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_moments_at_the_ends_of_time_are_kept_between_selection_and_now(api, call, at):
    assert api.post(f"calls/{call}/events.json", {"event": "answered", "at": at}).status_code == 200
    leg = CallLeg.objects.get()
    assert leg.answered_at.year == leg.selected_at.year


def test_events_of_another_network(api, as_, personas, call):
    assert as_(personas.outsider).post(f"calls/{call}/events.json", {"event": "ended"}).status_code == 404
    other = CampaignFactory()
    routed = actions.call_route(by=None, network=other.network, campaign=other.pk, caller=None)
    theirs = Call.objects.get(pk=routed.call_id).transaction_id
    assert codes(api.post(f"calls/{theirs}/events.json", {"event": "ended"})) == [("unknown_call", "call")]
    assert api.get(f"calls/{theirs}.json").status_code == 404
    assert as_(personas.observer).post(f"calls/{call}/events.json", {"event": "ended"}).status_code == 403


def test_release(api, as_, personas, bundle, call):
    answer = as_(personas.member).post(f"calls/{call}/release.json", {"reason": "stuck"})
    assert (answer.status_code, answer.json()["details"]["permission"]) == (403, "campaigns.operate")
    assert codes(api.post(f"calls/{call}/release.json", {})) == [("required", "reason")]
    assert codes(api.post(f"calls/{call}/release.json", {"reason": "  "})) == [("blank", "reason")]
    assert as_(personas.limited).post(f"calls/{call}/release.json", {"reason": "x"}).status_code == 404
    assert live(bundle) == 1
    answer = api.post(f"calls/{call}/release.json", {"reason": "stuck since noon"})
    assert (answer.status_code, answer.json()["end_reason"]) == (200, "released")
    assert live(bundle) == 0
    assert AuditEvent.objects.get(event="slot.release").reason == "stuck since noon"
    answer = api.post(f"calls/{call}/release.json", {"reason": "again"})
    assert (answer.status_code, codes(answer)) == (409, [("call_finished", None)])


def test_one_call_with_legs_and_trace(api, call, bundle):
    body = api.get(f"calls/{call}.json").json()
    assert body["call"] == call and body["campaign"]["id_from_network"] == bundle.id_from_network
    (leg,) = body["legs"]
    assert (leg["kind"], leg["holds_slot"], leg["ended_at"], leg["end_reason"]) == ("bundle", True, None, None)
    assert body["trace"]["summary"].startswith("Sent to")
    assert body["trace"]["destinations"][0]["verdict"] == "chosen"


def test_whoever_sees_a_destination_only_sees_his_leg_only(as_, personas, api, call, bundle):
    actions.access_grant(by=None, obj=bundle.destinations.get().destination, to=personas.limited, action="view")
    limited = as_(personas.limited)
    body = limited.get(f"calls/{call}.json").json()
    assert (body["campaign"], body["promo_number"], body["trace"]) == (None, None, None)
    assert len(body["legs"]) == 1
    assert len(limited.get("calls.json").json()["results"]) == 1
    assert len(limited.get("calls_in_progress/current_calls.json").json()["results"]) == 1
    api.post("calls.json", {"bundle": CampaignFactory(advertiser=bundle.advertiser).id_from_network, "caller": CALLER})
    assert len(limited.get("calls.json").json()["results"]) == 1
    assert len(api.get("calls.json").json()["results"]) == 2


def test_filters(api, bundle, network, call):
    PromoNumberFactory(campaign=bundle, network=network, number="+18055550123")
    api.post("calls.json", {"promo_number": "+18055550123", "caller": "anonymous", "external_id": "sip-7"})
    api.post(f"calls/{call}/events.json", {"event": "ended"})
    cap(bundle.destinations.get().destination, 0)
    api.post("calls.json", {"bundle": bundle.id_from_network, "caller": "+17205550199"})
    destination = bundle.destinations.get().destination.id_from_network
    expected = {
        "": 3, "outcome=refused": 1, "outcome=destination": 2, f"campaign={bundle.id_from_network}": 3, "campaign=none": 0,
        f"destination={destination}": 2, "caller=(303) 555-0123": 1, "promo_number=8055550123": 1, "external_id=sip-7": 1,
        "live=true": 1, "live=false": 2, "started_after=2020-01-01T00:00:00Z": 3, "started_before=2020-01-01T00:00:00Z": 0,
    }  # fmt: skip
    got = {query: len(api.get(f"calls.json?{query}").json()["results"]) for query in expected}
    assert got == expected
    for query, field in (("outcome=lost", "outcome"), ("caller=me", "caller"), ("started_after=soon", "started_after")):
        answer = api.get(f"calls.json?{query}")
        assert answer.status_code == 422 and codes(answer)[0][1] == field


@pytest.mark.parametrize("rows", [1, 30])
@pytest.mark.parametrize("path", ["calls.json", "calls_in_progress/current_calls.json"])
def test_lists_cost_the_same_whatever_their_length(api, bundle, rows, path, django_assert_max_num_queries):
    cap(bundle.destinations.get().destination, 100)
    for _ in range(rows):
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=CALLER)
    api.get(path)
    with django_assert_max_num_queries(3):
        assert len(api.get(path).json()["results"]) == rows


def test_calls_in_progress(api, as_, personas, bundle, call, network):
    destination = bundle.destinations.get().destination
    destination.named_regions = [
        {"name": "Colorado", "regions": [{"region_type": "State", "value": "Colorado"}]},
        {
            "name": "Texas",
            "regions": [{"region_type": "State", "value": "TX"}, {"region_type": "Prefix", "value": "512"}],
        },
        {"name": "Denver", "regions": [{"region_type": "Prefix", "value": "303-555, 720"}]},
    ]
    destination.extra = {"custom_data": {"source": "radio"}}
    destination.save()
    (row,) = api.get("calls_in_progress/current_calls.json").json()["results"]
    assert row["transaction_id"] == row["call_record_id"] == call
    assert (row["call_status"], row["bridge_start_time"]) == ("connecting", None)
    assert (row["calling_phone_number"], row["destination_phone_number"]) == (CALLER, "+13035550100")
    assert row["advertiser_campaign_id_from_network"] == destination.id_from_network
    assert (row["qualified_regions"], row["custom_data"]) == (["Colorado", "Denver"], {"source": "radio"})
    assert row["repeat_calling_phone_number"] is False
    api.post(f"calls/{call}/events.json", {"event": "answered"})
    for path in (f"/api/2015-05-01/{network.pk}/calls_in_progress/current_calls.json",
                 "/api/2015-05-01/calls_in_progress/current_calls.json"):  # fmt: skip
        (row,) = api.get(path).json()
        assert row["call_status"] == "connected" and row["bridge_start_time"]
    assert as_(personas.outsider).get("/api/2026-11-01/calls_in_progress/current_calls.json").json()["results"] == []
    api.post(f"calls/{call}/events.json", {"event": "ended"})
    assert api.get("calls_in_progress/current_calls.json").json()["results"] == []
