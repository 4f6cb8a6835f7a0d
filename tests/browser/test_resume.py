"""A paused campaign with a draft has two ways back, and each asks first."""

import pytest
from playwright.sync_api import expect

from campaigns import actions
from campaigns.models import Campaign
from tests.factories import CampaignFactory

RESUME, GO_LIVE = "Resume on the current terms (the draft stays)", "Go live with the draft"


@pytest.fixture
def paused(network):
    campaign = CampaignFactory(advertiser__network=network, name="Bluebird Denver", payout=12)
    actions.campaign_update(by=None, campaign=campaign, payout="15")
    return actions.campaign_move_status(by=None, campaign=campaign, move="pause")


@pytest.mark.parametrize("address", ["/campaigns/{}/", "/campaigns/{}/edit/review/"])
def test_resuming_leaves_the_draft_and_going_live_takes_it(page, live_server, sign_in, personas, paused, address):
    sign_in(personas.manager)
    page.goto(live_server.url + address.format(paused.pk))
    expect(page.get_by_role("button", name=GO_LIVE)).to_be_visible()
    page.get_by_role("button", name=RESUME).press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("What is drafted stays a draft")
    expect(dialog).to_contain_text("15.00")
    dialog.get_by_role("button", name="Cancel").press("Enter")
    assert Campaign.objects.get(pk=paused.pk).status == "Paused"
    page.get_by_role("button", name=RESUME).click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").press("Enter")
    expect(page.locator("body")).to_contain_text("takes calls again")
    expect(page.locator("body")).to_contain_text("Changes are waiting")
    expect(page.get_by_role("button", name=RESUME)).to_have_count(0)
    now = Campaign.objects.get(pk=paused.pk)
    assert (now.status, now.payout) == ("LivePending", 12) and now.draft
    page.get_by_role("button", name="Go live", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Go live").click()
    expect(page.locator("body")).not_to_contain_text("Changes are waiting")
    now = Campaign.objects.get(pk=paused.pk)
    assert (now.status, now.payout, now.draft) == ("Live", 15, None)


def test_somebody_elses_change_meanwhile_is_seen_first(page, live_server, sign_in, personas, paused):
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/campaigns/{paused.pk}/")
    actions.campaign_update(by=None, campaign=paused, description="Changed meanwhile")
    page.get_by_role("button", name=RESUME).click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator("body")).to_contain_text("Somebody changed this campaign meanwhile")
    assert Campaign.objects.get(pk=paused.pk).status == "Paused"


def test_without_the_right_there_are_no_buttons(page, live_server, sign_in, personas, paused):
    sign_in(personas.member)
    page.goto(f"{live_server.url}/campaigns/{paused.pk}/")
    for name in (RESUME, GO_LIVE):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_fits_and_is_accessible(
    page, live_server, sign_in, personas, paused, accessible, no_sideways_scroll, tmp_path, width, scheme
):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(personas.manager)
    for name, address in (("summary", f"/campaigns/{paused.pk}/"), ("review", f"/campaigns/{paused.pk}/edit/review/")):
        page.goto(live_server.url + address)
        page.screenshot(path=tmp_path / f"{name}-{width}-{scheme}.png", full_page=True)
        page.get_by_role("button", name=RESUME).click()
        page.wait_for_timeout(150)
        accessible()
        no_sideways_scroll()
        page.screenshot(path=tmp_path / f"{name}-dialog-{width}-{scheme}.png")
