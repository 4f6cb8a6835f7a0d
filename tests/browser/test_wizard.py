"""The campaign wizard in Chromium: by keyboard alone to a live campaign; a live one changed, compared and taken live."""

import pytest
from playwright.sync_api import expect

from campaigns import actions
from campaigns.models import Campaign, Cap
from tests.factories import AdvertiserFactory, CampaignFactory, bundle_of, cap

STEPS = ("basics", "destination", "payout", "treatment", "review")


@pytest.fixture
def advertiser(network):
    return AdvertiserFactory(network=network, name="Bluebird Solar", id_from_network="blue")


@pytest.fixture
def campaign(advertiser):
    made = CampaignFactory(advertiser=advertiser, name="Bluebird Denver", payout=12, id_from_network="blue-den")
    cap(made, 5)
    return made


def tab_to(page, target, *, most=80):
    """Press Tab until `target` has the focus, as somebody without a mouse does."""
    for _ in range(most):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached with the Tab key")


def type_into(page, target, text):
    tab_to(page, target)
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(text)


def at_step(page, label):
    expect(page.locator(".wizard-steps [aria-current=step]")).to_contain_text(label)


def test_a_new_campaign_by_keyboard_alone(page, live_server, sign_in, personas, advertiser):
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/campaigns/new/")
    at_step(page, "Basics")
    type_into(page, page.get_by_label("Name", exact=False).first, "Aspen desk")
    type_into(page, page.get_by_label("Advertiser", exact=False).first, "Bluebird Solar")
    page.keyboard.press("Escape")
    tab_to(page, page.locator(".wizard-buttons").get_by_role("button", name="Save and continue"))
    page.keyboard.press("Enter")

    at_step(page, "Destination, hours and regions")
    type_into(page, page.get_by_label("Destination number"), "(303) 555-0142")
    # The Enter key saves the step as the first button does.
    page.keyboard.press("Enter")
    at_step(page, "Payout")
    type_into(page, page.locator("#payout input[name=payout_amount]").first, "12.50")
    tab_to(page, page.locator("#payout").get_by_role("button", name="Add policy"))
    page.keyboard.press("Enter")
    type_into(page, page.locator("#payout input[name=payout_amount]").last, "3")
    page.keyboard.press("Tab")
    page.keyboard.type("repeat and mobil")
    type_into(page, page.locator("#concurrent_calls input[name$=amount]"), "5")
    page.keyboard.press("Enter")
    expect(page.locator("#payout .field-errors")).to_contain_text("column 12")
    assert not Cap.objects.exists()
    type_into(page, page.locator("#payout input[aria-invalid=true]"), "repeat and mobile")
    # Back and forth without loss.
    tab_to(page, page.locator(".wizard-buttons").get_by_role("button", name="Back"), most=120)
    page.keyboard.press("Enter")
    at_step(page, "Destination, hours and regions")
    expect(page.get_by_label("Destination number")).to_have_value("+13035550142")
    tab_to(page, page.locator(".wizard-steps").get_by_role("button", name="Payout"))
    page.keyboard.press("Enter")
    at_step(page, "Payout")
    expect(page.locator("#payout input[name=payout_condition]").nth(1)).to_have_value("repeat and mobile")
    expect(page.locator("#concurrent_calls input[name$=amount]")).to_have_value("5")
    tab_to(page, page.locator(".wizard-buttons").get_by_role("button", name="Save and continue"), most=120)
    page.keyboard.press("Enter")
    at_step(page, "Call treatment")
    tab_to(page, page.locator(".wizard-buttons").get_by_role("button", name="Save and continue"))
    page.keyboard.press("Enter")
    at_step(page, "Review")
    expect(page.locator("main")).to_contain_text("12.50 USD per connected call; plus 3.00 USD if repeat and mobile")
    assert Campaign.objects.get(name="Aspen desk").status == "Pending"
    tab_to(page, page.get_by_role("button", name="Go live").first)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    tab_to(page, dialog.get_by_role("button", name="Go live"))
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("is live: it takes calls now.")
    made = Campaign.objects.get(name="Aspen desk")
    assert (made.status, made.payout_policies[0]["condition"]) == ("Live", "repeat and mobile")
    assert Cap.objects.get(campaign=made).amount == 5


