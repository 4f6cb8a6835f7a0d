"""RingPools in Chromium: from nothing to a pool that is used, its refusals, and every page at both widths and themes."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from promo_numbers import actions
from promo_numbers.actions.allocation import number_allocate
from promo_numbers.models import NetworkNumbers, RingPool

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


def test_a_limit_in_the_way(page, live_server, sign_in, personas, campaign):
    NetworkNumbers.objects.update(total_limit=100, dynamic_limit=2)
    sign_in(personas.member)
    page.goto(live_server.url + reverse("numbers:pool-new", args=[campaign.pk]))
    page.get_by_label("Name").fill("Spring site")
    page.get_by_role("button", name="Create RingPool").click()
    expect(page.get_by_text(actions.SENTENCE)).to_be_visible()
    expect(page.get_by_text("Dynamic numbers of the network: 0 of 2 used").last).to_be_visible()
    assert page.get_by_label("Name").input_value() == "Spring site"
    assert not RingPool.objects.exists()


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
