"""The two summary pages, the calls behind them and Simulate, as a person sees them live."""

import re

import pytest
from playwright.sync_api import expect

from campaigns import actions
from campaigns.models import Call
from tests.factories import AdvertiserFactory, BundleFactory, CampaignFactory, PromoNumberFactory, bundle_of, cap

CALLER = "+13035550123"


@pytest.fixture
def bundle(network):
    """Denver (cap 2) and Boise (no cap), tried in order, and no overflow."""
    advertiser = AdvertiserFactory(network=network, name="Bluebird Solar")
    denver = CampaignFactory(advertiser=advertiser, name="Bluebird Denver")
    boise = CampaignFactory(advertiser=advertiser, name="Bluebird Boise")
    cap(denver, 2)
    bundle = bundle_of(denver, boise, name="Solar quotes")
    PromoNumberFactory(campaign=bundle, number="+18055550123")
    return bundle


def _call(bundle):
    return actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=CALLER)


def test_a_destination_fills_to_its_cap_and_the_next_call_goes_elsewhere(page, live_server, sign_in, personas, bundle):
    sign_in(personas.observer)
    page.goto(f"{live_server.url}/campaigns/{bundle.pk}/")
    row = page.locator("#destinations").get_by_role("row").filter(has_text="Bluebird Denver")
    expect(row).to_contain_text("0/2 live")
    # Nothing is reloaded from here on: the page lives by its fragment.
    _call(bundle)
    expect(row).to_contain_text("1/2 live", timeout=15_000)
    _call(bundle)
    expect(row).to_contain_text("Concurrent call cap reached: 2/2 live", timeout=15_000)
    _call(bundle)
    expect(page.locator("#destinations").get_by_role("row").filter(has_text="Bluebird Boise")).to_contain_text(
        "1 live", timeout=15_000
    )


def test_the_call_page_says_why(page, live_server, sign_in, personas, bundle):
    for _ in range(2):
        _call(bundle)
    third = Call.objects.get(pk=_call(bundle).call_id)
    sign_in(personas.observer)
    page.goto(f"{live_server.url}/calls/")
    page.get_by_role("link").filter(has_text=re.compile(r"\(303\) 555-0123|\d\d:\d\d")).first.click()
    expect(page.locator("h1:visible")).to_contain_text(third.transaction_id)
    expect(page.get_by_role("row").filter(has_text="Bluebird Denver")).to_contain_text(
        "Concurrent call cap reached: 2/2 live"
    )
    expect(page.get_by_role("row").filter(has_text="Bluebird Boise")).to_contain_text("Chosen")


def test_the_destination_page_shows_its_current_cap(page, live_server, sign_in, personas, bundle):
    denver = bundle.destinations.first().destination
    sign_in(personas.observer)
    page.goto(f"{live_server.url}/campaigns/{denver.pk}/")
    stat = page.locator(".stat").filter(has_text="Concurrent call cap")
    expect(stat.locator(".stat-value")).to_have_text("2")
    expect(page.locator("main")).to_contain_text("Solar quotes")


def test_simulate_agrees_with_the_next_call(page, live_server, sign_in, personas, bundle):
    for _ in range(2):
        _call(bundle)
    sign_in(personas.observer)
    page.goto(f"{live_server.url}/simulate/?bundle={bundle.pk}&caller=%2B13035550123")
    expect(page.locator("main")).to_contain_text("Sent to “Bluebird Boise”")
    assert _call(bundle).destination_id == bundle.destinations.last().destination_id


def test_a_slot_is_released_by_hand_only_with_a_reason(page, live_server, sign_in, personas, bundle):
    _call(bundle)
    sign_in(personas.manager)
    page.goto(f"{live_server.url}/calls/live/")
    page.get_by_role("button", name=re.compile("Release")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("Agent confirmed that the line is dead")
    dialog.get_by_role("button", name=re.compile("Release")).click()
    expect(page.locator("main")).to_contain_text("No live calls", timeout=15_000)
    assert Call.objects.get().legs.get().end_detail == "Agent confirmed that the line is dead"


def test_a_bundle_without_overflow_is_warned_about(page, live_server, sign_in, personas, bundle):
    sign_in(personas.observer)
    page.goto(f"{live_server.url}/campaigns/{bundle.pk}/")
    expect(page.locator(".notice").filter(has_text="overflow").first).to_be_visible()


def test_an_empty_network_says_what_to_do_next(page, live_server, sign_in, personas):
    BundleFactory()  # another network's: must not show
    sign_in(personas.member)
    page.goto(f"{live_server.url}/campaigns/")
    expect(page.locator("main")).to_contain_text(re.compile("No campaigns", re.IGNORECASE))
    expect(page.get_by_role("link", name=re.compile("campaign|advertiser", re.IGNORECASE)).first).to_be_visible()
