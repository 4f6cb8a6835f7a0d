"""“Budget and Call Caps Alerts” as a Manager, a grant-holder and an Observer see it."""

import pytest
from playwright.sync_api import expect

from campaigns import actions
from campaigns.models import Cap
from tests.factories import AdvertiserFactory, BundleFactory, CampaignFactory, bundle_of, cap


@pytest.fixture
def campaign(network):
    advertiser = AdvertiserFactory(network=network)
    campaign = CampaignFactory(advertiser=advertiser, name="Bluebird Denver")
    cap(campaign, 5)
    return campaign


def _amount(page):
    return page.locator("#concurrent_calls input[name$=amount]")


def _stored(campaign):
    return Cap.objects.filter(campaign=campaign, kind="concurrent_calls").values_list("amount", flat=True).first()


def _lower_to_three(page, live_server, campaign):
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/caps/")
    expect(_amount(page)).to_have_value("5")
    _amount(page).fill("3")
    page.get_by_role("button", name="Save caps").click()
    expect(page.locator("main")).to_contain_text("3")


def test_a_manager_changes_the_cap(page, live_server, sign_in, personas, campaign):
    sign_in(personas.manager)
    _lower_to_three(page, live_server, campaign)
    assert _stored(campaign) == 3


def test_a_grant_holder_changes_the_cap(page, live_server, sign_in, personas, campaign):
    actions.access_grant(by=None, obj=campaign, to=personas.observer, action="change_budget_caps")
    sign_in(personas.observer)
    _lower_to_three(page, live_server, campaign)
    assert _stored(campaign) == 3


def test_an_observer_reads_it_and_why(page, live_server, sign_in, personas, campaign):
    sign_in(personas.observer)
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/caps/")
    expect(_amount(page)).to_have_value("5")
    expect(_amount(page)).not_to_be_editable()
    expect(page.locator("main")).to_contain_text("campaigns.change_budget_caps")
    expect(page.locator("main")).to_contain_text("The role Manager and above has it on the whole network")
    expect(page.get_by_role("button", name="Save caps")).to_have_count(0)


@pytest.mark.parametrize(("typed", "said"), [("-1", "cannot be negative"), ("2.5", "counts whole calls")])
def test_a_wrong_amount_is_explained_at_its_field(page, live_server, sign_in, personas, campaign, typed, said):
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/caps/")
    # As a browser without our checks, or a hostile one, would send it.
    _amount(page).evaluate("(input, value) => { input.type = 'text'; input.value = value }", typed)
    page.get_by_role("button", name="Save caps").click()
    expect(page.locator("#concurrent_calls")).to_contain_text(said)
    assert _stored(campaign) == 5


def test_lowering_below_what_is_live_says_so(page, live_server, sign_in, personas, campaign):
    bundle = bundle_of(campaign)
    for _ in range(4):
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123")
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/caps/")
    _amount(page).fill("3")
    page.get_by_role("button", name="Save caps").click()
    expect(page.get_by_text("as calls end").first).to_be_visible()
    assert _stored(campaign) == 3


def test_blank_is_no_cap_and_zero_closes(page, live_server, sign_in, personas, campaign):
    sign_in(personas.manager)
    for typed, stored in (("0", 0), ("", None)):
        page.goto(f"{live_server.url}/campaigns/{campaign.pk}/caps/")
        _amount(page).fill(typed)
        page.get_by_role("button", name="Save caps").click()
        expect(page.locator("h1:visible")).to_have_count(1)
        page.wait_for_load_state("networkidle")
        assert _stored(campaign) == stored


def test_a_bundle_is_offered_no_concurrent_cap(page, live_server, sign_in, personas, network):
    bundle = BundleFactory(advertiser=AdvertiserFactory(network=network))
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/campaigns/{bundle.pk}/caps/")
    expect(_amount(page)).to_have_count(0)
    expect(page.locator("#concurrent_calls")).to_contain_text("Set the cap on each of its")
