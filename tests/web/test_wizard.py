"""The campaign wizard: a new campaign and a live one through the same steps; nothing is lost, nothing is live too early."""

from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns import actions
from campaigns.models import Campaign, Cap
from tests.factories import AdvertiserFactory, BundleFactory, CampaignFactory, bundle_of, cap
from tests.web.helpers import first_of, sign_in, text_of

pytestmark = pytest.mark.django_db

REGIONLESS = {"region_name": [""], "region_type": ["City"], "region_value": [""]}
DESTINATION = {
    "destination_phone_number": "(303) 555-0100", "time_zone": "America/Denver", "operating_24_7": "on", **REGIONLESS,
}  # fmt: skip
PAYOUT = {
    "currency": "USD", "payin_type": ["Base", "Bonus"], "payin_amount": ["20", ""], "payin_condition": ["", ""],
    "payout_type": ["Base", "Bonus", "Bonus"], "payout_amount": ["12.50", "3", ""], "payout_condition": ["", "repeat", ""],
}  # fmt: skip


def at(campaign, step="basics"):
    return reverse("campaigns:wizard", args=[campaign.pk, step])


def new_campaign(client, advertiser, **values):
    data = {"name": "Denver desk", "campaign_type": "DirectOnly", "advertiser": advertiser.name, **values}
    response = client.post(reverse("campaigns:new"), data)
    return response, Campaign.objects.filter(name=data["name"]).first()


def live(advertiser, **values):
    return CampaignFactory(advertiser=advertiser, name="Roofing desk", payout=Decimal(12), **values)


def test_a_new_campaign_through_all_steps_to_live(advertiser, personas, places):
    client = sign_in(personas.manager)
    response, campaign = new_campaign(client, advertiser, description="Roofs")
    assert response.url == at(campaign, "destination") and campaign.status == "Pending"
    data = {
        **DESTINATION, "friday_open": "22:00", "friday_closed": "06:00", "friday_overnight": "on",
        "region_name": ["Front Range", "Front Range", ""], "region_type": ["City", "Prefix", "State"],
        "region_value": ["Denver, CO", "720, 970", ""],
    }  # fmt: skip
    del data["operating_24_7"]
    assert client.post(at(campaign, "destination"), data).url == at(campaign, "payout")
    caps = {"concurrent_calls-amount": "5", "concurrent_calls-alert_thresholds": "75, 90, 100"}
    assert client.post(at(campaign, "payout"), {**PAYOUT, **caps}).url == at(campaign, "treatment")
    assert client.post(at(campaign, "treatment"), {}).url == at(campaign, "review")
    campaign.refresh_from_db()
    assert (campaign.destination_phone_number, campaign.time_zone) == ("+13035550100", "America/Denver")
    assert campaign.hours == {"friday_open": 79200, "friday_closed": 108000}
    assert [region["value"] for region in campaign.named_regions[0]["regions"]] == ["Denver, CO", "720, 970"]
    assert (campaign.payin, campaign.payout, campaign.description) == (20, Decimal("12.5"), "Roofs")
    assert campaign.payout_policies == [{"type": "Bonus", "amount": "3.0000", "condition": "repeat"}]
    assert Cap.objects.get(campaign=campaign).amount == 5
    text = text_of(client.get(at(campaign, "review")))
    for words in (
        "Friday 22:00–06:00 next day",
        "12.50 USD per connected call; plus 3.00 USD if repeat",
        "Front Range: Denver",
    ):
        assert words in text, words
    version = client.get(at(campaign, "review")).context["version"]
    client.post(
        reverse("campaigns:status", args=[campaign.pk]), {"move": "go_live", "version": version, "from": "review"}
    )
    campaign.refresh_from_db()
    assert campaign.status == "Live" and campaign.profile.by_policy and campaign.profile.payout == Decimal("15.5")


def test_every_step_shows_what_was_saved_and_leads_where_its_button_says(advertiser, personas):
    client = sign_in(personas.member)
    _, campaign = new_campaign(client, advertiser)
    for go, target in (("back", "basics"), ("payout", "payout"), ("next", "payout"), ("nonsense", "payout")):
        assert client.post(at(campaign, "destination"), {**DESTINATION, "go": go}).url == at(campaign, target)
    close = client.post(at(campaign, "destination"), {**DESTINATION, "go": "close"})
    assert close.url == reverse("campaigns:detail", args=[campaign.pk])
    form = client.get(at(campaign, "destination")).context["form"]
    assert form.initial["destination_phone_number"] == "+13035550100"
    assert client.get(at(campaign, "nowhere")).status_code == 404
    response = client.post(at(campaign, "treatment"), {"go": "open-treatment"})
    assert response.url == reverse("campaigns:treatment", args=[campaign.pk])


