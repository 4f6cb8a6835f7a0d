"""Bundles, their destinations, Simulate."""

import pytest

from campaigns.models import BundleDestination, Call, Campaign
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory, BundleFactory, CampaignFactory, bundle_of, cap, destinations

pytestmark = pytest.mark.django_db


@pytest.fixture
def advertiser(network):
    return AdvertiserFactory(network=network, id_from_network="27")


@pytest.fixture
def bundle(advertiser):
    first, second = destinations(2, [1, None], advertiser=advertiser)
    return bundle_of(first, second, id_from_network="b1")


@pytest.fixture
def api(as_, personas, advertiser):
    return as_(personas.manager)


def test_create_change_list(api, advertiser):
    overflow = CampaignFactory(advertiser=advertiser, id_from_network="o1")
    new = {"name": "Roofs", "id_from_network": "b9", "advertiser": "27", "overflow": "o1", "distribution": "MostFree",
           "repeat_caller": True, "repeat_window_days": 7}  # fmt: skip
    answer = api.post("bundles.json", new)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["campaign_type"], body["distribution"], body["repeat_window_days"]) == ("Bundled", "MostFree", 7)
    assert body["overflow"] == {"id": overflow.pk, "id_from_network": "o1", "name": overflow.name}
    assert "concurrent_call_cap_alert" not in body["budget_activities"]
    assert api.put("bundles/b9.json", api.get("bundles/b9.json").json()).status_code == 200
    body = api.patch("bundles/b9.json", {"overflow": None, "repeat_caller": False}).json()
    assert (body["overflow"], body["repeat_caller"], body["distribution"]) == (None, False, "MostFree")
    assert [row["id_from_network"] for row in api.get("bundles.json?q=roof").json()["results"]] == ["b9"]
    assert api.get("bundles/o1.json").status_code == 404
    assert api.delete("bundles/b9.json").status_code == 405
    assert api.put("bundles/b10.json", {"name": "B", "advertiser": "27"}).status_code == 201


BAD = [
    ({"advertiser": None}, 422, [("null", "advertiser")]),
    ({"advertiser": "none"}, 404, [("unknown_advertiser", "advertiser")]),
    ({"distribution": "Fair"}, 422, [("unknown_distribution", "distribution")]),
    ({"repeat_window_days": 0}, 422, [("min_value", "repeat_window_days")]),
    ({"repeat_window_days": 366}, 422, [("max_value", "repeat_window_days")]),
    ({"repeat_window_days": "7"}, 422, [("invalid", "repeat_window_days")]),
    ({"overflow": "b1"}, 422, [("bundle_in_bundle", "overflow")]),
    ({"overflow": "foreign"}, 422, [("unknown_campaign", "overflow")]),
    ({"campaign_type": "DirectOnly"}, 422, [("not_a_bundle", "campaign_type")]),
]


