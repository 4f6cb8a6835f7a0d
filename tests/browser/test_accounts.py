"""Signing in with a password, a second factor and a passkey; the accounts pages at both sizes under axe-core."""

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache

from campaigns.actions import access_grant
from portal.accounts.actions.tokens import token_create
from tests import factories

PASSWORD = "correct horse battery"
# A virtual security key: what a laptop's fingerprint reader is to the page.
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def campaign(network, personas):
    campaign = factories.CampaignFactory(advertiser__network=network)
    factories.GroupFactory(network=network, label="Night shift").user_set.add(personas.observer)
    access_grant(by=personas.super, obj=campaign, to=personas.limited, action="operate")
    token_create(by=personas.super, user=personas.super, name="dialer")
    return campaign


def enter(page, url: str, email: str) -> None:
    page.goto(f"{url}/accounts/login/?next=/members/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_load_state()


def leave(page) -> None:
    page.click(".user-menu summary")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")


def test_second_factor_and_passkey(page, context, live_server, personas, accessible):
    cache.clear()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    enter(page, live_server.url, personas.manager.email)
    assert page.url.endswith("/members/")

    page.goto(f"{live_server.url}/accounts/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    secret = page.input_value("#authenticator_secret")
    accessible()
    page.fill("[name=code]", format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url("**/recovery-codes/**")
    accessible()

    page.goto(f"{live_server.url}/accounts/2fa/webauthn/add/")
    page.check("[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/accounts/2fa/")
    leave(page)

    page.goto(f"{live_server.url}/accounts/login/?next=/members/")
    page.click("#passkey_login")
    page.wait_for_url("**/members/")
    leave(page)

    enter(page, live_server.url, personas.manager.email)
    assert "/accounts/2fa/authenticate/" in page.url
    accessible()
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url("**/members/")


def test_pages_before_signing_in(page, live_server, db, size, accessible):
    page.set_viewport_size(size)
    for path in ("/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"):
        page.goto(f"{live_server.url}{path}")
        accessible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accounts_pages(page, live_server, personas, campaign, sign_in, size, theme, accessible):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=theme)
    sign_in(personas.super)
    member = campaign.network.memberships.get(user=personas.member)
    group = campaign.network.groups.get()
    paths = [
        "/members/", "/members/add/", f"/members/{member.pk}/", "/groups/", f"/groups/{group.pk}/", "/tokens/", "/networks/",
        f"/networks/{campaign.network_id}/settings/", "/audit/", f"/campaigns/{campaign.pk}/access/",
        f"/advertisers/{campaign.advertiser_id}/access/?show=groups", "/accounts/2fa/", "/accounts/password/change/",
    ]  # fmt: skip
    for path in paths:
        answer = page.goto(f"{live_server.url}{path}")
        assert answer.status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"
        accessible()


def test_grant_and_take_away_by_hand(page, live_server, personas, campaign, sign_in):
    sign_in(personas.super)
    page.goto(f"{live_server.url}/campaigns/{campaign.pk}/access/")
    page.get_by_role("button", name="Grant “Budget and call caps” to Limited").click()
    page.get_by_text("“Budget and call caps” is granted to Limited.").wait_for()
    page.get_by_role("button", name="Take away “Budget and call caps” from Limited").click()
    page.get_by_text("“Budget and call caps” is taken from Limited.").wait_for()
