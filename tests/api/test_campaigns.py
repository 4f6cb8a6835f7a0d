"""Campaigns over the current version."""

import pytest

from campaigns.models import Campaign, Cap
from portal.audit.models import AuditEvent
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory, BundleFactory, CampaignFactory, bundle_of, cap

pytestmark = pytest.mark.django_db

LIST = "advertisers/27/advertiser_campaigns.json"
ONE = "advertisers/27/advertiser_campaigns/c1.json"
NEW = {"name": "Roofing Denver", "campaign_type": "DirectOnly", "destination_phone_number": "(303) 555-0100"}


@pytest.fixture
def advertiser(network):
    return AdvertiserFactory(network=network, id_from_network="27")


@pytest.fixture
def api(as_, personas, advertiser):
    return as_(personas.manager)


@pytest.fixture
def campaign(advertiser):
    return CampaignFactory(advertiser=advertiser, id_from_network="c1", name="Roofing")


def test_create_read_change(api):
    data = {
        **NEW, "id_from_network": "c1", "timezone": "America/Denver", "operating_24_7": False,
        "hours": {"monday_open": 28800, "monday_closed": 64800},
        "named_regions": [{"name": "Home", "regions": [{"region_type": "Prefix", "value": "303"}]}],
        "payout": 12.5, "custom_data": {"source": "radio"},
        "budget_activities": {
            "concurrent_call_cap_alert": {"budget_amount": 5},
            "budget_cap_alert": {"reset_period": "Daily", "starts_at": "2026-01-01", "budget_amount": "100.50",
                                 "budget_currency": "USD", "time_zone": "Mountain Time (US & Canada)"},
        },
    }  # fmt: skip
    answer = api.post(LIST, data)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["status"] == "Pending" and body["destination_phone_number"] == "+13035550100"
    assert body["hours"] == data["hours"] and body["payout"] == 12.5 and body["custom_data"] == {"source": "radio"}
    assert body["budget_activities"]["concurrent_call_cap_alert"] == {
        "budget_amount": 5, "total_amount": 0, "alerts_enabled": False, "alert_thresholds": [75, 90, 100],
    }  # fmt: skip
    budget = body["budget_activities"]["budget_cap_alert"]
    assert (budget["budget_amount"], budget["total_amount"], budget["time_zone"]) == (100.5, 0, "America/Denver")
    assert budget["starts_at"] == budget["start_at"] == "2026-01-01"
    assert body["budget_activities"]["periodic_call_cap_alert"] is None
    assert body["warnings"] == []
    read = api.get(ONE).json()
    assert read == {name: value for name, value in body.items() if name != "warnings"}
    # What was read can be sent back as it is.
    again = api.put(ONE, read)
    assert again.status_code == 200, again.content
    assert {**again.json(), "updated_at": 0} == {**body, "updated_at": 0}
    assert api.patch(ONE, {"name": "B"}).json()["payout"] == 12.5


def test_the_moves(api, campaign):
    for move, status in (("pause", "Paused"), ("go_live", "Live"), ("archive", "Archived"), ("unarchive", "Paused")):
        answer = api.post(f"advertisers/27/advertiser_campaigns/c1/{move}.json")
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    answer = api.post("advertisers/27/advertiser_campaigns/c1/unarchive.json")
    assert answer.status_code == 200  # already so
    Campaign.objects.update(status="Suspended")
    answer = api.post("advertisers/27/advertiser_campaigns/c1/pause.json")
    assert (answer.status_code, codes(answer)) == (409, [("wrong_status", None)])
    fresh = api.post(LIST, {**NEW, "destination_phone_number": ""}).json()["id_from_network"]
    answer = api.post(f"advertisers/27/advertiser_campaigns/{fresh}/go_live.json")
    assert codes(answer) == [("required", "destination_phone_number")]


BAD = [
    ({"name": ""}, [("blank", "name")]),
    ({"campaign_type": "Sideways"}, [("unknown_campaign_type", "campaign_type")]),
    ({"timezone": "Mars/Olympus"}, [("unknown_time_zone", "timezone")]),
    ({"destination_phone_number": "call me"}, [("invalid_phone_number", "destination_phone_number")]),
    ({"url": "not a url"}, [("invalid", "url")]),
    ({"payout": -1}, [("min_value", "payout")]),
    ({"payout": "NaN"}, [("invalid", "payout")]),
    ({"currency": "XXX"}, [("unknown_currency", "currency")]),
    ({"operating_24_7": "yes"}, [("invalid", "operating_24_7")]),
    ({"hours": []}, [("invalid", "hours")]),
    ({"hours": {"monday_open": 64800, "monday_closed": 28800}}, [("closes_before_opening", "hours.monday_closed")]),
    ({"hours": {"monday_open": 1}}, [("required", "hours.monday_closed")]),
    ({"hours": {"moonday_open": 1}}, [("unknown_field", "hours.moonday_open")]),
    ({"hours": {"monday_open": "8:00", "monday_closed": True}}, [("not_whole_seconds", "hours.monday_open")]),
    ({"named_regions": {}}, [("invalid", "named_regions")]),
    ({"named_regions": [7]}, [("invalid", "named_regions.0")]),
    (
        {"named_regions": [{"name": "N", "regions": [{"region_type": "Planet", "value": "Mars"}]}]},
        [("unknown_region_type", "named_regions.0.regions.0.region_type")],
    ),
    (
        {"named_regions": [{"name": "N", "regions": [{"region_type": "State", "value": "Atlantis"}]}]},
        [("unknown_region", "named_regions.0.regions.0.value")],
    ),
    ({"named_regions": [{"name": "N", "regions": [{}] * 1001}]}, [("too_many", "named_regions")]),
    ({"distribution": "Weighted"}, [("not_a_bundle", "distribution")]),
    ({"overflow": "nobody"}, [("unknown_campaign", "overflow")]),
    ({"repeat_caller": True}, [("not_a_bundle", "repeat_caller")]),
]