@pytest.mark.parametrize(("data", "status", "expected"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_bundles(api, bundle, data, status, expected):
    CampaignFactory(id_from_network="foreign")
    before = Campaign.objects.count()
    answer = api.post("bundles.json", {"name": "B", "advertiser": "27", **data})
    assert (answer.status_code, codes(answer)) == (status, expected)
    assert Campaign.objects.count() == before


def test_destinations_with_cap_live_free_state_and_reasons(api, bundle):
    api.post("calls.json", {"bundle": "b1", "caller": None})
    body = api.get("bundles/b1/destinations.json").json()
    first, second = body["results"]
    assert (first["concurrent_call_cap"], first["live"], first["free_slots"]) == (1, 1, 0)
    assert (first["state"], first["reasons"][0]["code"]) == ("unavailable", "concurrent_call_cap")
    assert (second["concurrent_call_cap"], second["free_slots"], second["state"]) == (None, None, "available")
    assert api.get(f"bundles/b1/destinations/{first['id_from_network']}.json").json() == first


def test_add_move_remove(api, bundle, advertiser):
    CampaignFactory(advertiser=advertiser, id_from_network="d3")
    answer = api.post("bundles/b1/destinations.json", {"id_from_network": "d3", "priority": 2, "weight": 0})
    assert (answer.status_code, answer.json()["priority"], answer.json()["weight"]) == (201, 2, 0)
    path = "bundles/b1/destinations/d3.json"
    assert api.patch(path, {"priority": 3}).json()["priority"] == 3
    assert api.put(path, {"weight": 5}).status_code == 200
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 204
    assert (api.get(path).status_code, api.patch(path, {}).status_code) == (404, 404)
    assert api.put(path, {"priority": 1}).status_code == 201
    answer = api.post("bundles/b1/destinations.json", {"id_from_network": "d3"})
    assert (answer.status_code, codes(answer)) == (409, [("already_there", "destination")])


def test_bad_destinations(api, bundle, advertiser):
    BundleFactory(advertiser=advertiser, id_from_network="b2")
    CampaignFactory(id_from_network="foreign")
    CampaignFactory(advertiser=advertiser, id_from_network="d3")
    cases = [
        ({}, [("required", "id_from_network")]),
        ({"id_from_network": "b2"}, [("bundle_in_bundle", "destination")]),
        ({"id_from_network": "b1"}, [("bundle_in_bundle", "destination")]),
        ({"id_from_network": "foreign"}, [("unknown_campaign", "id_from_network")]),
        ({"id_from_network": "d3", "priority": 0}, [("min_value", "priority")]),
        ({"id_from_network": "d3", "priority": 1.5}, [("invalid", "priority")]),
        ({"id_from_network": "d3", "weight": -1}, [("min_value", "weight")]),
        ({"id_from_network": "d3", "weight": True}, [("invalid", "weight")]),
        ({"id_from_network": "d3", "weight": 10**17}, [("max_value", "weight")]),
    ]
    for data, expected in cases:
        answer = api.post("bundles/b1/destinations.json", data)
        assert (answer.status_code, codes(answer)) == (422, expected), data
    assert api.put("bundles/b1/destinations/d3.json", {"id_from_network": "d4"}).status_code == 422
    assert BundleDestination.objects.count() == 2


def test_who_may_change_a_bundle(as_, personas, bundle, advertiser):
    CampaignFactory(advertiser=advertiser, id_from_network="d3")
    for name, status in (("limited", 404), ("observer", 403), ("outsider", 404), ("member", 201)):
        answer = as_(getattr(personas, name)).put("bundles/b1/destinations/d3.json", {})
        assert answer.status_code == status, name
    answer = as_(personas.observer).delete("bundles/b1/destinations/d3.json")
    assert (answer.status_code, answer.json()["details"]["permission"]) == (403, "campaigns.change_campaign")
    assert as_(personas.observer).patch("bundles/b1.json", {"repeat_caller": True}).status_code == 403
    assert as_(personas.observer).get("bundles/b1/destinations.json").status_code == 200


def test_simulate(api, bundle, as_, personas):
    api.post("calls.json", {"bundle": "b1", "caller": None})
    answer = as_(personas.observer).post("bundles/b1/simulate.json", {"caller": "+13035550123"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["outcome"] == "destination" and body["chosen"] == body["destinations"][1]["id_from_network"]
    assert body["destinations"][0]["reasons"][0]["text"] == "Concurrent call cap reached: 1/1 live"
    assert api.post("bundles/b1/simulate.json", {"at": "2026-12-24T18:00:00-07:00", "caller": None}).status_code in (
        200,
        422,
    )
    assert Call.objects.count() == 1
    for data, expected in (
        ({"caller": "me"}, ("invalid_phone_number", "caller")), ({"caller": 5}, ("invalid", "caller")),
        ({"at": "soon"}, ("invalid", "at")), ({"at": "9999-12-31T23:59:59Z"}, ("out_of_range", "at")),
        ({"at": "0001-01-01T00:00:00+14:00"}, ("overflow", "at")),
    ):  # fmt: skip
        answer = api.post("bundles/b1/simulate.json", data)
        assert answer.status_code == 422 and codes(answer) == [expected], (data, answer.content)


@pytest.mark.parametrize("rows", [1, 30])
def test_lists_cost_the_same_whatever_their_length(api, advertiser, rows, django_assert_max_num_queries):
    made = destinations(rows, 5, advertiser=advertiser)
    bundle_of(*made, id_from_network="big")
    for _ in range(rows - 1):
        BundleFactory(advertiser=advertiser)
    for path, limit in (("bundles.json", 3), ("bundles/big/destinations.json", 8)):
        api.get(path)
        with django_assert_max_num_queries(limit):
            assert len(api.get(path).json()["results"]) == rows


def test_zero_weight_is_said(api, bundle):
    Campaign.objects.filter(pk=bundle.pk).update(distribution="Weighted")
    row = bundle.destinations.first()
    api.patch(f"bundles/b1/destinations/{row.destination.id_from_network}.json", {"weight": 0})
    cap(row.destination, 5)
    body = api.get("bundles/b1/destinations.json").json()["results"][0]
    assert [reason["code"] for reason in body["reasons"]] == ["zero_weight"]
