"""The Network Integration versions: their shapes, status codes and upserts."""

import pytest

from campaigns.models import Campaign, Cap
from tests.factories import AdvertiserFactory, CampaignFactory

pytestmark = pytest.mark.django_db

ONE = "advertisers/27/advertiser_campaigns/33.json"
DATA = {
    "name": "Roofing", "campaign_type": "AffiliateEnabled", "timezone": "Pacific Time (US & Canada)",
    "description": "Roofs", "campaign_language": "en", "visibility": "All", "custom_data": {"a": "b"},
    "advertiser_payin": {"policies": [{"type": "Base", "currency": "USD", "amount": 20.0, "condition": None}]},
    "affiliate_payout": {"policies": [{"type": "Base", "currency": "USD", "amount": 12.0, "condition": None},
                                      {"type": "Bonus", "currency": "USD", "amount": 15.0, "condition": "repeat"}]},
    "ivr_tree": {"record_calls": True, "root": {"node_type": "Connect", "destination_phone_number": "3035550100",
                                                "destination_country_code": "1"}},
    "budget_activities": {
        "periodic_call_cap_alert": {"reset_period": "Daily", "starts_at": "2026-01-01", "budget_amount": 50,
                                    "time_zone": "Pacific Time (US & Canada)", "budget_currency": "USD"},
        "concurrent_call_cap_alert": {"budget_amount": 5},
    },
}  # fmt: skip


@pytest.fixture
def api(as_, personas, network):
    AdvertiserFactory(network=network, id_from_network="27")
    return as_(personas.manager, version="2015-05-01")


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_upserts_with_terms_read_back(api, method):
    answer = api.send(method, ONE, DATA)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["id_from_network"], body["name"], body["status"]) == ("33", "Roofing", "Pending")
    assert body["current_terms"] is None
    terms = body["future_terms"]
    for name in (
        "campaign_type",
        "timezone",
        "campaign_language",
        "visibility",
        "custom_data",
        "description",
    ):
        assert terms[name] == DATA[name], name
    assert {**terms["ivr_tree"]["root"], "children": []} == {**DATA["ivr_tree"]["root"], "children": []}
    assert terms["ivr_tree"]["record_calls"] is True
    # A repeat caller's call costs the Base and the Bonus.
    assert (terms["advertiser_payin"]["min"], terms["affiliate_payout"]["max"]) == (20.0, 27.0)
    for name in ("advertiser_payin", "affiliate_payout"):
        assert terms[name]["policies"] == DATA[name]["policies"]
    assert terms["destination_phone_number"] == "+13035550100"
    caps = terms["budget_activities"]
    assert caps["concurrent_call_cap_alert"]["budget_amount"] == 5
    assert caps["periodic_call_cap_alert"]["start_at"] == "2026-01-01"
    campaign = Campaign.objects.get()
    assert (campaign.time_zone, campaign.payin, campaign.payout) == ("America/Los_Angeles", 20, 12)
    assert api.send(method, ONE, {"description": "Other"}).status_code == 200
    live = api.post(ONE.replace(".json", "/go_live.json"), {"timeout": 30})
    assert live.status_code == 200 and live.json()["current_terms"]["description"] == "Other"


@pytest.mark.parametrize("version", ["2015-05-01", "2019-02-01", "2022-08-01"])
def test_the_documented_way_to_set_a_concurrent_cap(as_, personas, network, version):
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    CampaignFactory(advertiser=advertiser, id_from_network="33")
    api = as_(personas.manager, version=version)
    answer = api.put(ONE, {"budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 5}}})
    assert answer.status_code == 200
    read = api.get(ONE).json()["current_terms"]["budget_activities"]["concurrent_call_cap_alert"]
    assert (read["budget_amount"], read["total_amount"]) == (5, 0)
    bad = api.put(ONE, {"budget_activities": {"concurrent_call_cap_alert": {"budget_amount": -5}}})
    assert bad.status_code == 403
    assert list(bad.json()["errors"]) == ["budget_activities.concurrent_call_cap_alert.budget_amount"]
    assert Cap.objects.get().amount == 5


def test_lists_advertisers_and_moves(api):
    api.put(ONE, DATA)
    assert [row["id_from_network"] for row in api.get("advertisers.json").json()] == ["27"]
    assert [row["id_from_network"] for row in api.get("advertisers/27/advertiser_campaigns.json").json()] == ["33"]
    assert api.post("advertisers.json", {"name": "A", "id_from_network": "27"}).status_code == 200
    assert api.post("advertisers/28.json", {"name": "A"}).status_code == 201
    answer = api.delete("advertisers/27.json")
    assert (answer.status_code, list(answer.json()["errors"])) == (403, ["base"])
    assert api.delete("advertisers/28.json").status_code == 204
    assert api.delete("advertisers/28.json").status_code == 204
    assert api.delete(ONE).status_code == 405


def test_zone_names_of_rails_are_all_known_here():
    import zoneinfo

    from campaigns.api.zones import RAILS

    assert set(RAILS.values()) <= zoneinfo.available_timezones()
