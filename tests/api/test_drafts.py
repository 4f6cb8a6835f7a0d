"""Terms of a campaign that was live: changed in a draft first, over both generations of the API."""

from decimal import Decimal

import pytest

from campaigns.models import Campaign
from portal.audit.models import AuditEvent
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory, CampaignFactory, bundle_of, cap

pytestmark = pytest.mark.django_db

ONE = "advertisers/27/advertiser_campaigns/33.json"


def at(move):
    return ONE.replace(".json", f"/{move}.json")


@pytest.fixture
def campaign(network):
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    return CampaignFactory(advertiser=advertiser, id_from_network="33", name="Roofing", payout=Decimal(12))


@pytest.fixture
def api(as_, personas, campaign):
    return as_(personas.manager)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("version", ["2015-05-01", "2022-08-01"])
def test_network_integration_changes_future_terms_until_go_live(api, campaign, method, version):
    old = api.old(version)
    body = old.send(method, ONE, {"description": "New", "timezone": "Mountain Time (US & Canada)", "visibility": "All"})
    assert body.status_code == 200, body.content
    body = body.json()
    assert body["status"] == "LivePending"
    current, future = body["current_terms"], body["future_terms"]
    assert (current["description"], current["timezone"], current.get("visibility")) == ("", "America/New_York", None)
    assert (future["description"], future["timezone"], future["visibility"]) == (
        "New", "Mountain Time (US & Canada)", "All",
    )  # fmt: skip
    assert "draft" not in current and "has_draft" not in future
    assert old.get(ONE).json()["future_terms"] == future
    live = old.post(at("go_live"), {"timeout": 60})
    assert live.status_code == 200 and live.json()["status"] == "Live"
    assert live.json()["current_terms"] == live.json()["future_terms"] == future
    campaign.refresh_from_db()
    assert (campaign.time_zone, campaign.draft) == ("America/Denver", None)


@pytest.mark.parametrize("timeout", [1, 61, "30", 2.5, True])
def test_the_timeout_of_go_live_is_2_to_60(api, campaign, timeout):
    answer = api.old().post(at("go_live"), {"timeout": timeout})
    assert (answer.status_code, list(answer.json()["errors"])) == (403, ["timeout"])
    assert api.post(at("go_live"), {"timeout": timeout}).status_code == 422


