"""headroom-numbers.js in Chromium, on a page of another origin, against the portal over real HTTP."""

import pytest
from playwright.sync_api import expect
from promo_numbers import actions
from promo_numbers.models import Allocation, PoolSlot

from campaigns.callers import pretty
from tests.factories import CampaignFactory, stock
from tests.servers import Handler, Server

SHOWN = "(805) 555-0100"
BODY = """
<h1>Roofs</h1>
<p id="text">Call (805) 555-0100 today, or 805.555.0100 x 7, or +1 805-555-0100.</p>
<a id="tel" href="tel:+18055550100" aria-label="Call 805-555-0100">Call now</a>
<a id="local" href="tel:8055550100">8055550100</a>
<p id="other">Fax: (805) 555-0199, order 18055550100999</p>
<p id="skip" data-headroom-skip>Office: (805) 555-0100</p>
<p id="marked"><span data-headroom-number>303-555-0123</span></p>
<input id="field" value="(805) 555-0100"><textarea id="area">(805) 555-0100</textarea>
<p id="second" data-headroom-pool="{second}">(720) 555-0111</p>
<div id="later"></div>
{script}
"""


class _Page(Handler):
    def do_GET(self):
        text = f"<!doctype html><title>Shop</title><body>{self.owner.body}"
        self.answer(200, text.encode(), Content_Type="text/html; charset=utf-8")


class Site(Server):
    """A customer's web site of one page."""

    handler, body = _Page, ""


@pytest.fixture
def site():
    """`site(body)` serves a page on an origin of its own; returns its address."""
    made = Site()

    def serve(body):
        made.body = body
        return f"{made.url}/offer?utm_source=search&gclid=abc"

    yield serve
    made.close()


@pytest.fixture
def pools(network):
    stock(20)
    campaign = CampaignFactory(advertiser__network=network)
    return [
        actions.ring_pool_create(by=None, campaign=campaign, name=name, max_pool_size=4).pool for name in ("One", "Two")
    ]


def tag(portal, pool, /, **attributes):
    more = "".join(f' data-{name}="{value}"' for name, value in attributes.items())
    return (
        f'<script src="{portal}/static/portal/headroom-numbers.js" data-pool="{pool.pk}" data-key="{pool.api_key}"'
        f' data-replace="{SHOWN}"{more}></script>'
    )


def given_to_visitor(pool):
    return PoolSlot.objects.get(pool=pool, visitor__isnull=False).promo_number.number


def test_numbers_are_exchanged_in_the_form_that_they_have(page, live_server, site, pools):
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    address = site(BODY.format(script=tag(live_server.url, pools[0]), second=pools[1].pk))
    page.goto(address)
    expect(page.locator("#text")).not_to_contain_text("555-0100")
    number = given_to_visitor(pools[0])
    area, exchange, line = number[2:5], number[5:8], number[8:]
    expect(page.locator("#text")).to_have_text(
        f"Call ({area}) {exchange}-{line} today, or {area}.{exchange}.{line} x 7, or +1 {area}-{exchange}-{line}."
    )
    assert page.locator("#tel").get_attribute("href") == f"tel:{number}"
    assert page.locator("#tel").get_attribute("aria-label") == f"Call {area}-{exchange}-{line}"
    assert page.locator("#local").get_attribute("href") == f"tel:{number[2:]}"
    expect(page.locator("#local")).to_have_text(number[2:])
    expect(page.locator("#marked")).to_have_text(f"{area}-{exchange}-{line}")
    expect(page.locator("#other")).to_have_text("Fax: (805) 555-0199, order 18055550100999")
    expect(page.locator("#skip")).to_have_text("Office: (805) 555-0100")
    expect(page.locator("#second")).to_have_text("(720) 555-0111")
    assert page.locator("#field").input_value() == SHOWN and page.locator("#area").input_value() == SHOWN
    # What the page adds later, and what it writes anew.
    page.evaluate("document.querySelector('#later').innerHTML = '<b>Also 805 555 0100</b>'")
    expect(page.locator("#later")).to_have_text(f"Also {area} {exchange} {line}")
    assert len(asked) == 1, "asked once per page"
    visit = Allocation.objects.get().params
    assert visit["utm_source"] == "search" and visit["gclid"] == "abc" and visit["landing_page"].endswith("/offer")
    assert not errors