def test_a_live_campaign_goes_on_as_it_is_until_the_changes_go_live(advertiser, personas):
    campaign, client = live(advertiser), sign_in(personas.manager)
    assert client.post(at(campaign, "payout"), PAYOUT).status_code == 302
    client.post(at(campaign, "destination"), {**DESTINATION, "destination_phone_number": "+13035550177"})
    campaign.refresh_from_db()
    assert (campaign.status, campaign.payout, campaign.profile.payout) == ("LivePending", 12, 12)
    # The steps show what it will be.
    assert client.get(at(campaign, "destination")).context["form"].initial["destination_phone_number"] == "+13035550177"
    review = client.get(at(campaign, "review"))
    rows = {row.label: (row.current, row.future) for row in review.context["differences"]}
    assert rows == {
        "Destination number": ("+13035550100", "+13035550177"), "Time zone": ("America/New_York", "America/Denver"),
        "Payin": ("0.00 USD per connected call", "20.00 USD per connected call"),
        "Payout": ("12.00 USD per connected call", "12.50 USD per connected call; plus 3.00 USD if repeat"),
    }  # fmt: skip
    detail = client.get(reverse("campaigns:detail", args=[campaign.pk]))
    assert "Changes are waiting" in text_of(detail) and "+13035550177" in text_of(detail)
    status = reverse("campaigns:status", args=[campaign.pk])
    client.post(status, {"move": "go_live", "version": review.context["version"], "from": "review"})
    campaign.refresh_from_db()
    assert (campaign.status, campaign.payout, campaign.destination_phone_number) == (
        "Live", Decimal("12.5"), "+13035550177",
    )  # fmt: skip


def test_discarding(advertiser, personas):
    campaign, client = live(advertiser), sign_in(personas.member)
    client.post(at(campaign), {"name": "Roofing desk", "description": "New"})
    version = client.get(at(campaign, "review")).context["version"]
    discard = reverse("campaigns:discard", args=[campaign.pk])
    assert client.get(discard).status_code == 405
    actions.campaign_update(by=None, campaign=campaign, url="https://roofs.example")
    assert client.post(discard, {"version": version}).url == at(campaign, "review")
    campaign.refresh_from_db()
    assert campaign.draft == {"description": "New", "url": "https://roofs.example"}
    client.post(discard, {"version": campaign.updated_at.isoformat()})
    campaign.refresh_from_db()
    assert (campaign.draft, campaign.status, campaign.description) == (None, "Live", "")


def test_nobody_takes_live_what_he_did_not_see(advertiser, personas):
    campaign, client = live(advertiser), sign_in(personas.manager)
    client.post(at(campaign), {"name": "Roofing desk", "description": "Seen"})
    version = client.get(at(campaign, "review")).context["version"]
    actions.campaign_update(by=None, campaign=campaign, description="Unseen")
    status = reverse("campaigns:status", args=[campaign.pk])
    response = client.post(status, {"move": "go_live", "version": version, "from": "review"}, follow=True)
    assert "Somebody changed this campaign meanwhile" in text_of(response)
    campaign.refresh_from_db()
    assert campaign.status == "LivePending" and campaign.description == ""


def test_an_edit_over_somebody_elses_is_refused(bundle, personas):
    first, client = first_of(bundle), sign_in(personas.member)
    version = client.get(at(first)).context["version"]
    actions.campaign_update(by=personas.manager, campaign=first, description="Changed meanwhile")
    response = client.post(at(first), {"name": "Denver desk", "version": version})
    assert response.status_code == 422 and "Somebody changed this campaign meanwhile" in text_of(response)
    first.refresh_from_db()
    assert first.name != "Denver desk"