@pytest.mark.parametrize(("data", "expected"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_input_of_a_new_campaign(api, data, expected):
    answer = api.post(LIST, {**NEW, **data})
    assert (answer.status_code, codes(answer)) == (422, expected)
    assert not Campaign.objects.exists() and not AuditEvent.objects.exclude(event="token.create").exists()


CAPS = "budget_activities"
CONCURRENT = f"{CAPS}.concurrent_call_cap_alert"
PERIODIC = f"{CAPS}.periodic_call_cap_alert"
BAD_CAPS = [
    ({"concurrent_call_cap_alert": {"budget_amount": -1}}, [("negative", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": {"budget_amount": 2.5}}, [("fractional", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": {"budget_amount": "five"}}, [("not_a_number", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": {"budget_amount": True}}, [("not_a_number", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": {"budget_amount": []}}, [("not_a_number", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": {"budget_amount": 100_001}}, [("too_large", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": {"budget_amount": "1E+99999"}}, [("too_large", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": {}}, [("required", f"{CONCURRENT}.budget_amount")]),
    ({"concurrent_call_cap_alert": 5}, [("invalid", CONCURRENT)]),
    ({"concurrent_call_cap_alert": {"budget_amount": 1, "colour": 1}}, [("unknown_field", f"{CONCURRENT}.colour")]),
    (
        {"concurrent_call_cap_alert": {"budget_amount": 1, "alert_thresholds": [0]}},
        [("out_of_range", f"{CONCURRENT}.alert_thresholds")],
    ),
    ({"daily_cap": {"budget_amount": 1}}, [("unknown_field", f"{CAPS}.daily_cap")]),
    (5, [("invalid", CAPS)]),
    (
        {"periodic_call_cap_alert": {"budget_amount": 1.5, "time_zone": "Mars"}},
        [
            ("fractional", f"{PERIODIC}.budget_amount"),
            ("unknown_reset_period", f"{PERIODIC}.reset_period"),
            ("required", f"{PERIODIC}.starts_at"),
            ("unknown_time_zone", f"{PERIODIC}.time_zone"),
        ],
    ),
    (
        {"periodic_call_cap_alert": {"budget_amount": 1, "reset_period": "Daily", "starts_at": "soon"}},
        [("invalid_date", f"{PERIODIC}.starts_at")],
    ),
    (
        {"periodic_call_cap_alert": {"budget_amount": 1, "reset_period": {}, "include_call_fees": "x"}},
        [("invalid", f"{PERIODIC}.reset_period"), ("invalid", f"{PERIODIC}.include_call_fees")],
    ),
]


@pytest.mark.parametrize(("given", "expected"), BAD_CAPS, ids=[str(i) for i in range(len(BAD_CAPS))])
def test_bad_caps_write_nothing_of_the_whole_request(api, campaign, given, expected):
    answer = api.patch(ONE, {"name": "New name", CAPS: given})
    assert answer.status_code == 422, answer.content
    assert set(expected) <= set(codes(answer))
    campaign.refresh_from_db()
    assert (
        campaign.name == "Roofing"
        and not Cap.objects.exists()
        and not AuditEvent.objects.exclude(event="token.create").exists()
    )


def test_every_problem_in_one_answer(api, campaign):
    answer = api.patch(ONE, {"currency": "XXX", CAPS: {"concurrent_call_cap_alert": {"budget_amount": -1}}})
    assert codes(answer) == [("unknown_currency", "currency"), ("negative", f"{CONCURRENT}.budget_amount")]


def test_a_cap_on_a_bundle_and_while_the_feature_is_off(api, advertiser, network, campaign):
    BundleFactory(advertiser=advertiser, id_from_network="b1")
    given = {CAPS: {"concurrent_call_cap_alert": {"budget_amount": 5}}}
    for path in ("advertisers/27/advertiser_campaigns/b1.json", "bundles/b1.json"):
        answer = api.patch(path, given)
        assert (answer.status_code, codes(answer)) == (422, [("cap_on_bundle", f"{CONCURRENT}.budget_amount")])
    cap(campaign, 3)
    network.concurrent_call_caps_enabled = False
    network.save()
    answer = api.patch(ONE, given)
    assert (answer.status_code, codes(answer)) == (409, [("feature_off", f"{CONCURRENT}.budget_amount")])
    assert "concurrent_call_cap_alert" not in api.get(ONE).json()[CAPS]


def test_null_clears_zero_closes_and_below_live_is_said(api, campaign):
    bundle = bundle_of(campaign)
    for _ in range(3):
        api.post("calls.json", {"bundle": bundle.id_from_network, "caller": None})
    body = api.patch(ONE, {CAPS: {"concurrent_call_cap_alert": {"budget_amount": 1}}}).json()
    assert [(warning["code"], warning["field"]) for warning in body["warnings"]] == [
        ("below_live", f"{CONCURRENT}.budget_amount")
    ]
    assert body[CAPS]["concurrent_call_cap_alert"]["total_amount"] == 3 == body["live"]
    body = api.patch(ONE, {CAPS: {"concurrent_call_cap_alert": {"budget_amount": 0}}}).json()
    assert body[CAPS]["concurrent_call_cap_alert"]["budget_amount"] == 0
    for nothing in (None, {"budget_amount": None}):
        cap(campaign, 3)
        body = api.patch(ONE, {CAPS: {"concurrent_call_cap_alert": nothing}}).json()
        assert body[CAPS]["concurrent_call_cap_alert"] is None


def test_the_type_stays_and_ids_are_unique(api, campaign, network):
    assert codes(api.patch(ONE, {"campaign_type": "Bundled"})) == [("fixed", "campaign_type")]
    assert codes(api.post(LIST, {**NEW, "id_from_network": "c1"})) == [("id_taken", "id_from_network")]
    assert codes(api.put(ONE, {"id_from_network": "c2"})) == [("id_mismatch", "id_from_network")]
    AdvertiserFactory(network=network, id_from_network="28")
    answer = api.put("advertisers/28/advertiser_campaigns/c1.json", NEW)
    assert (answer.status_code, codes(answer)) == (409, [("id_taken", "id_from_network")])
    answer = api.put("advertisers/none/advertiser_campaigns/c9.json", NEW)
    assert (answer.status_code, codes(answer)) == (404, [("unknown_advertiser", "advertiser")])


def test_never_deleted(api, campaign):
    assert api.delete(ONE).status_code == 405
    assert api.post(ONE, {}).status_code == 405


def test_etags_leave_live_counts_out_of_if_match(api, campaign):
    bundle = bundle_of(campaign)
    tag = api.get(ONE)["ETag"]
    assert api.get(ONE, If_None_Match=tag).status_code == 304
    api.post("calls.json", {"bundle": bundle.id_from_network, "caller": None})
    assert api.get(ONE, If_None_Match=tag).status_code == 200
    written = api.patch(ONE, {CAPS: {"concurrent_call_cap_alert": {"budget_amount": 4}}}, If_Match=tag)
    assert written.status_code == 200
    stale = api.patch(ONE, {CAPS: {"concurrent_call_cap_alert": {"budget_amount": 9}}}, If_Match=tag)
    assert (stale.status_code, codes(stale)) == (412, [("precondition_failed", "If-Match")])
    assert Cap.objects.get().amount == 4
    assert api.patch(ONE, {"name": "B"}, If_Match=api.get(ONE)["ETag"]).status_code == 200
    assert api.put(ONE, {"name": "B"}, If_Match='W/"x", "y"').status_code == 412


def test_filters(api, advertiser, campaign, network):
    bundle = bundle_of(campaign, name="All roofs", id_from_network="b1")
    other = AdvertiserFactory(network=network, id_from_network="28")
    CampaignFactory(advertiser=other, id_from_network="c2", name="Plumbing", status="Paused")
    cap(campaign, 1)
    api.post("calls.json", {"bundle": bundle.id_from_network, "caller": None})
    expected = {
        "": ["c2", "b1", "c1"], "type=Bundled": ["b1"], "status=Paused": ["c2"], "advertiser=28": ["c2"], "q=roof": ["b1", "c1"],
        "q=c2": ["c2"], "at_cap=true": ["c1"], "at_cap=false": ["c2", "b1"], "type=DirectOnly&q=plumb": ["c2"],
    }  # fmt: skip
    for query, ids in expected.items():
        got = [row["id_from_network"] for row in api.get(f"campaigns.json?{query}").json()["results"]]
        assert got == ids, query
    answer = api.get("campaigns.json?type=Sideways")
    assert (answer.status_code, codes(answer)) == (422, [("invalid_choice", "type")])
    assert [row["id_from_network"] for row in api.get(LIST).json()["results"]] == ["b1", "c1"]
    assert api.get("advertisers/none/advertiser_campaigns.json").status_code == 404


@pytest.mark.parametrize("rows", [1, 30])
def test_a_list_costs_the_same_whatever_its_length(api, advertiser, rows, django_assert_max_num_queries):
    for index in range(rows):
        made = CampaignFactory(advertiser=advertiser)
        cap(made, index)
    api.get("campaigns.json")
    with django_assert_max_num_queries(3):
        assert len(api.get("campaigns.json").json()["results"]) == rows
