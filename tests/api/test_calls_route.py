"""POST calls.json: the decision over HTTP."""

import pytest

from campaigns.models import Call, CallLeg
from tests.api.conftest import Api, codes
from tests.factories import AdvertiserFactory, PromoNumberFactory, bundle_of, cap, destinations

pytestmark = pytest.mark.django_db

CALLER = "+13035550123"


@pytest.fixture
def bundle(network):
    return bundle_of(*destinations(2, [1, None], advertiser=AdvertiserFactory(network=network)))


@pytest.fixture
def api(as_, personas):
    return as_(personas.member)


def test_a_call_gets_its_destination(api, bundle):
    answer = api.post("calls.json", {"bundle": bundle.id_from_network, "caller": CALLER})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    first = bundle.destinations.first().destination
    assert body["destination"] == {
        "id": first.pk,
        "id_from_network": first.id_from_network,
        "name": first.name,
        "destination_phone_number": "+13035550100",
    }
    assert (body["outcome"], body["refusal"], body["over_cap"]) == ("destination", None, False)
    assert body["lease_expires_at"].endswith("Z")
    assert "trace" not in body
    assert answer["X-Request-ID"]
    leg = CallLeg.objects.get()
    assert leg.call.transaction_id == body["call"] and leg.destination == first


def test_by_promo_number_and_with_the_trace(api, bundle, network):
    PromoNumberFactory(campaign=bundle, network=network, number="+18055550123")
    data = {"promo_number": "(805) 555-0123", "caller": "anonymous", "trace": True}
    api.post("calls.json", data)
    body = api.post("calls.json", data).json()
    first, second = body["trace"]["destinations"]
    assert first["reasons"] == [{"code": "concurrent_call_cap", "text": "Concurrent call cap reached: 1/1 live"}]
    assert (first["live"], first["concurrent_call_cap"], first["free_slots"]) == (1, 1, 0)
    assert second["verdict"] == "chosen" and body["trace"]["chosen"] == second["id_from_network"]
    assert Call.objects.first().promo_number == "+18055550123"


def test_a_refused_call_is_a_decision_too(api, bundle):
    for row in bundle.destinations.all():
        cap(row.destination, 0)
    answer = api.post("calls.json", {"bundle": bundle.id_from_network, "caller": CALLER})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["outcome"], body["destination"], body["refusal"]) == ("refused", None, "capped")
    assert body["lease_expires_at"] is None


def test_the_same_external_id_is_answered_200_with_the_first_decision(api, bundle):
    data = {"bundle": bundle.id_from_network, "caller": CALLER, "external_id": "sip-1"}
    first, again = api.post("calls.json", data), api.post("calls.json", data)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Call.objects.count() == 1


BAD = [
    ({}, [("required", "caller"), ("required", "promo_number")]),
    ({"caller": CALLER, "bundle": "x", "promo_number": "+18055550123"}, [("required", "promo_number")]),
    ({"caller": "call me", "bundle": "THE"}, [("invalid_phone_number", "caller")]),
    ({"caller": "123", "bundle": "THE"}, [("invalid_phone_number", "caller")]),
    ({"caller": 13035550123, "bundle": "THE"}, [("invalid_type", "caller")]),
    ({"caller": "9" * 70, "bundle": "THE"}, [("too_long", "caller")]),
    ({"caller": CALLER, "promo_number": "no number"}, [("invalid_phone_number", "promo_number")]),
    ({"caller": CALLER, "bundle": "THE", "external_id": "x" * 101}, [("too_long", "external_id")]),
    ({"caller": CALLER, "bundle": "THE", "external_id": {}}, [("invalid_type", "external_id")]),
    ({"caller": CALLER, "bundle": "THE", "trace": "yes"}, [("invalid_type", "trace")]),
    ({"caller": CALLER, "bundle": True}, [("invalid_type", "bundle")]),
]


