"""Drafts in the actions: what is a term, who may, races of editors and going live, pause dates."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns import actions
from campaigns.drafts import TERMS, draft_write, future_of, futures_of
from campaigns.models import Campaign, RoutingProfile
from campaigns.queries.terms import terms_difference
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import BundleFactory, CampaignFactory, bundle_of, cap

from .race import Tally, together

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(campaign):
    return Campaign.objects.select_related("network", "overflow").get(pk=campaign.pk)


def test_every_editable_column_is_a_term_or_stands_outside_on_purpose():
    outside = {
        "id", "network", "advertiser", "id_from_network", "name", "campaign_type", "status", "draft", "created_at", "updated_at",
    }  # fmt: skip
    assert {field.name for field in Campaign._meta.concrete_fields} == {*TERMS, *outside}


def test_a_campaign_that_was_never_live_is_changed_at_once():
    campaign = CampaignFactory(status="Pending")
    actions.campaign_update(by=None, campaign=campaign, payout="5", description="Now")
    campaign = fresh(campaign)
    assert (campaign.draft, campaign.payout, campaign.description) == (None, 5, "Now")
    assert terms_difference(campaign) == []
    with pytest.raises(AssertionError):
        draft_write(campaign, {"description": "x"})


@pytest.mark.parametrize("status", ["Live", "Paused", "Suspended", "Archived"])
def test_of_any_other_terms_wait_and_routing_goes_on(status):
    campaign = CampaignFactory(status=status, payout=Decimal(12))
    values = {
        "payout": "15", "time_zone": "America/Denver", "operating_24_7": False, "hours": {"monday_open": 0, "monday_closed": 60},
        "destination_phone_number": "+13035550199", "extra": {"visibility": "All"},
    }  # fmt: skip
    profile = RoutingProfile.objects.filter(pk=campaign.pk)
    names = [field.attname for field in RoutingProfile._meta.concrete_fields if field.name != "status"]
    before = profile.values(*names).get()
    changed = actions.campaign_update(by=None, campaign=campaign, name="New name", **values)
    assert profile.values(*names).get() == before
    now = fresh(campaign)
    assert now.status == ("LivePending" if status == "Live" else status) and now.name == changed.name == "New name"
    assert (now.payout, now.time_zone, now.extra) == (12, "America/New_York", {})
    assert set(now.draft) == set(values)
    future = future_of(now)
    assert (future.payout, future.extra, future.hours) == (15, {"visibility": "All"}, values["hours"])
    assert now.extra == {} and now.payout == 12  # the copy is its own
    assert {row.label for row in terms_difference(now)} == {
        "Payout", "Time zone", "Opening hours", "Destination number", "Visibility",
    }  # fmt: skip


def test_the_database_holds_status_and_draft_together():
    campaign = CampaignFactory()
    for values in ({"draft": {"url": ""}}, {"status": "LivePending"}, {"status": "Pending", "draft": {"url": ""}}):
        with pytest.raises(IntegrityError, match="campaign_draft_says_its_status"), transaction.atomic():
            Campaign.objects.filter(pk=campaign.pk).update(**values)
    Campaign.objects.filter(pk=campaign.pk).update(status="Paused", draft={"url": ""})


def test_the_most_that_policies_cost_stays_reserved_whoever_saves_the_campaign():
    campaign = CampaignFactory(status="Pending")
    rows = [{"type": "Base", "amount": 10}, {"type": "Bonus", "amount": 5, "condition": "repeat"}]
    campaign = actions.campaign_update(by=None, campaign=campaign, payout_policies=rows)
    campaign.save()
    actions.campaign_move_status(by=None, campaign=campaign, move="go_live")
    profile = RoutingProfile.objects.get(pk=campaign.pk)
    assert (profile.payout, profile.by_policy) == (15, True)
    # Back to one amount: then that is the price.
    actions.campaign_update(by=None, campaign=campaign, payout_policies=[{"type": "Base", "amount": 7}])
    actions.campaign_move_status(by=None, campaign=campaign, move="go_live")
    profile.refresh_from_db()
    assert (profile.payout, profile.by_policy, fresh(campaign).payout) == (7, False, 7)


def test_writing_the_amount_keeps_the_other_policies():
    campaign = CampaignFactory(status="Pending")
    rows = [{"type": "Bonus", "amount": 5, "condition": "repeat"}, {"type": "Base", "amount": 10}]
    actions.campaign_update(by=None, campaign=campaign, payin_policies=rows)
    actions.campaign_update(by=None, campaign=campaign, payin=20)
    campaign = fresh(campaign)
    assert campaign.payin == 20 and [row["amount"] for row in campaign.payin_policies] == ["5.0000"]
    with pytest.raises(Invalid) as refused:
        actions.campaign_update(by=None, campaign=campaign, payin=1, payin_policies=rows)
    assert refused.value.code == "two_amounts"


def test_rights_on_drafts(personas, network):
    campaign = CampaignFactory(advertiser__network=network)
    actions.campaign_update(by=personas.member, campaign=campaign, description="New")
    for user, error in ((personas.observer, NotAllowed), (personas.limited, NotFound), (personas.outsider, NotFound)):
        with pytest.raises(error):
            actions.draft_discard(by=user, campaign=campaign)
        with pytest.raises(error):
            actions.campaign_move_status(by=user, campaign=campaign, move="go_live")
    # Whoever may change may not take it live, and who may take it live need not be who changed it.
    with pytest.raises(NotAllowed):
        actions.campaign_move_status(by=personas.member, campaign=campaign, move="go_live")
    actions.access_grant(by=None, obj=campaign, to=personas.observer, action="operate")
    actions.campaign_move_status(by=personas.observer, campaign=campaign, move="go_live")
    assert fresh(campaign).description == "New"


def test_two_editors_with_the_same_page_open_one_is_told():
    campaign = CampaignFactory()
    version, tally = campaign.updated_at.isoformat(), Tally()

    def edit(number):
        try:
            actions.campaign_update(by=None, campaign=campaign, version=version, description=f"Editor {number}")
            tally.add("written")
        except Conflict as error:
            tally.add(error.code)

    together(edit, 8)
    assert tally.counts == {"written": 1, "changed": 7}
    assert AuditEvent.objects.filter(event="campaign.draft").count() == 1


def test_editors_without_a_version_lose_nothing_of_each_other():
    campaign = CampaignFactory()
    values = [
        {"description": "A"}, {"url": "https://a.example"}, {"payout": 5}, {"payin": 9}, {"time_zone": "America/Denver"},
        {"pause_date": "2030-01-01"}, {"extra": {"a": 1}}, {"extra": {"b": 2}},
    ]  # fmt: skip
    together(lambda number: actions.campaign_update(by=None, campaign=campaign, **values[number]), len(values))
    draft = fresh(campaign).draft
    assert draft["extra"] == {"a": 1, "b": 2}
    assert {"description", "url", "payout", "payin", "time_zone", "pause_date", "extra"} == set(draft)


def test_going_live_while_others_edit_loses_no_change_and_takes_none_twice():
    campaign, tally = CampaignFactory(), Tally()

    def work(number):
        if number % 2:
            actions.campaign_update(by=None, campaign=campaign, extra={f"n{number}": number})
            tally.add("edited")
        else:
            actions.campaign_move_status(by=None, campaign=campaign, move="go_live")

    together(work, 12)
    now = fresh(campaign)
    in_force, waiting = now.extra, (now.draft or {}).get("extra", {})
    assert tally.counts["edited"] == 6 and len(in_force) + len(waiting) == 6 and not set(in_force) & set(waiting)
    assert now.status == ("LivePending" if waiting else "Live")
    # What the audit says went live is what is in force.
    actions.campaign_move_status(by=None, campaign=campaign, move="go_live")
    assert len(fresh(campaign).extra) == 6


def test_only_what_was_seen_goes_live():
    campaign, tally = CampaignFactory(), Tally()
    version = actions.campaign_update(by=None, campaign=campaign, description="Seen").updated_at.isoformat()

    def work(number):
        try:
            if number:
                actions.campaign_update(by=None, campaign=campaign, description="Unseen")
            else:
                actions.campaign_move_status(by=None, campaign=campaign, move="go_live", version=version)
                tally.add("live")
        except Conflict as error:
            tally.add(error.code)

    together(work, 2)
    assert fresh(campaign).description == ("Seen" if "live" in tally.counts else "")


def test_futures_of_many_bundles_find_their_overflows_at_once(django_assert_num_queries):
    target = CampaignFactory()
    bundles = [BundleFactory(advertiser=target.advertiser) for _ in range(5)]
    for bundle in bundles:
        actions.campaign_update(by=None, campaign=bundle, overflow=target)
    assert AuditEvent.objects.filter(event="campaign.draft").latest("id").changes["overflow"] == [None, target.name]
    rows = list(Campaign.objects.filter(pk__in=[bundle.pk for bundle in bundles]).select_related("overflow"))
    with django_assert_num_queries(1):
        assert {future.overflow for future in futures_of(rows)} == {target}
    assert {row.overflow for row in rows} == {None}


def test_a_pause_date_pauses_in_the_campaigns_own_zone_and_stands_in_the_way_of_going_live():
    today = timezone.now().date()
    due = CampaignFactory(status="Pending", pause_date=today - timedelta(days=2))
    with pytest.raises(Invalid) as refused:
        actions.campaign_move_status(by=None, campaign=due, move="go_live")
    assert refused.value.code == "in_the_past"
    due = CampaignFactory(pause_date=today - timedelta(days=2))
    later = CampaignFactory(pause_date=today + timedelta(days=2))
    drafted = CampaignFactory()
    actions.campaign_update(by=None, campaign=drafted, pause_date=date(2020, 1, 1))
    assert actions.campaigns_pause_due() == 1 and actions.campaigns_pause_due() == 0
    assert [fresh(campaign).status for campaign in (due, later, drafted)] == ["Paused", "Live", "LivePending"]
    assert AuditEvent.objects.get(event="campaign.pause").reason.startswith("Its pause date")


def test_calls_meet_the_terms_in_force_until_it_goes_live():
    first, second = CampaignFactory(), CampaignFactory()
    second = CampaignFactory(advertiser=first.advertiser)
    bundle = bundle_of(first, second)
    actions.campaign_update(by=None, campaign=first, operating_24_7=False, hours={})
    actions.campaign_update(by=None, campaign=bundle, overflow=second, repeat_caller=True)

    def route():
        return actions.call_route(
            by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123"
        ).destination_id

    assert route() == first.pk
    actions.campaign_move_status(by=None, campaign=first, move="go_live")
    assert route() == second.pk


def test_a_budget_in_another_currency_stands_in_the_way():
    campaign = CampaignFactory()
    actions.campaign_update(by=None, campaign=campaign, currency="EUR")
    cap(campaign, 5, "budget", reset_period="Daily", starts_at="2026-01-01")
    with pytest.raises(Invalid, match="another currency"):
        actions.campaign_move_status(by=None, campaign=campaign, move="go_live")


def paused_with_a_draft(**values):
    campaign = CampaignFactory(payout=Decimal(12), **values)
    actions.campaign_update(by=None, campaign=campaign, payout="15")
    return actions.campaign_move_status(by=None, campaign=campaign, move="pause")


def test_a_paused_campaign_resumes_on_its_terms_and_the_draft_stays():
    campaign = paused_with_a_draft()
    assert actions.call_route(by=None, network=campaign.network, campaign=campaign.pk, caller=None).refusal
    actions.campaign_move_status(by=None, campaign=campaign, move="resume", reason="Storm is over")
    now = fresh(campaign)
    assert (now.status, now.payout, now.draft) == ("LivePending", 12, {"payout": "15.0000"})
    profile = RoutingProfile.objects.get(pk=campaign.pk)
    assert profile.routable and profile.payout == 12
    assert actions.call_route(by=None, network=campaign.network, campaign=campaign.pk, caller=None).outcome == "direct"
    event = AuditEvent.objects.get(event="campaign.resume")
    assert event.changes == {"status": ["Paused", "LivePending"]} and event.reason == "Storm is over"
    # Once more changes nothing, and the draft can still go live.
    actions.campaign_move_status(by=None, campaign=campaign, move="resume")
    assert AuditEvent.objects.filter(event="campaign.resume").count() == 1
    actions.campaign_move_status(by=None, campaign=campaign, move="go_live")
    assert (fresh(campaign).status, fresh(campaign).payout) == ("Live", 15)


def test_without_a_draft_resuming_is_going_live():
    campaign = actions.campaign_move_status(by=None, campaign=CampaignFactory(), move="pause")
    assert actions.campaign_move_status(by=None, campaign=campaign, move="resume").status == "Live"


@pytest.mark.parametrize("status", ["Pending", "Archived", "Suspended"])
def test_only_a_paused_campaign_resumes(status):
    campaign = CampaignFactory(status=status)
    with pytest.raises(Conflict) as refused:
        actions.campaign_move_status(by=None, campaign=campaign, move="resume")
    assert refused.value.code == "wrong_status" and fresh(campaign).status == status


def test_what_stands_in_the_way_of_resuming_are_the_terms_in_force_and_not_the_draft():
    today = timezone.now().date()
    campaign = paused_with_a_draft(pause_date=today - timedelta(days=2))
    actions.campaign_update(by=None, campaign=campaign, pause_date=None)
    with pytest.raises(Invalid) as refused:
        actions.campaign_move_status(by=None, campaign=campaign, move="resume")
    assert refused.value.code == "in_the_past" and fresh(campaign).status == "Paused"
    bad = paused_with_a_draft()
    actions.campaign_update(by=None, campaign=bad, destination_phone_number="")
    with pytest.raises(Invalid):
        actions.campaign_move_status(by=None, campaign=bad, move="go_live")
    assert actions.campaign_move_status(by=None, campaign=bad, move="resume").status == "LivePending"


def test_resuming_needs_operate_and_what_was_seen(personas, network):
    campaign = paused_with_a_draft(advertiser__network=network)
    for user, error in ((personas.member, NotAllowed), (personas.observer, NotAllowed), (personas.outsider, NotFound)):
        with pytest.raises(error):
            actions.campaign_move_status(by=user, campaign=campaign, move="resume")
    with pytest.raises(Conflict) as refused:
        actions.campaign_move_status(by=None, campaign=campaign, move="resume", version="2020-01-01T00:00:00+00:00")
    assert refused.value.code == "changed" and fresh(campaign).status == "Paused"
    actions.access_grant(by=None, obj=campaign, to=personas.observer, action="operate")
    assert actions.campaign_move_status(by=personas.observer, campaign=campaign, move="resume").is_live