def test_the_visitor_is_remembered_and_his_next_page_shows_his_number_at_once(page, live_server, site, pools, context):
    address = site(BODY.format(script=tag(live_server.url, pools[0]), second=0))
    page.goto(address)
    number = None
    expect(page.locator("#text")).not_to_contain_text("555-0100")
    number = given_to_visitor(pools[0])
    # On the second page the portal does not answer at all, and the number stands there all the same.
    page.route("**/api/**", lambda route: None)
    page.goto(address)
    expect(page.locator("#local")).to_have_text(number[2:])
    page.unroute("**/api/**")
    again = context.new_page()
    again.goto(address)
    expect(again.locator("#local")).to_have_text(number[2:])
    assert Allocation.objects.count() == 1


def test_another_visitor_gets_another_number(page, browser, live_server, site, pools):
    address = site(BODY.format(script=tag(live_server.url, pools[0]), second=0))
    page.goto(address)
    expect(page.locator("#local")).not_to_have_text("8055550100")
    other = browser.new_context()
    try:
        theirs = other.new_page()
        theirs.goto(address)
        expect(theirs.locator("#local")).not_to_have_text("8055550100")
        assert theirs.locator("#local").inner_text() != page.locator("#local").inner_text()
    finally:
        other.close()


def test_several_pools_are_one_request(page, live_server, site, pools):
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url)) if "/api/" in request.url else None)
    script = f"""<script>window.headroomNumbers = [{{pool: {pools[1].pk}, key: "{pools[1].api_key}"}}]</script>"""
    page.goto(site(BODY.format(script=script + tag(live_server.url, pools[0]), second=pools[1].pk)))
    expect(page.locator("#second")).not_to_have_text("(720) 555-0111")
    assert page.locator("#second").inner_text() == pretty(given_to_visitor(pools[1]))
    assert page.locator("#local").inner_text() == given_to_visitor(pools[0])[2:]
    assert [method for method, _ in asked] == ["POST"] and asked[0][1].endswith("/bulk.json")


@pytest.mark.parametrize("trouble", ["down", "slow", "wrong key", "error", "nonsense"])
def test_the_page_keeps_its_numbers_when_anything_goes_wrong(page, live_server, site, pools, trouble):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    pool, portal, more = pools[0], live_server.url, {"timeout": 300}
    if trouble == "down":
        more["portal"] = "http://127.0.0.1:9"
    elif trouble == "slow":
        page.route("**/api/**", lambda route: None)
    elif trouble == "wrong key":
        pool.api_key = "wrong"
    elif trouble == "error":
        page.route("**/api/**", lambda route: route.fulfill(status=500, body="oops"))
    else:
        page.route(
            "**/api/**",
            lambda route: route.fulfill(status=200, body="<html>", headers={"Access-Control-Allow-Origin": "*"}),
        )
    page.goto(site(BODY.format(script=tag(portal, pool, **more), second=0)))
    page.wait_for_timeout(900)
    expect(page.locator("#text")).to_have_text("Call (805) 555-0100 today, or 805.555.0100 x 7, or +1 805-555-0100.")
    assert page.locator("#tel").get_attribute("href") == "tel:+18055550100"
    assert not errors


def test_without_storage_it_still_works(page, live_server, site, pools):
    page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {get() { throw new Error('no') }});"
        "Object.defineProperty(document, 'cookie', {get() { throw new Error('no') }, set() { throw new Error('no') }})"
    )
    page.goto(site(BODY.format(script=tag(live_server.url, pools[0]), second=0)))
    expect(page.locator("#local")).not_to_have_text("8055550100")


def test_the_text_does_not_move(page, live_server, site, pools):
    page.goto(site(BODY.format(script=tag(live_server.url, pools[0], portal="http://127.0.0.1:9"), second=0)))
    before = page.locator("#other").bounding_box()
    page.goto(site(BODY.format(script=tag(live_server.url, pools[0]), second=0)))
    expect(page.locator("#local")).not_to_have_text("8055550100")
    assert page.locator("#other").bounding_box() == before
