"""Every page at both widths, light and dark: no serious finding of axe-core, no sideways scrolling, no script error."""

import re

import pytest
from django.apps import apps
from django.urls import resolve, reverse
from playwright.sync_api import expect
from promo_numbers.models import CampaignNumbers, NumberImport

from campaigns import actions
from campaigns.models import Call, VoiceAccount
from campaigns.pages.urls import urlpatterns as campaign_addresses
from outbound.pages.urls import urlpatterns as outbound_addresses
from portal.hooks.actions import deliveries_send, emit, webhook_create
from portal.hooks.urls import urlpatterns as webhook_addresses
from portal.sealing import seal
from tests.factories import AdvertiserFactory, CampaignFactory, GroupFactory, PromoNumberFactory, bundle_of, cap
from tests.outbound.scenes import one_of_everything

PAGES = {
    "dashboard": "/",
    "campaigns": "/campaigns/",
    "campaign-new": "/campaigns/new/",
    "destination-summary": "/campaigns/{destination}/",
    "bundle-summary": "/campaigns/{bundle}/",
    "caps": "/campaigns/{destination}/caps/",
    "caps-with-counters": "/campaigns/{budgeted}/caps/",
    "caps-of-a-bundle": "/campaigns/{bundle}/caps/",
    "call-treatment": "/campaigns/{destination}/treatment/",
    "call-treatment-of-a-bundle": "/campaigns/{bundle}/treatment/",
    "campaign-edit": "/campaigns/{destination}/edit/",
    "campaign-edit-destination": "/campaigns/{destination}/edit/destination/",
    "campaign-edit-payout": "/campaigns/{destination}/edit/payout/",
    "campaign-review": "/campaigns/{destination}/edit/review/",
    "bundle-edit": "/campaigns/{bundle}/edit/",
    "bundle-edit-destination": "/campaigns/{bundle}/edit/destination/",
    "bundle-edit-treatment": "/campaigns/{bundle}/edit/treatment/",
    "bundle-review": "/campaigns/{bundle}/edit/review/",
    "campaign-access": "/campaigns/{destination}/access/",
    "destination-add": "/campaigns/{bundle}/destinations/add/",
    "destination-edit": "/campaigns/{bundle}/destinations/{destination}/",
    "direct-numbers": "/campaigns/{destination}/numbers/",
    "direct-numbers-of-a-bundle": "/campaigns/{bundle}/numbers/",
    "number-add": "/campaigns/{destination}/numbers/add/",
    "number-limit": "/campaigns/{destination}/numbers/limit/",
    "numbers": "/numbers/",
    "number-edit": "/numbers/{number}/edit/",
    "number-move": "/numbers/{number}/move/",
    "number-limits": "/numbers/limits/",
    "reclaim": "/numbers/reclaim/",
    "number-imports": "/numbers/imports/",
    "number-import-new": "/numbers/imports/new/",
    "number-import": "/numbers/imports/{number_import}/",
    "advertisers": "/advertisers/",
    "advertiser": "/advertisers/{advertiser}/",
    "advertiser-new": "/advertisers/new/",
    "advertiser-edit": "/advertisers/{advertiser}/edit/",
    "advertiser-access": "/advertisers/{advertiser}/access/",
    "ring-pools": "/ring-pools/",
    "ring-pool-sizing": "/ring-pools/sizing/?visitors=120&lifetime=1800",
    "campaign-ring-pools": "/campaigns/{destination}/ring-pools/",
    "calls": "/calls/",
    "call": "/calls/{call}/",
    "live-calls": "/calls/live/",
    "simulate": "/simulate/?bundle={bundle}&caller=%2B13035550123",
    "members": "/members/",
    "groups": "/groups/",
    "tokens": "/tokens/",
    "audit": "/audit/",
    "network": "/networks/{network}/settings/",
    "limit-requests": "/numbers/requests/",
    "limit-request-new": "/numbers/requests/new/?campaign={destination}",
    "use-and-contract": "/numbers/csm/{network}/",
    "notices": "/notices/",
    "notices-by-mail": "/notices/settings/",
    "security": "/accounts/2fa/",
    "webhooks": "/webhooks/",
    "webhook": "/webhooks/{webhook}/",
    "voice": "/voice/",
}


