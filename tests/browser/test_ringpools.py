"""RingPools in Chromium: from nothing to a pool that is used, its refusals, and every page at both widths and themes."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from promo_numbers import actions
from promo_numbers.actions.allocation import number_allocate
from promo_numbers.models import LimitRequest, NetworkNumbers, PromoNumber, RingPool

from tests.factories import AdvertiserFactory, CampaignFactory, stock


@pytest.fixture
def campaign(network):
    stock(40)
    return CampaignFactory(advertiser=AdvertiserFactory(network=network), name="Roofing")


@pytest.fixture
def pool(campaign):
    made = actions.ring_pool_create(
        by=None, campaign=campaign, name="Shop front", max_pool_size=5, auto_scale=True
    ).pool
    for visitor in range(6):
        number_allocate(
            pool_id=made.pk, key=made.api_key,
            params={"visitor": str(visitor), "utm_source": "search", "landing_page": "https://shop.example/roofs/spring-offer"},
        )  # fmt: skip
    actions.pools_sum_up()
    made.refresh_from_db()
    return made


def test_from_nothing_to_a_pool_in_use(page, live_server, sign_in, personas, campaign):
    sign_in(personas.member)
    page.goto(live_server.url + reverse("campaigns:detail", args=[campaign.pk]))
    page.get_by_role("navigation", name="Roofing").get_by_role("link", name="RingPools").click()
    page.get_by_role("main").get_by_role("link", name="New RingPool").first.click()
    page.get_by_label("Name").fill("Spring site")
    page.get_by_label("Numbers", exact=False).first.fill("3")
    page.get_by_role("button", name="Create RingPool").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spring site")
    expect(page.get_by_text("The RingPool “Spring site” is created. 4 numbers added.")).to_be_visible()
    pool = RingPool.objects.get(name="Spring site")
    # A visitor comes while the page is open.
    number_allocate(pool_id=pool.pk, key=pool.api_key, params={"visitor": "a", "utm_source": "newsletter"})
    expect(page.get_by_text("newsletter")).to_be_visible()
    expect(page.get_by_text("1 of 3 numbers", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add numbers").click()
    page.get_by_label("How many").locator("visible=true").fill("2")
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("2 numbers added.")).to_be_visible()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("dialog").get_by_text("All 5 numbers are released")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert not RingPool.objects.get(pk=pool.pk).archived_at
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    expect(page.get_by_text("The RingPool “Spring site” is archived.")).to_be_visible()


RAISED_BY = "Only platform staff raise it: ask your customer success manager with a limit request."


def _refused(page, figures):
    """The refusal in the page: the sentence, the dynamic ceiling alone with its figures, and who may raise it."""
    refusal = page.locator("main").get_by_role("alert")
    expect(refusal).to_contain_text(actions.SENTENCE)
    expect(refusal).to_contain_text(f"Dynamic numbers of the network: {figures} used")
    expect(refusal).to_contain_text(RAISED_BY)
    expect(refusal).not_to_contain_text("All numbers of the network")
    expect(refusal).not_to_contain_text("Promo Numbers Allowed")
    return refusal


def _asked(page, refusal, campaign):
    """From the refusal to a request that is sent."""
    refusal.get_by_role("link", name="Ask for more").click()
    expect(page).to_have_url(re.compile(rf"/numbers/requests/new/\?ceiling=network_dynamic&campaign={campaign.pk}$"))
    page.get_by_label("How many more").fill("8")
    page.get_by_label("What they are for").fill("The spring site")
    page.get_by_role("button", name="Send the request").click()
    expect(page.locator("main h1")).to_have_text("8 more numbers")
    request = LimitRequest.objects.get()
    assert (request.ceiling, request.more, request.asked_by.name) == ("network_dynamic", 8, "Member")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_new_pool_beyond_the_dynamic_limit(
    page, live_server, sign_in, personas, campaign, size, scheme, accessible, no_sideways_scroll, tmp_path
):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    NetworkNumbers.objects.update(total_limit=100, dynamic_limit=2)
    sign_in(personas.member)
    page.goto(live_server.url + reverse("numbers:pool-new", args=[campaign.pk]))
    page.get_by_label("Name").fill("Spring site")
    page.get_by_role("button", name="Create RingPool").click()
    refusal = _refused(page, "0 of 2")
    assert page.get_by_label("Name").input_value() == "Spring site"
    assert not RingPool.objects.exists() and not PromoNumber.objects.exists()
    page.screenshot(path=tmp_path / f"new-{size['width']}-{scheme}.png", full_page=True)
    accessible()
    no_sideways_scroll()
    _asked(page, refusal, campaign)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_pool_does_not_grow_beyond_the_dynamic_limit(
    page, live_server, sign_in, personas, campaign, pool, size, scheme, accessible, no_sideways_scroll, tmp_path
):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    used = NetworkNumbers.objects.get(pk=campaign.network_id).dynamic_used
    NetworkNumbers.objects.update(total_limit=100, dynamic_limit=used + 1)
    sign_in(personas.member)
    page.goto(live_server.url + reverse("numbers:pool", args=[pool.pk]))
    page.get_by_role("button", name="Add numbers").click()
    page.get_by_label("How many").locator("visible=true").fill("2")
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    refusal = _refused(page, f"{used} of {used + 1}")
    expect(refusal).to_contain_text("2 more asked for")
    assert NetworkNumbers.objects.get(pk=campaign.network_id).dynamic_used == used == PromoNumber.objects.count()
    page.screenshot(path=tmp_path / f"grow-{size['width']}-{scheme}.png", full_page=True)
    accessible()
    no_sideways_scroll()
    _asked(page, refusal, campaign)


def test_platform_staff_are_led_from_the_dynamic_refusal_to_the_limits(page, live_server, sign_in, personas, campaign):
    NetworkNumbers.objects.update(total_limit=100, dynamic_limit=2)
    sign_in(personas.staff)
    page.goto(live_server.url + reverse("numbers:pool-new", args=[campaign.pk]))
    page.get_by_label("Name").fill("Spring site")
    page.get_by_role("button", name="Create RingPool").click()
    expect(_refused(page, "0 of 2").get_by_role("link", name="Set the network's limits")).to_be_visible()


def test_the_snippet_is_copied_with_its_key(page, live_server, sign_in, personas, pool, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    sign_in(personas.observer)
    page.goto(live_server.url + reverse("numbers:pool", args=[pool.pk]))
    page.get_by_role("button", name="Copy").click()
    text = page.evaluate("navigator.clipboard.readText()")
    assert f'data-pool="{pool.pk}" data-key="{pool.api_key}"' in text and text.startswith("<script async src=")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page(
    page, live_server, sign_in, personas, pool, campaign, accessible, no_sideways_scroll, width, scheme, tmp_path
):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(personas.super)
    RingPool.objects.update(scale_refusal=actions.SENTENCE, scale_refused_at=pool.created_at)
    pages = {
        "list": reverse("numbers:all-pools"),
        "tab": reverse("numbers:pools", args=[campaign.pk]),
        "pool": reverse("numbers:pool", args=[pool.pk]),
        "new": reverse("numbers:pool-new", args=[campaign.pk]),
        "edit": reverse("numbers:pool-edit", args=[pool.pk]),
        "sizing": reverse("numbers:pool-sizing") + "?visitors=120&lifetime=1800&blocking=1",
    }
    for name, address in pages.items():
        page.goto(live_server.url + address)
        expect(page.locator("h1:visible")).to_have_count(1)
        page.screenshot(path=tmp_path / f"{name}-{width}-{scheme}.png", full_page=True)
        accessible()
        no_sideways_scroll()
    assert not errors