def test_errors_stand_at_their_fields_and_nothing_is_written(advertiser, personas, places):
    campaign, client = live(advertiser), sign_in(personas.manager)
    data = {
        **DESTINATION, "destination_phone_number": "12", "region_name": ["Here", "There"], "region_type": ["City", "State"],
        "region_value": ["Denver, CO", "Atlantis"],
    }  # fmt: skip
    form = client.post(at(campaign, "destination"), data).context["form"]
    assert "destination_phone_number" in form.errors and "Atlantis" in list(form.regions)[1]["error"]
    response = client.post(
        at(campaign, "destination"), {**DESTINATION, "monday_open": "18:00", "monday_closed": "08:00"}
    )
    assert response.status_code == 422 and "tick “next day”" in text_of(response)
    wrong = {**PAYOUT, "payout_condition": ["", "repeat and mobil", ""], "payin_amount": ["much", ""]}
    response = client.post(at(campaign, "payout"), wrong)
    form = response.context["form"]
    assert (
        "column 12" in list(form.payout)[1]["errors"]["condition"]
        and "much" in next(iter(form.payin))["errors"]["amount"]
    )
    assert (
        'aria-invalid="true"' in response.content.decode() and list(form.payout)[1]["condition"] == "repeat and mobil"
    )
    # A wrong cap takes the step's terms back with it.
    response = client.post(at(campaign, "payout"), {**PAYOUT, "concurrent_calls-amount": "-1"})
    assert response.status_code == 422 and "cannot be negative" in text_of(response)
    campaign.refresh_from_db()
    assert (campaign.draft, campaign.status) == (None, "Live") and not Cap.objects.exists()