@pytest.fixture
def addresses(network, places, settings):
    """A network with one of everything; returns what the addresses above are filled with."""
    advertiser = AdvertiserFactory(network=network, name="Bluebird Solar")
    full = CampaignFactory(advertiser=advertiser, name="Bluebird Denver")
    free = CampaignFactory(advertiser=advertiser, name="A call center with a rather long name in Colorado Springs")
    cap(full, 1)
    cap(free, "250.00", "budget", reset_period="Monthly", starts_at="2026-01-31", time_zone="America/Denver")
    bundle = bundle_of(
        full, free, name="Solar quotes", overflow=CampaignFactory(advertiser=advertiser, name="Overflow")
    )
    number = PromoNumberFactory(campaign=bundle, custom_data={"store": "12"}, id_from_network="bus-12")
    CampaignNumbers.objects.filter(pk=full.pk).update(allowed=0)
    number_import = NumberImport.objects.create(
        network=network, campaign=full, asked_by=network.users.first(), file_name="flyers.csv", content=b"", state="done",
        rows=9, done=9, added=8, refused=1,
    )  # fmt: skip
    number_import.refusals.create(line=4, row="{}", code="number_taken", reason="+18055550123 is in use already.")
    GroupFactory(network=network, label="Agency")
    calls = [
        actions.call_route(by=None, network=network, campaign=bundle.pk, caller=caller)
        for caller in ("+13035550123", "+12125550124", None)
    ]
    actions.call_event(by=None, network=network, call=calls[1].call_id, event="answered")
    actions.call_event(by=None, network=network, call=calls[2].call_id, event="ended", cause="no_answer")
    actions.hours_roll_up()
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    webhook, _secret = webhook_create(by=None, network=network, url="http://127.0.0.1:9/hook")
    emit(network=network, kind="cap.alert", data={"campaign": "blue-den", "percent": 75}, key="1")
    deliveries_send()  # nobody listens there: the log has a message that failed
    VoiceAccount.objects.create(network=network, account_sid="AC" + "0" * 32, secret=seal("0" * 32))
    return {
        "number": number.pk, "number_import": number_import.pk,
        "network": network.pk, "advertiser": advertiser.pk, "destination": full.pk, "bundle": bundle.pk,
        "budgeted": free.pk, "webhook": webhook.pk,
        "call": Call.objects.get(pk=calls[1].call_id).transaction_id,
    }  # fmt: skip


@pytest.fixture
def look_at(page, live_server, accessible, no_sideways_scroll):
    """`look_at({name: address})`: opens each page; returns what is wrong with any of them, in words."""
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def look(addresses):
        problems = []
        for name, address in addresses.items():
            response = page.goto(live_server.url + address)
            if response.status != 200:
                problems.append(f"{name}: answered {response.status}")
                continue
            expect(page.locator("h1:visible")).to_have_count(1)
            page.wait_for_timeout(150)  # transitions of the theme
            for check in (accessible, no_sideways_scroll):
                try:
                    check()
                except AssertionError as error:
                    problems.append(f"{name}: {check.__qualname__.split('.')[0]}: {error}")
            problems += [f"{name}: script error {error}" for error in errors]
            errors.clear()
        return "\n".join(problems)

    return look


@pytest.fixture(
    params=[(width, scheme) for width in (1440, 390) for scheme in ("light", "dark")], ids=lambda at: f"{at[0]}-{at[1]}"
)
def every_screen(page, request):
    """Both widths, light and dark."""
    width, scheme = request.param
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


@pytest.mark.usefixtures("every_screen")
def test_pages_are_accessible(sign_in, personas, addresses, look_at):
    sign_in(personas.super)
    assert not look_at({name: address.format(**addresses) for name, address in PAGES.items()})


def test_no_page_of_campaigns_or_webhooks_is_left_out(personas, addresses):
    """Whoever adds a page that a GET opens adds it to `PAGES`."""
    looked_at = {resolve(address.format(**addresses).partition("?")[0]).view_name for address in PAGES.values()}
    posts = {
        "discard",
        "usage",
        "status",
        "destination-remove",
        "voice-forget",
        "advertiser-delete",
        "delete",
        "replay",
    }
    given_to_scripts = {"suggest-campaigns", "suggest-advertisers", "suggest-places"}
    for space, patterns in (("campaigns", campaign_addresses), ("hooks", webhook_addresses)):
        pages = {pattern.name for pattern in patterns} - posts - given_to_scripts
        assert {f"{space}:{name}" for name in pages} <= looked_at