@pytest.mark.parametrize(("data", "expected"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_input(api, bundle, data, expected):
    data = {name: bundle.id_from_network if value == "THE" else value for name, value in data.items()}
    answer = api.post("calls.json", data)
    assert answer.status_code == 422, answer.content
    assert codes(answer) == expected
    assert not Call.objects.exists()


UNREADABLE = [
    (b"{", 400, "parse_error"),
    (b"[]", 400, "not_an_object"),
    (b'"text"', 400, "not_an_object"),
    (b"\xff\xfe", 400, "invalid_encoding"),
    (b'{"caller": "\\u0000"}', 400, "nul_character"),
    (b'{"caller": "\\ud800"}', 400, "invalid_unicode"),
    (b'{"caller": NaN}', 400, "parse_error"),
    (b'{"a": ' + b"9" * 5000 + b"}", 400, "parse_error"),
    (b'{"a": 1e400}', 400, "number_out_of_range"),
    (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", 400, "too_deep"),
    (b"[" * 100_000, 400, "too_deep"),
    (b"x" * (10 * 1024 * 1024), 413, "body_too_large"),
]


@pytest.mark.parametrize(
    ("body", "status", "code"), UNREADABLE, ids=[f"{c}-{i}" for i, (_, _, c) in enumerate(UNREADABLE)]
)
@pytest.mark.parametrize("path", ["calls.json", "calls/00000000-00000001/events.json", "advertisers.json"])
def test_what_cannot_be_read(api, bundle, path, body, status, code):
    answer = api.send("POST", path, body=body)
    assert (answer.status_code, codes(answer)[0][0]) == (status, code)
    assert not Call.objects.exists()


def test_only_json(api):
    answer = api.send("POST", "calls.json", body=b"caller=1", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, codes(answer)) == (415, [("unsupported_media_type", None)])


def test_unknown_bundle_and_number(api, bundle):
    answer = api.post("calls.json", {"bundle": "nope", "caller": CALLER})
    assert (answer.status_code, codes(answer)) == (404, [("unknown_campaign", "bundle")])
    answer = api.post("calls.json", {"promo_number": "+18055559999", "caller": CALLER})
    assert (answer.status_code, codes(answer)) == (404, [("unknown_promo_number", "promo_number")])


def test_who_may_route(as_, personas, bundle, network):
    data = {"bundle": bundle.id_from_network, "caller": CALLER}
    expected = {
        "limited": 403,
        "observer": 403,
        "member": 201,
        "manager": 201,
        "super": 201,
        "outsider": 404,
        "staff": 201,
    }
    assert {name: as_(getattr(personas, name)).post("calls.json", data).status_code for name in expected} == expected
    answer = as_(personas.observer).post("calls.json", data)
    assert answer.json()["details"]["permission"] == "campaigns.route_calls"


def test_another_networks_bundle_is_unknown(api, bundle):
    other = bundle_of(*destinations(1))
    answer = api.post("calls.json", {"bundle": other.id_from_network, "caller": CALLER})
    assert codes(answer) == [("unknown_campaign", "bundle")]
    answer = Api(api.user, other.network, key=api.key).post(
        "calls.json", {"bundle": other.id_from_network, "caller": CALLER}
    )
    assert (answer.status_code, codes(answer)) == (404, [("unknown_network", "network_id")])


def test_a_hot_call_costs_one_statement(api, bundle, django_assert_num_queries):
    data = {"bundle": bundle.id_from_network, "caller": CALLER}
    api.post("calls.json", data)
    api.post("calls.json", data)
    # The function itself runs on the raw connection and is not counted here: nothing else may be asked.
    with django_assert_num_queries(0):
        call = api.post("calls.json", data).json()["call"]
        assert api.post(f"calls/{call}/events.json", {"event": "answered"}).status_code == 200


def test_the_short_way_and_the_whole_stack_are_one_view(personas, network, bundle, client):
    client.force_login(personas.member)
    client.handler.enforce_csrf_checks = True
    data = {"bundle": bundle.id_from_network, "caller": CALLER}
    url = f"/api/2026-11-01/{network.pk}/calls.json"
    answer = client.post(url, data, content_type="application/json")
    assert (answer.status_code, codes(answer)) == (403, [("csrf_failed", None)])
    client.handler.enforce_csrf_checks = False
    client.get("/accounts/login/")
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post(url, data, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == 201, answer.content