def test_the_caps_of_the_payout_step(advertiser, personas):
    campaign = live(advertiser)
    cap(campaign, 5)
    caps = {"concurrent_calls-amount": "3", "concurrent_calls-alert_thresholds": "75, 90, 100"}
    # A Member may change the terms but not the caps: what his browser sends for them is ignored.
    client = sign_in(personas.member)
    assert "campaigns.change_budget_caps" in text_of(client.get(at(campaign, "payout")))
    client.post(at(campaign, "payout"), {**PAYOUT, **caps})
    campaign.refresh_from_db()
    assert campaign.draft and campaign.caps.get().amount == 5
    # An Observer looks; with the grant he changes the caps and nothing else.
    client = sign_in(personas.observer)
    page = client.get(at(campaign, "payout"))
    assert page.status_code == 200 and all(
        field.disabled for form in page.context["cap_forms"] for field in form.fields.values()
    )
    assert client.post(at(campaign, "payout"), {**PAYOUT, **caps}).status_code == 403
    actions.access_grant(by=None, obj=campaign, to=personas.observer, action="change_budget_caps")
    client = sign_in(personas.observer)
    assert client.post(at(campaign, "payout"), {**PAYOUT, "currency": "EUR", **caps}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.caps.get().amount == 3 and "currency" not in campaign.draft
    # Left out of the request they stay.
    sign_in(personas.manager).post(at(campaign, "payout"), PAYOUT)
    assert campaign.caps.get().amount == 3


def test_a_bundle_is_offered_no_concurrent_cap_and_its_own_fields(bundle, personas):
    client = sign_in(personas.manager)
    page = client.get(at(bundle, "payout"))
    assert [form.kind for form in page.context["cap_forms"]] == ["budget", "periodic_calls"]
    assert "Repeat caller ignores the concurrent call cap" in text_of(client.get(at(bundle, "treatment")))
    assert first_of(bundle).name in text_of(client.get(at(bundle, "destination")))
    other = CampaignFactory(advertiser=bundle.advertiser, name="Other overflow")
    data = {
        "distribution": "MostFree", "overflow": f"Other overflow [{other.id_from_network}]", "repeat_caller": "on",
        "repeat_window_days": "14",
    }  # fmt: skip
    assert client.post(at(bundle, "treatment"), data).url == at(bundle, "review")
    rows = {row.label: row.future for row in client.get(at(bundle, "review")).context["differences"]}
    assert rows == {
        "Distribution": "Most free slots first", "Overflow campaign": "Other overflow", "Repeat caller": "yes",
        "Repeat window": "14 days",
    }  # fmt: skip
    bundle.refresh_from_db()
    assert bundle.repeat_caller is False
    actions.campaign_move_status(by=None, campaign=bundle, move="go_live")
    bundle.refresh_from_db()
    assert (bundle.overflow, bundle.distribution, bundle.repeat_window_days) == (other, "MostFree", 14)


def test_copies_take_the_terms_in_force_along(bundle, personas, places):
    client = sign_in(personas.manager)
    source = live(bundle.advertiser, named_regions=[{"name": "N", "regions": [
        {"region_type": "Prefix", "value": "303", "text": "303"}]}])  # fmt: skip
    client.post(at(source, "payout"), PAYOUT)
    actions.campaign_move_status(by=None, campaign=source, move="go_live")
    for origin in (source, bundle):
        address = f"{reverse('campaigns:new')}?from={origin.pk}"
        initial = client.get(address).context["form"].initial
        client.post(address, {**initial, "name": f"Copy of {origin.pk}"})
    copy = Campaign.objects.get(name=f"Copy of {source.pk}")
    assert (copy.payout, copy.payout_policies, copy.named_regions) == (
        Decimal("12.5"), [{"type": "Bonus", "amount": "3.0000", "condition": "repeat"}], source.named_regions,
    )  # fmt: skip
    copy = Campaign.objects.get(name=f"Copy of {bundle.pk}")
    assert copy.destinations.count() == 2 and copy.overflow == bundle.overflow and copy.status == "Pending"


def test_creating_and_editing_need_the_right(bundle, personas):
    client = sign_in(personas.observer)
    for address in (
        reverse("campaigns:new"), reverse("campaigns:destination-add", args=[bundle.pk]),
        reverse("campaigns:advertiser-new"), reverse("campaigns:advertiser-edit", args=[bundle.advertiser_id]),
    ):  # fmt: skip
        for response in (client.get(address), client.post(address, {})):
            assert response.status_code == 403, address
    for step in ("basics", "destination", "payout", "treatment", "review"):
        look = client.get(at(bundle, step))
        assert look.status_code == 200 and "Save and continue" not in text_of(look)
        if step != "review":
            assert client.post(at(bundle, step), {"name": "x"}).status_code == 403
        assert sign_in(personas.limited).get(at(bundle, step)).status_code == 404
        assert sign_in(personas.outsider).get(at(bundle, step)).status_code == 404
    assert client.post(reverse("campaigns:discard", args=[bundle.pk])).status_code == 403


def test_review_says_what_stands_in_the_way_and_who_may_go_live(advertiser, personas):
    client = sign_in(personas.member)
    _, campaign = new_campaign(client, advertiser)
    text = text_of(client.get(at(campaign, "review")))
    assert "Give the destination phone number before it goes live." in text and "campaigns.operate" in text
    bundle = BundleFactory(advertiser=advertiser, status="Pending")
    text = text_of(sign_in(personas.manager).get(at(bundle, "review")))
    assert "The bundle has no destinations" in text and "There is no overflow campaign" in text


def test_a_review_costs_the_same_whatever_stands_in_the_bundle(advertiser, personas, django_assert_max_num_queries):
    client = sign_in(personas.super)
    for count in (1, 20):
        bundle = bundle_of(*[CampaignFactory(advertiser=advertiser) for _ in range(count)])
        actions.campaign_update(by=None, campaign=bundle, overflow=CampaignFactory(advertiser=advertiser))
        client.get(at(bundle, "review"))
        with django_assert_max_num_queries(24):
            client.get(at(bundle, "review"))


def test_somebody_elses_advertiser_is_not_offered(advertiser, personas):
    other = AdvertiserFactory(name="Hidden")
    response, campaign = new_campaign(sign_in(personas.member), other)
    assert (
        response.status_code == 422
        and campaign is None
        and "is not an advertiser that you can see" in text_of(response)
    )


def test_the_admin_changes_what_was_changed_there_and_leaves_the_rest_of_the_draft(advertiser, personas):
    campaign = live(advertiser)
    actions.campaign_update(by=None, campaign=campaign, payout=15)
    data = {
        "name": campaign.name, "description": "From the admin", "time_zone": campaign.time_zone, "operating_24_7": "on",
        "hours": "{}", "named_regions": "[]", "destination_phone_number": campaign.destination_phone_number, "currency": "USD",
        "payin": "0.0000", "payout": "12.0000", "caps-TOTAL_FORMS": "0", "caps-INITIAL_FORMS": "0",
    }  # fmt: skip
    response = sign_in(personas.super).post(reverse("admin:campaigns_campaign_change", args=[campaign.pk]), data)
    assert response.status_code == 302
    campaign.refresh_from_db()
    assert campaign.draft == {"payout": "15.0000", "description": "From the admin"}