@pytest.mark.usefixtures("every_screen")
def test_pages_of_outbound_are_accessible(sign_in, personas, house, look_at):
    sign_in(personas.super)
    assert not look_at(one_of_everything(house))


def test_no_page_of_outbound_is_left_out(house):
    """Whoever adds a page that a GET opens adds it to `one_of_everything`."""
    looked_at = {resolve(address.partition("?")[0]).url_name for address in one_of_everything(house).values()}
    posts = {
        "start", "move-start", "unschedule", "pause", "resume", "stop", "hang-up", "delete", "call-cancel", "call-redial", "call-opt-out",
        "replay", "result-secret", "import-cancel", "do-not-call-add", "do-not-call-remove", "do-not-call-delete", "carrier-clear",
    }  # fmt: skip
    files = {"export", "import-refused"}
    assert {each.name for each in outbound_addresses} - posts - files == looked_at


# The models of the admin that people look up; a list and a row of each.
IN_ADMIN = (
    "campaigns_campaign", "campaigns_cap", "numbers_promonumber", "numbers_campaignnumbers", "outbound_batch",
    "outbound_carrier", "outbound_recipient", "outbound_attempt",
)  # fmt: skip


@pytest.fixture
def admin_pages(addresses, house):
    """A page in the admin of each kind: lists, rows to read, forms with rows below, forms to add something."""
    one_of_everything(house)
    pages = {"admin": reverse("admin:index")}
    for kind in ("destination", "bundle"):
        pages[kind] = reverse("admin:campaigns_campaign_change", args=[addresses[kind]])
    for name in IN_ADMIN:
        row = apps.get_model(name.replace("_", ".")).objects.first()
        pages[f"{name}-list"] = reverse(f"admin:{name}_changelist")
        pages[f"{name}-change"] = reverse(f"admin:{name}_change", args=[row.pk])
    for name in ("campaigns_campaign", "campaigns_cap", "numbers_promonumber"):
        pages[f"{name}-add"] = reverse(f"admin:{name}_add")
    return pages


@pytest.mark.usefixtures("every_screen")
def test_pages_of_the_admin_are_accessible(sign_in, personas, admin_pages, look_at):
    sign_in(personas.staff)
    assert not look_at(admin_pages)


def test_what_is_chosen_in_the_admin_has_a_name(page, live_server, sign_in, personas, addresses, accessible):
    """The pickers are boxes in place of the fields, and rows have the heads of their columns for a label."""
    sign_in(personas.staff)
    page.goto(live_server.url + reverse("admin:campaigns_campaign_add"))
    page.get_by_role("combobox", name="Advertiser", exact=True).click()
    chosen = page.get_by_role("option", name="Bluebird Solar")
    expect(chosen).to_be_visible()
    accessible()
    chosen.click()
    expect(page.get_by_role("combobox", name="Advertiser Bluebird Solar")).to_be_visible()
    page.goto(live_server.url + reverse("admin:campaigns_campaign_change", args=[addresses["bundle"]]))
    expect(page.get_by_role("spinbutton", name="Weight", exact=True)).to_have_count(2)
    expect(page.get_by_role("combobox", name="Destination Bluebird Denver")).to_have_count(1)
    page.get_by_text("Add another Destination").click()
    expect(page.get_by_role("combobox", name="Destination", exact=True)).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Weight", exact=True)).to_have_count(3)
    accessible()


def test_signing_in_with_the_form(page, live_server, personas, accessible):
    page.goto(f"{live_server.url}/campaigns/")
    accessible()
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill(personas.manager.email)
    page.get_by_label("Password", exact=False).first.fill("wrong password")
    page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).first.click()
    expect(page.locator("body")).to_contain_text("not correct")
    page.get_by_label("Password", exact=False).first.fill("correct horse battery")
    page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).first.click()
    expect(page).to_have_url(f"{live_server.url}/campaigns/")


def test_someone_elses_page_is_not_found(page, live_server, sign_in, personas, addresses):
    sign_in(personas.outsider)
    assert page.goto(f"{live_server.url}/campaigns/{addresses['bundle']}/").status == 404
    expect(page.locator("body")).not_to_contain_text("Solar quotes")
