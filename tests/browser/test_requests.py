"""A limit request from the form to the decision, and the bell that tells of it; by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import expect
from promo_numbers.actions.requests import limit_request_create
from promo_numbers.models import CampaignNumbers, LimitRequest, NetworkNumbers

from portal.notices.models import Notice
from portal.runtime.demo.agreements import agreements_load
from tests.factories import AdvertiserFactory, CampaignFactory, MembershipFactory, PromoNumberFactory, stock


@pytest.fixture
def roofing(network, personas):
    """A campaign that is full, in a network with limits, months of use and a contract."""
    advertiser = AdvertiserFactory(network=network)
    CampaignFactory.create_batch(8, advertiser=advertiser)
    for area_code in ("805", "303"):
        stock(100, area_code=area_code)
    for name in ("mina", "marco"):
        MembershipFactory(network=network, user__email=f"{name}@bluemesa.example", user__name=name.title(), role=20)
    agreements_load(network, personas.staff.email)
    campaign = CampaignFactory(advertiser=advertiser, name="Roofing")
    PromoNumberFactory.create_batch(10, campaign=campaign)
    return campaign


def _looks(page, accessible, no_sideways_scroll):
    accessible()
    no_sideways_scroll()


def test_from_the_full_campaign_to_the_decision(page, live_server, sign_in, personas, roofing):
    sign_in(personas.member)
    page.goto(f"{live_server.url}/numbers/requests/new/?ceiling=campaign&campaign={roofing.pk}")
    expect(page.locator(".stats")).to_contain_text("10 of 10 used")
    page.get_by_label("How many more").fill("5")
    page.get_by_label("What they are for").fill("Flyers in spring")
    page.get_by_role("button", name="Send the request").click()
    expect(page.locator("main h1")).to_have_text("5 more numbers")
    expect(page.get_by_text("Waiting for a decision")).to_be_visible()
    request = LimitRequest.objects.get(ceiling="campaign")

    sign_in(personas.super)
    page.goto(live_server.url)
    page.get_by_label(re.compile("Notices, 1 unread")).click()
    page.locator(".bell-notice button").first.click()
    expect(page).to_have_url(f"{live_server.url}/numbers/requests/{request.pk}/")
    page.get_by_role("button", name="Change 5 more numbers").click()
    page.get_by_label("How many more").fill("3")
    page.get_by_label("Note to Member").locator("visible=true").fill("Three are enough")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("3 more granted; Member is told.")
    assert CampaignNumbers.objects.get(pk=roofing.pk).allowed == 13

    sign_in(personas.member)
    page.goto(live_server.url)
    page.get_by_label(re.compile("Notices, 1 unread")).click()
    page.get_by_text("Approved with another figure: 3 more numbers").click()
    expect(page.get_by_text("Three are enough")).to_be_visible()
    expect(page.get_by_role("banner").get_by_label("Notices", exact=True)).to_be_visible()


def test_the_csm_decides_where_the_sum_stands(page, live_server, sign_in, personas, network, roofing, accessible):
    limit = NetworkNumbers.objects.get(pk=network.pk).dynamic_limit
    sign_in(personas.staff)
    page.goto(f"{live_server.url}/numbers/csm/{network.pk}/")
    expect(page.locator("canvas")).to_be_visible()
    page.get_by_text(re.compile("Recommended: .* The sum")).click()
    expect(page.locator(".waiting")).to_contain_text("60.00 erlangs")
    accessible()
    page.get_by_role("button", name="Decline 30 more numbers").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Decline", exact=True).click()
    expect(dialog).to_be_visible()  # the note is required
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Approve 30 more numbers").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("30 more granted")
    expect(page).to_have_url(f"{live_server.url}/numbers/csm/{network.pk}/")
    assert NetworkNumbers.objects.get(pk=network.pk).dynamic_limit == limit + 30


def test_the_bell_by_keyboard(page, live_server, sign_in, personas, network):
    for number in range(3):
        Notice.objects.create(user=personas.member, kind="x.y", title=f"Notice {number}", link="/campaigns/")
    sign_in(personas.member)
    page.goto(live_server.url)
    bell = page.get_by_label("Notices, 3 unread")
    bell.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".bell-notice")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator(".bell-notice").first).to_be_hidden()
    expect(bell).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/campaigns/")
    page.get_by_label("Notices, 2 unread").click()
    page.get_by_role("button", name="Mark all read").click()
    expect(page.get_by_role("banner").get_by_label("Notices", exact=True)).to_be_visible()
    assert not Notice.objects.filter(read_at=None).exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_each_persona_are_accessible(
    page, live_server, sign_in, personas, network, roofing, size, scheme, accessible, no_sideways_scroll
):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    waiting, decided = LimitRequest.objects.order_by("-id")
    limit_request_create(
        by=personas.member, network=network, ceiling="campaign", campaign=roofing, more=500,
        reason="A rather long reason that says why five hundred more numbers are needed at once. " * 4,
    )  # fmt: skip
    Notice.objects.create(
        user=personas.staff, kind="x.y", title="A notice of a kind", body="With a body", network=network
    )
    addresses = [
        "/numbers/requests/", "/numbers/requests/?scope=all", f"/numbers/requests/{waiting.pk}/",
        f"/numbers/requests/{decided.pk}/", f"/numbers/requests/new/?ceiling=network_dynamic&campaign={roofing.pk}",
        "/numbers/csm/", f"/numbers/csm/{network.pk}/", f"/numbers/csm/{network.pk}/contract/", "/notices/",
        "/notices/settings/",
    ]  # fmt: skip
    sign_in(personas.staff)
    page.goto(f"{live_server.url}/")
    page.locator(".bell > summary").click()
    expect(page.locator(".bell-notice").first).to_be_visible()
    _looks(page, accessible, no_sideways_scroll)
    problems = []
    for address in addresses:
        assert page.goto(live_server.url + address).status == 200, address
        page.wait_for_timeout(150)  # transitions of the theme
        for details in page.locator("main details").all():
            details.evaluate("element => { element.open = true }")
        try:
            _looks(page, accessible, no_sideways_scroll)
        except AssertionError as error:
            problems.append(f"{address}: {error}")
    assert not problems, "\n".join(problems)