def test_caps_stay_live_in_both_terms(api, campaign):
    api.patch(ONE, {"description": "New"})
    caps = {"budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 5}}}
    body = api.old().put(ONE, caps).json()
    for terms in ("current_terms", "future_terms"):
        assert body[terms]["budget_activities"]["concurrent_call_cap_alert"]["budget_amount"] == 5
    assert campaign.caps.get().amount == 5 and body["status"] == "LivePending"


def test_the_current_version_shows_what_is_in_force_and_the_draft_beside_it(api, campaign):
    read = api.get(ONE).json()
    assert (read["has_draft"], read["draft"]) == (False, None)
    body = api.patch(ONE, {"payout": 15, "name": "Roofs"}).json()
    assert (body["payout"], body["status"], body["has_draft"], body["name"]) == (12, "LivePending", True, "Roofs")
    assert body["draft"]["payout"] == 15 and body["draft"]["affiliate_payout"]["max"] == 15
    assert set(body["draft"]) == {"payout", "affiliate_payout"}
    # The row and what routing reads are as they were.
    campaign.refresh_from_db()
    assert (campaign.payout, campaign.profile.payout, campaign.name) == (12, 12, "Roofs")
    body = api.post(at("go_live")).json()
    assert (body["payout"], body["draft"], body["status"]) == (15, None, "Live")
    campaign.profile.refresh_from_db()
    assert campaign.profile.payout == 15
    event = AuditEvent.objects.filter(event="campaign.go_live").latest("id")
    assert event.changes["payout"] == ["12.0000", "15.0000"] and event.changes["status"] == ["LivePending", "Live"]


def test_discarding_a_draft(api, campaign):
    api.patch(ONE, {"description": "New", "custom_data": {"a": "b"}})
    body = api.post(at("discard_draft")).json()
    assert (body["status"], body["description"], body["draft"], body.get("custom_data")) == ("Live", "", None, None)
    assert api.post(at("discard_draft")).status_code == 200
    assert AuditEvent.objects.get(event="campaign.draft_discard").changes["description"] == ["New", ""]


def test_what_comes_to_the_same_as_in_force_is_no_draft(api, campaign):
    assert api.patch(ONE, {"description": "New"}).json()["status"] == "LivePending"
    assert api.patch(ONE, {"description": ""}).json()["status"] == "Live"
    read = api.get(ONE).json()
    again = api.put(ONE, read)
    assert again.status_code == 200, again.content
    assert again.json() == {**read, "warnings": []}


def test_writing_back_one_of_two_forms_of_the_same_money_or_number(api, campaign):
    api.patch(ONE, {"affiliate_payout": {"policies": [
        {"type": "Bonus", "amount": 3, "condition": "repeat"}, {"type": "Base", "amount": 12}]}})  # fmt: skip
    api.post(at("go_live"))
    read = api.get(ONE).json()
    body = api.put(ONE, {**read, "payout": 20, "destination_phone_number": "+13035550777"}).json()["draft"]
    assert body["affiliate_payout"]["policies"][0]["amount"] == 20 and len(body["affiliate_payout"]["policies"]) == 2
    assert body["ivr_tree"]["root"]["destination_phone_number"] == "+13035550777"
    api.post(at("discard_draft"))
    policies = [{"type": "Base", "amount": 7}, *read["affiliate_payout"]["policies"][1:]]
    body = api.put(ONE, {**read, "affiliate_payout": {**read["affiliate_payout"], "policies": policies}}).json()
    assert body["draft"]["payout"] == 7


def test_paused_and_archived_campaigns_keep_their_draft(api, campaign):
    api.patch(ONE, {"description": "New"})
    assert api.post(at("pause")).json()["has_draft"] is True
    assert api.patch(ONE, {"url": "https://roofs.example"}).json()["status"] == "Paused"
    assert api.post(at("archive")).json()["has_draft"] is True
    api.post(at("unarchive"))
    body = api.post(at("go_live")).json()
    assert (body["status"], body["description"], body["url"]) == ("Live", "New", "https://roofs.example")


def test_a_paused_campaign_resumes_without_its_draft(api, campaign, as_, personas):
    api.patch(ONE, {"payout": 15})
    api.post(at("pause"))
    assert as_(personas.member).post(at("resume")).status_code == 403
    assert api.old().post(at("resume")).status_code == 404
    assert api.post(at("resume"), {}, If_Match='"0"').status_code == 412
    body = api.post(at("resume"), {"reason": "Staff is back"}).json()
    assert (body["status"], body["payout"], body["has_draft"], body["draft"]["payout"]) == ("LivePending", 12, True, 15)
    assert AuditEvent.objects.get(event="campaign.resume").reason == "Staff is back"
    api.post(at("archive"))
    assert codes(api.post(at("resume"))) == [("wrong_status", None)]


def test_go_live_looks_again_and_names_the_field(api, campaign):
    api.patch(ONE, {"destination_phone_number": "", "currency": "EUR"})
    answer = api.post(at("go_live"))
    assert (answer.status_code, codes(answer)) == (422, [("required", "destination_phone_number")])
    api.patch(ONE, {"destination_phone_number": "+13035550100"})
    cap(campaign, 100, "budget", reset_period="Daily", starts_at="2026-01-01")
    assert codes(api.post(at("go_live"))) == [("currency_in_use", "currency")]
    campaign.refresh_from_db()
    assert campaign.status == "LivePending" and campaign.currency == "USD"
    campaign.caps.all().delete()
    assert api.post(at("go_live")).json()["currency"] == "EUR"


def test_if_match_holds_for_going_live_and_discarding(api, campaign):
    tag = api.patch(ONE, {"description": "New"})["ETag"]
    api.patch(ONE, {"description": "Newer"})
    for move in ("go_live", "discard_draft"):
        assert api.post(at(move), {}, If_Match=tag).status_code == 412
    assert api.post(at("go_live"), {}, If_Match=api.get(ONE)["ETag"]).json()["description"] == "Newer"


def test_a_bundles_own_terms_are_drafted_and_its_destinations_are_not(api, campaign):
    bundle = bundle_of(campaign, id_from_network="b1")
    other = CampaignFactory(advertiser=campaign.advertiser, id_from_network="44", name="Overflow")
    body = api.patch("bundles/b1.json", {"overflow": "44", "repeat_caller": True, "distribution": "MostFree"}).json()
    assert (body["overflow"], body["repeat_caller"], body["distribution"]) == (None, False, "InOrder")
    assert body["draft"]["overflow"]["id_from_network"] == "44" and body["draft"]["repeat_caller"] is True
    assert body["draft"]["ivr_tree"]["root"]["repeat_caller"] is True
    assert api.patch("bundles/b1/destinations/33.json", {"priority": 3}).status_code == 200
    assert bundle.destinations.get().priority == 3
    api.post("advertisers/27/advertiser_campaigns/b1/go_live.json")
    bundle.refresh_from_db()
    assert (bundle.overflow, bundle.repeat_caller, bundle.distribution) == (other, True, "MostFree")


def test_a_call_treatment_is_a_term(api, campaign):
    tree = {"record_calls": False, "root": {"node_type": "Menu", "prompt": "1 for sales", "children": [
        {"node_type": "Connect", "destination_phone_number": "3035550111", "destination_country_code": "1"}]}}  # fmt: skip
    body = api.patch(ONE, {"ivr_tree": tree}).json()
    assert body["draft"]["ivr_tree"] == tree and body["ivr_tree"]["root"]["node_type"] == "Connect"
    bad = {"root": {"node_type": "Menu", "children": [{"node_type": "Connect"}]}}
    answer = api.patch(ONE, {"ivr_tree": bad})
    assert answer.status_code == 422
    assert ("required", "ivr_tree.root.children[0].destination_phone_number") in codes(answer)
    api.post(at("go_live"))
    assert Campaign.objects.get(pk=campaign.pk).ivr_tree["root"]["node_type"] == "Menu"


def test_pause_date_and_its_alias(api, campaign):
    api.patch(ONE, {"pause_date": "2027-03-01"})
    body = api.post(at("go_live")).json()
    assert body["pause_date"] == body["expiration_date"] == "2027-03-01"
    assert codes(api.patch(ONE, {"pause_date": "soon"})) == [("invalid_date", "pause_date")]
    assert api.patch(ONE, {"expiration_date": "2030-01-01"}).json()["has_draft"] is False
    assert api.patch(ONE, {"pause_date": None}).json()["draft"] == {"pause_date": None, "expiration_date": None}


BAD = [
    ({"policies": "x"}, ("invalid", "affiliate_payout.policies")),
    ([], ("invalid", "affiliate_payout.policies")),
    ({"policies": [5]}, ("invalid", "affiliate_payout.policies.0")),
    ({"policies": [{"type": "Tip", "amount": 1}]}, ("unknown_policy_type", "affiliate_payout.policies.0.type")),
    ({"policies": [{"amount": 1, "currency": "EUR"}]}, ("other_currency", "affiliate_payout.policies.0.currency")),
    ({"policies": [{"amount": -1}]}, ("out_of_range", "affiliate_payout.policies.0.amount")),
    ({"policies": [{"amount": "NaN"}]}, ("out_of_range", "affiliate_payout.policies.0.amount")),
    ({"policies": [{}]}, ("not_a_number", "affiliate_payout.policies.0.amount")),
    ({"policies": [{"amount": 1}, {"amount": 2}]}, ("two_bases", "affiliate_payout.policies.1.condition")),
    (
        {"policies": [{"amount": 1}, {"type": "Bonus", "amount": 2, "condition": "during_ours"}]},
        ("bad_condition", "affiliate_payout.policies.1.condition"),
    ),
    ({"policies": [{"amount": 1, "condition": 5}]}, ("invalid", "affiliate_payout.policies.0.condition")),
    ({"policies": [{"amount": 999_999}, {"type": "Bonus", "amount": 1}]}, ("out_of_range", "affiliate_payout.policies")),
    ({"policies": [{"amount": 1, "condition": "repeat"}] * 21}, ("invalid", "affiliate_payout.policies")),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_policies_name_their_place(api, campaign, given, expected):
    answer = api.patch(ONE, {"affiliate_payout": given})
    assert (answer.status_code, codes(answer)) == (422, [expected])
    assert not Campaign.objects.filter(draft__isnull=False).exists()
    old = api.old().put(ONE, {"affiliate_payout": given})
    assert (old.status_code, list(old.json()["errors"])) == (403, [expected[1]])


def test_a_bad_condition_says_the_column(api, campaign):
    answer = api.patch(
        ONE, {"affiliate_payout": {"policies": [{"type": "Bonus", "amount": 1, "condition": "repeat and mobil"}]}}
    )
    (problem,) = answer.json()["errors"]
    assert "Policy 1, condition, line 1, column 12" in problem["detail"] and "mobile" in problem["detail"]


def test_policies_bring_their_currency_where_no_other_is_named(api, campaign, network):
    euros = {"policies": [{"type": "Base", "currency": "EUR", "amount": 5}]}
    body = api.old().put(
        "advertisers/27/advertiser_campaigns/77.json",
        {"name": "Dach", "campaign_type": "DirectOnly", "advertiser_payin": euros, "affiliate_payout": euros},
    )  # fmt: skip
    assert body.status_code == 201, body.content
    assert Campaign.objects.get(id_from_network="77").currency == "EUR"
    # One side of two in another currency than the campaign's is a mistake.
    answer = api.patch(ONE, {"affiliate_payout": euros})
    assert codes(answer) == [("other_currency", "affiliate_payout.policies.0.currency")]


@pytest.mark.parametrize("rows", [1, 25])
def test_drafts_cost_a_list_one_statement_more_at_most(api, campaign, rows, django_assert_max_num_queries):
    for index in range(rows):
        target = CampaignFactory(advertiser=campaign.advertiser)
        bundle_of(target, id_from_network=f"b{index}")
        api.patch(f"bundles/b{index}.json", {"overflow": target.id_from_network})
    api.get("bundles.json")
    for read, key in ((api, "results"), (api.old(), None)):
        address = "bundles.json" if key else "advertisers/27/advertiser_campaigns.json"
        with django_assert_max_num_queries(5):
            answer = read.get(address)
        body = answer.json()[key] if key else answer.json()
        assert len(body) >= rows


def test_the_fields_kept_in_a_draft_are_bounded_like_those_in_force(api, campaign):
    """Sent bit by bit, each bit within the bound: what the draft holds already counts."""
    answers = [api.patch(ONE, {f"kept_{number}": "x" * 30_000}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert codes(answers[-1]) == [("too_much_kept", None)]
    campaign.refresh_from_db()
    assert set(campaign.draft["extra"]) == {"kept_0", "kept_1"}
