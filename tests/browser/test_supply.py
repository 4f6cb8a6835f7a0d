"""The stock and the numbers to be reclaimed, in Chromium: both widths, light and dark, and every dialog by keyboard or mouse."""

import os
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect
from promo_numbers import actions
from promo_numbers.actions.reclaim import reclaim_propose, reclaim_remind
from promo_numbers.models import NumberOrder, PromoNumber, ReclaimProposal, StockNumber
from promo_numbers.suppliers import Wanted

from tests.factories import CampaignFactory, stock

# Where pictures go when somebody wants to look at them.
PICTURES = os.environ.get("HEADROOM_PICTURES")


@pytest.fixture
def filled(network, places):
    """A stock in three area codes with numbers in every state, an order without an answer, and proposals."""
    campaign = CampaignFactory(advertiser__network=network, name="A roofing campaign with a rather long name")
    stock(60, area_code="805", locality="Santa Barbara", region="CA")
    stock(3, area_code="303", locality="Denver", region="CO", network=network)
    stock(2, area_code="212", state="used", missing_since="2026-11-20T00:00Z", supplier="twilio")
    StockNumber.objects.filter(number="+18052000001").update(state="resting", rests_until="2099-01-01T00:00Z")
    for name in ("Flyer", "Billboard on the corner of State Street and Figueroa", "Bus stop"):
        actions.number_add(by=None, campaign=campaign, description=name, wanted=Wanted(area_codes=("805",)))
    PromoNumber.objects.update(created_at="2026-01-05T00:00Z")
    ordered = PromoNumber.objects.create(
        network=network, campaign=campaign, description="Radio spot", state="ordered", supplier="twilio"
    )
    NumberOrder.objects.create(
        promo_number=ordered, supplier="twilio", state="unknown", looked_up=2, look_up_at="2026-11-20T00:00Z",
        error="Twilio did not answer (ReadTimeout).",
    )  # fmt: skip
    reclaim_propose(date(2026, 11, 20))
    reclaim_remind(date(2026, 11, 26))
    ReclaimProposal.objects.filter(pk=ReclaimProposal.objects.earliest("pk").pk).update(reminded_at=None)
    return campaign


def look(page, name, width, scheme):
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}-{scheme}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_are_accessible(
    page, live_server, sign_in, personas, filled, accessible, no_sideways_scroll, width, scheme
):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(personas.staff)
    for name, address in {
        "stock": "/numbers/stock/", "stock-area": "/numbers/stock/?area=805", "stock-missing": "/numbers/stock/?missing=1",
        "stock-none": "/numbers/stock/?area=999", "reclaim": "/numbers/reclaim/", "reclaim-kept": "/numbers/reclaim/?state=kept",
    }.items():  # fmt: skip
        if name.startswith("reclaim"):
            sign_in(personas.manager)
        assert page.goto(live_server.url + address).status == 200
        expect(page.locator("h1:visible")).to_have_count(1)
        page.wait_for_timeout(150)
        accessible()
        no_sideways_scroll()
        look(page, name, width, scheme)
    assert errors == []


def test_staff_assign_and_take_out_a_free_number(page, live_server, sign_in, personas, filled, accessible):
    sign_in(personas.staff)
    page.goto(f"{live_server.url}/numbers/stock/")
    expect(page.locator("body")).to_contain_text("2 of our numbers are unknown to their supplier")
    expect(page.get_by_role("region", name="Purchases without an answer")).to_contain_text("ReadTimeout")
    page.get_by_role("link", name="303", exact=True).click()
    page.get_by_role("button", name="Assign (303) 200-0000").click()
    expect(page.get_by_role("dialog", name="Keep (303) 200-0000 for a network")).to_be_visible()
    accessible()
    page.get_by_label("Network (blank = any network may take it)").fill("")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator("body")).to_contain_text("+13032000000 is kept for any network")
    page.get_by_role("button", name="Take out (303) 200-0001").click()
    page.keyboard.press("Escape")
    assert StockNumber.objects.filter(number="+13032000001").exists(), "nothing happens before it is confirmed"
    page.get_by_role("button", name="Take out (303) 200-0001").click()
    page.get_by_role("button", name="Take it out").click()
    expect(page.locator("body")).to_contain_text("+13032000001 is out of the stock")
    assert not StockNumber.objects.filter(number="+13032000001").exists()


def test_a_member_keeps_one_and_releases_another(page, live_server, sign_in, personas, filled, accessible):
    sign_in(personas.member)
    page.goto(f"{live_server.url}/numbers/reclaim/")
    rows = {
        row.promo_number.description: row.promo_number for row in ReclaimProposal.objects.select_related("promo_number")
    }
    named = {name: f"({number.number[2:5]}) {number.number[5:8]}-{number.number[8:]}" for name, number in rows.items()}
    page.get_by_role("button", name=f"Keep {named['Flyer']}").click()
    accessible()
    page.get_by_label("Note (what it is needed for)").fill("Spring campaign")
    page.get_by_role("button", name="Keep the number").click()
    expect(page.locator("body")).to_contain_text(f"{rows['Flyer'].number} is kept")
    page.get_by_role("button", name=f"Release now: {named['Bus stop']}").click()
    page.get_by_role("button", name="Release the number").click()
    expect(page.locator("body")).to_contain_text("is released and rests")
    last = named["Billboard on the corner of State Street and Figueroa"]
    page.get_by_label(f"Choose {last}").check()
    page.locator("#chosen button").click()
    expect(page.locator("body")).to_contain_text("No number waits to be reclaimed")
    states = ReclaimProposal.objects.values_list("promo_number__description", "state")
    assert dict(states) == {
        "Flyer": "kept", "Bus stop": "reclaimed", "Billboard on the corner of State Street and Figueroa": "kept",
    }  # fmt: skip