def test_a_live_campaign_is_compared_before_it_goes_live(page, live_server, sign_in, personas, campaign):
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/")
    page.get_by_role("navigation", name="Bluebird Denver").get_by_role("link", name="Edit").click()
    at_step(page, "Basics")
    page.locator(".wizard-steps").get_by_role("button", name="Destination").click()
    page.get_by_label("Open around the clock").uncheck()
    page.get_by_label("Monday opens").fill("08:00")
    page.get_by_label("Monday closes").fill("18:00")
    page.locator(".wizard-buttons").get_by_role("button", name="Save as draft").click()
    expect(page.locator("main")).to_contain_text("The changes wait in its draft")
    expect(page.locator("main")).to_contain_text("Open around the clock.")
    page.get_by_role("link", name="Review them").click()
    row = page.get_by_role("region", name="What going live changes").first.get_by_role("row", name="Opening hours")
    expect(row).to_contain_text("around the clock")
    expect(row).to_contain_text("Monday 08:00–18:00")
    page.get_by_role("button", name="Go live").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Monday 08:00–18:00")
    campaign.refresh_from_db()
    assert campaign.status == "LivePending" and campaign.operating_24_7
    dialog.get_by_role("button", name="Go live").click()
    expect(page.locator("main")).to_contain_text("is live: it takes calls now.")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.hours) == ("Live", {"monday_open": 28800, "monday_closed": 64800})


def test_discarding_asks_first(page, live_server, sign_in, personas, campaign):
    actions.campaign_update(by=None, campaign=campaign, description="New")
    sign_in(personas.member)
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/edit/review/")
    expect(page.locator("main")).to_contain_text("campaigns.operate")
    page.get_by_role("button", name="Discard changes").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.locator("main")).to_contain_text("that were not live are dropped")
    campaign.refresh_from_db()
    assert (campaign.draft, campaign.status) == (None, "Live")


def test_caps_in_the_wizard_are_read_only_without_the_right(page, live_server, sign_in, personas, campaign):
    address = f"{live_server.url}/campaigns/{campaign.pk}/edit/payout/"
    amount = page.locator("#concurrent_calls input[name$=amount]")
    for persona in (personas.observer, personas.member):
        sign_in(persona)
        page.goto(address)
        expect(amount).to_have_value("5")
        expect(amount).not_to_be_editable()
        expect(page.locator("main")).to_contain_text("campaigns.change_budget_caps")
    actions.access_grant(by=None, obj=campaign, to=personas.observer, action="change_budget_caps")
    sign_in(personas.observer)
    page.goto(address)
    expect(page.locator("#payout input[name=payout_amount]").first).to_be_disabled()
    amount.fill("3")
    page.locator(".wizard-buttons").get_by_role("button", name="Save as draft").click()
    expect(page.locator("main")).to_contain_text("Concurrent call cap set to 3")
    assert Cap.objects.get(campaign=campaign).amount == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_step_is_accessible(
    page, live_server, sign_in, personas, campaign, accessible, no_sideways_scroll, width, scheme, tmp_path
):
    bundle = bundle_of(campaign, name="Solar quotes")
    policies = [{"type": "Base", "amount": 12}, {"type": "Bonus", "amount": 3, "condition": "repeat and not landline"}]
    actions.campaign_update(
        by=None, campaign=campaign, payout_policies=policies, payin=20, time_zone="America/Denver",
        operating_24_7=False, hours={"monday_open": 28800, "monday_closed": 64800},
    )  # fmt: skip
    actions.campaign_update(by=None, campaign=bundle, repeat_caller=True)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(personas.super)
    problems = []
    addresses = [f"/campaigns/{one.pk}/edit/{step}/" for one in (campaign, bundle) for step in STEPS]
    for address in ("/campaigns/new/", *addresses, f"/campaigns/{campaign.pk}/"):
        assert page.goto(live_server.url + address).status == 200
        page.wait_for_timeout(150)  # transitions of the theme
        if address.endswith("review/"):
            page.get_by_role("button", name="Go live").first.click()
        page.screenshot(path=tmp_path / f"{width}-{scheme}{address.replace('/', '-')}.png", full_page=True)
        for check in (accessible, no_sideways_scroll):
            try:
                check()
            except AssertionError as error:
                problems.append(f"{address}: {error}")
    assert not problems, "\n".join(problems)
