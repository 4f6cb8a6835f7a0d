"""Promo numbers as people click through them: the three refusals, the pencil, an import that runs, rows that are chosen."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from promo_numbers import actions
from promo_numbers.actions import imports
from promo_numbers.models import CampaignNumbers, Contract, NetworkNumbers, NumberImport, PromoNumber

from portal import memory
from tests.factories import AdvertiserFactory, CampaignFactory, RingPoolFactory, stock

SENTENCE = "You've reached your promo number limit. To add a number you must increase your promo number limit."


@pytest.fixture
def campaign(network, monkeypatch):
    memory.forget_everything()
    monkeypatch.setattr(imports, "_wake", lambda job_id: None)
    campaign = CampaignFactory(
        advertiser=AdvertiserFactory(network=network), name="Bluebird Denver", id_from_network="den"
    )
    stock(100)
    return campaign


def _tab(page, live_server, campaign):
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/")
    page.get_by_role("link", name="Direct Promo Numbers").first.click()
    expect(page.get_by_role("heading", level=1, name="Direct Promo Numbers")).to_be_visible()


def _try_to_add(page):
    page.get_by_role("link", name="Add promo number").first.click()
    page.get_by_label("Description").fill("Airport billboard")
    page.get_by_role("button", name="Add promo number").click()


def test_adding_from_the_tab_shows_the_number_in_national_form(page, live_server, sign_in, personas, campaign):
    sign_in(personas.member)
    _tab(page, live_server, campaign)
    expect(page.get_by_text("No direct promo numbers yet")).to_be_visible()
    page.get_by_role("link", name="Add promo number").first.click()
    page.get_by_label("Description").fill("Airport billboard")
    page.get_by_label("Media type").select_option("Offline: Billboard")
    page.get_by_label("Area code").fill("805")
    page.get_by_label("Custom data").fill("store = 12")
    page.get_by_role("button", name="Add promo number").click()
    row = page.locator("tbody tr", has_text="Airport billboard")
    expect(row).to_contain_text("(805) 200-0000")
    expect(row).to_contain_text("store = 12")
    expect(page.locator("#allowed")).to_contain_text("Promo Numbers Allowed: 10")
    expect(page.locator("#allowed")).to_contain_text("1 of 10 used")


def test_promo_numbers_allowed_stands_at_the_bottom_left(page, live_server, sign_in, personas, campaign):
    for number in range(4):
        actions.number_add(by=None, campaign=campaign, description=f"Flyer {number}")
    sign_in(personas.observer)
    _tab(page, live_server, campaign)
    allowed, table = page.locator("#allowed").bounding_box(), page.locator("table").bounding_box()
    assert allowed["y"] > table["y"] + table["height"]
    assert abs(allowed["x"] - table["x"]) < 4
    expect(page.get_by_role("link", name="Change Promo Numbers Allowed")).to_have_count(0)
    expect(page.locator("#allowed")).to_contain_text("A Super User of the network raises it")


def test_the_campaign_limit_leads_a_super_to_the_pencil_and_he_raises_it(
    page, live_server, sign_in, personas, network, campaign
):
    CampaignNumbers.objects.filter(pk=campaign.pk).update(allowed=0)
    Contract.objects.create(
        network=network, starts_on="2026-01-01", ends_on="2099-12-31", numbers=30, overage_price="0.85"
    )
    sign_in(personas.super)
    _tab(page, live_server, campaign)
    _try_to_add(page)
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text(SENTENCE)
    expect(refusal).to_contain_text("Promo Numbers Allowed on the campaign: 0 of 0 used")
    refusal.get_by_role("link", name="Raise the limit").click()
    page.get_by_label("Promo Numbers Allowed").fill("500")
    page.get_by_label("Why").fill("Spring season")
    page.get_by_role("button", name="Save").click()
    warning = page.get_by_role("alert")
    expect(warning).to_contain_text("This is a large raise")
    expect(warning).to_contain_text("That is 500 more")
    assert CampaignNumbers.objects.get(pk=campaign.pk).allowed == 0
    page.get_by_role("button", name="Raise it all the same").click()
    expect(page.locator("#allowed")).to_contain_text("Promo Numbers Allowed: 500")
    page.get_by_role("link", name="Change Promo Numbers Allowed").click()
    expect(page.locator("main")).to_contain_text("allowed 0 → 500")
    _tab(page, live_server, campaign)
    _try_to_add(page)
    expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"allowed": 0}, "Promo Numbers Allowed on the campaign: 0 of 0 used"),
        ({"total": 0}, "All numbers of the network: 0 of 0 used"),
    ],
)
def test_who_cannot_raise_it_is_led_to_a_request(page, live_server, sign_in, personas, network, campaign, limits, said):
    CampaignNumbers.objects.filter(pk=campaign.pk).update(allowed=limits.get("allowed", 10))
    NetworkNumbers.objects.filter(pk=network.pk).update(total_limit=limits.get("total"))
    sign_in(personas.member)
    _tab(page, live_server, campaign)
    _try_to_add(page)
    expect(page.get_by_role("alert")).to_contain_text(SENTENCE)
    expect(page.get_by_role("alert")).to_contain_text(said)
    page.get_by_role("link", name="Ask for more").click()
    expect(page).to_have_url(re.compile(r"/numbers/requests/new/\?ceiling=(campaign|network_total)"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not PromoNumber.objects.exists()


def test_editing_moving_and_releasing(page, live_server, sign_in, personas, network, campaign):
    other = CampaignFactory(advertiser=campaign.advertiser, name="Bluebird Boulder", id_from_network="bou")
    number = actions.number_add(by=None, campaign=campaign, description="Flyer")
    sign_in(personas.member)
    _tab(page, live_server, campaign)
    page.get_by_role("link", name="Edit (805) 200-0000").click()
    page.get_by_label("Description").fill("Poster")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tbody tr")).to_contain_text("Poster")
    page.get_by_role("link", name="Move (805) 200-0000").click()
    page.get_by_label("Campaign").fill("Bluebird Boulder [bou]")
    page.get_by_role("button", name="Move 1 number").click()
    expect(page.get_by_role("status").first).to_contain_text("is moved to “Bluebird Boulder”")
    number.refresh_from_db()
    assert number.campaign == other
    _tab(page, live_server, other)
    page.get_by_role("button", name="Release (805) 200-0000").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Release (805) 200-0000?")
    dialog.get_by_role("button", name="Cancel").click()
    number.refresh_from_db()
    assert number.state == "active"
    page.get_by_role("button", name="Release (805) 200-0000").click()
    page.get_by_role("dialog").get_by_role("button", name="Release the number").click()
    expect(page.get_by_text("No direct promo numbers yet")).to_be_visible()
    number.refresh_from_db()
    assert number.state == "released"


def test_the_networks_list_is_searched_and_rows_are_chosen(page, live_server, sign_in, personas, network, campaign):
    for number in range(3):
        actions.number_add(by=None, campaign=campaign, description=f"Flyer {number}")
    sign_in(personas.member)
    page.goto(f"{live_server.url}/numbers/")
    page.get_by_role("searchbox", name="Search").fill("200-0001")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("Choose (805) 200-0000").check()
    page.get_by_label("Choose (805) 200-0002").check()
    page.get_by_role("button", name="Release…").click()
    expect(page.get_by_text("Release 2 numbers?")).to_be_visible()
    assert PromoNumber.objects.filter(state="released").count() == 0
    page.get_by_role("button", name="Release 2 numbers").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert Path(download.value.path()).read_text().count("\n") == 2


def test_an_import_is_watched_and_its_refused_rows_come_back(
    page, live_server, sign_in, personas, campaign, tmp_path, monkeypatch
):
    CampaignNumbers.objects.filter(pk=campaign.pk).update(allowed=3)
    file = tmp_path / "flyers.csv"
    file.write_text("description,store\n" + "".join(f"Flyer {n},{n}\n" for n in range(5)))
    sign_in(personas.member)
    _tab(page, live_server, campaign)
    page.get_by_role("link", name="Import CSV").click()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Start the import").click()
    expect(page.locator("main")).to_contain_text("0 of 5 rows dealt with")
    job = NumberImport.objects.get()
    monkeypatch.setattr(imports, "CHUNK", 2)
    assert imports.import_run(job.pk, seconds=0) is True
    expect(page.locator(".import-figures")).to_contain_text("2 of 5 rows dealt with: 2 added")
    imports.import_run(job.pk)
    # The page finds out by itself, loads once more, and asks no longer.
    expect(page.get_by_text("Refused rows").first).to_be_visible()
    expect(page.locator("[data-live]")).to_have_count(0)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody")).to_contain_text(SENTENCE)
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "line,code,reason,description,store" and [line.split(",")[0] for line in lines[1:]] == ["5", "6"]


def test_an_import_is_canceled(page, live_server, sign_in, personas, campaign):
    job = actions.import_start(by=personas.member, content=b"description\nA\nB\n", file_name="a.csv", campaign=campaign)
    sign_in(personas.member)
    page.goto(f"{live_server.url}/numbers/imports/{job.pk}/")
    page.get_by_role("button", name="Cancel the import").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(page.locator("main")).to_contain_text("Canceled")
    job.refresh_from_db()
    assert job.state == "canceled"


def test_platform_staff_set_the_networks_limits(page, live_server, sign_in, personas, network, campaign):
    pool = RingPoolFactory(campaign=campaign)
    actions.dynamic_numbers_add(by=None, pool=pool, count=3, wanted=actions.numbers.Wanted())
    sign_in(personas.staff)
    page.goto(f"{live_server.url}/numbers/limits/")
    if page.locator("h1:visible").inner_text() != "Promo number limits":
        pytest.fail("platform staff with one network see it at once")
    page.get_by_role("link", name="Set limits").click()
    page.get_by_label("Dynamic numbers").fill("2")
    page.get_by_role("button", name="Save limits").click()
    expect(page.locator("main")).to_contain_text("3 numbers are in use")
    page.get_by_label("Dynamic numbers").fill("3")
    page.get_by_role("button", name="Save limits").click()
    expect(page.locator("[data-ceiling=network_dynamic]")).to_contain_text("3 of 3")
