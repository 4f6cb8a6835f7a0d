"""Signing in: one door with a throttle and a second factor, and no way around it."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.urls import reverse

from portal.accounts.models import User
from tests import factories

PASSWORD = "correct horse battery"
LOGIN = "/accounts/login/"


@pytest.fixture
def user(db, clean_cache):
    return factories.MembershipFactory(user__email="ann@example.com", role=10).user


def sign_in(client, email="ann@example.com", password=PASSWORD, **extra):
    return client.post(LOGIN, {"login": email, "password": password, **extra})


def code_now(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def test_sign_in_by_email_in_any_case_and_out_by_post(client, user):
    assert sign_in(client, "ANN@example.com").status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_and_an_unknown_address_answer_alike(client, user):
    wrong = sign_in(client, password="wrong").content.decode()
    unknown = sign_in(client, "nobody@example.com", "wrong").content.decode()
    said = "The email address and/or password you specified are not correct."
    assert said in wrong and said in unknown
    assert "_auth_user_id" not in client.session


def test_failed_sign_ins_are_throttled(client, user):
    for _ in range(5):
        sign_in(client, password="wrong")
    answer = sign_in(client)
    assert "_auth_user_id" not in client.session
    assert answer.status_code == 429 or "Too many failed login attempts" in answer.content.decode()
    # From another address as well: the limit is also the account's.
    answer = client.post(LOGIN, {"login": "ann@example.com", "password": PASSWORD}, REMOTE_ADDR="203.0.113.9")
    assert "_auth_user_id" not in client.session


def test_many_attempts_from_one_address_answer_429(client, user):
    answers = [sign_in(client, f"u{n}@example.com", "wrong").status_code for n in range(31)]
    assert answers[0] == 200 and answers[-1] == 429


@pytest.mark.parametrize("bad", ["https://evil.example/", "//evil.example/", r"/\evil.example", "javascript:alert(1)"])
def test_no_open_redirect(client, user, bad):
    assert sign_in(client, next=bad)["Location"] == settings.LOGIN_REDIRECT_URL
    assert client.get(LOGIN, {"next": bad})["Location"] in ("/",)


def test_after_signing_in_one_lands_where_one_wanted(client, user):
    assert client.get("/members/")["Location"] == "/accounts/login/?next=/members/"
    assert sign_in(client, next="/members/")["Location"] == "/members/"


def test_nobody_signs_up_or_takes_another_address(client, user):
    before = User.objects.count()
    answer = client.post(
        "/accounts/signup/", {"email": "x@example.com", "password1": "abcdefg12345!", "password2": "abcdefg12345!"}
    )
    assert answer.status_code in (200, 403) and User.objects.count() == before
    client.force_login(user)
    assert client.get("/accounts/email/")["Location"] == reverse("mfa_index")
    client.post("/accounts/email/", {"email": "boss@example.com", "action_add": ""})
    assert not user.emailaddress_set.filter(email="boss@example.com").exists()


def test_the_admin_has_no_sign_in_of_its_own(client, user):
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    credentials = {"username": "ann@example.com", "password": PASSWORD}
    answer = client.post("/admin/login/", credentials)
    assert answer.status_code == 302 and "_auth_user_id" not in client.session
    # Nor to change over to somebody else from within.
    other = factories.MembershipFactory(role=40).user
    client.force_login(other)
    client.post("/admin/login/", credentials)
    assert client.session["_auth_user_id"] == str(other.pk)
    assert client.get("/admin/password_change/")["Location"] == reverse("account_change_password")
    client.post("/admin/logout/")
    assert "_auth_user_id" not in client.session


def test_a_second_factor_is_asked_for(client, user):
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(user, secret)
    answer = sign_in(client, next="/members/")
    assert answer["Location"] == reverse("mfa_authenticate") + "?next=%2Fmembers%2F" or answer["Location"].startswith(
        reverse("mfa_authenticate")
    )
    assert "_auth_user_id" not in client.session
    assert client.get("/members/").status_code == 302
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.post(reverse("mfa_authenticate"), {"code": code_now(secret)}).status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_totp_is_set_up_on_its_page_after_the_password(client, user):
    sign_in(client)
    page = client.get(reverse("mfa_activate_totp"), follow=True)
    assert page.status_code == 200
    if page.redirect_chain:  # asked for the password again
        client.post(page.redirect_chain[-1][0], {"password": PASSWORD})
        page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    assert Authenticator.objects.filter(user=user, type="totp").exists()


@pytest.mark.parametrize(
    "name",
    [
        "mfa_index",
        "mfa_activate_totp",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "account_change_password",
        "account_logout",
    ],
)
def test_the_security_pages_stand_on_the_portals_base(client, user, name):
    sign_in(client)
    answer = client.get(reverse(name), follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200 and 'id="content"' in page and "portal/portal" in page


@pytest.mark.parametrize(
    "name", ["account_login", "account_reset_password", "account_reset_password_done", "account_signup"]
)
def test_the_entrance_pages_have_the_portals_look(client, user, name):
    answer = client.get(reverse(name))
    page = answer.content.decode()
    assert answer.status_code == 200 and "entrance-card" in page
    assert "sign up" not in page.lower()


def test_passkey_sign_in_is_offered(client, user):
    assert 'id="passkey_login"' in client.get(LOGIN).content.decode()
    assert (
        "publicKey"
        in client.get(reverse("mfa_login_webauthn"), HTTP_X_REQUESTED_WITH="XMLHttpRequest").content.decode()
    )


def test_a_forgotten_password_is_reset_by_mail_and_unknown_addresses_are_not_betrayed(client, user, mailoutbox):
    known = client.post(reverse("account_reset_password"), {"email": "ann@example.com"})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.com"})
    assert known.status_code == unknown.status_code == 302 and known["Location"] == unknown["Location"]
    assert "/accounts/password/reset/key/" in mailoutbox[0].body


def test_a_closed_account_is_out_at_once(client, user):
    sign_in(client)
    assert client.get("/members/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/members/").status_code == 302
    client.cookies.clear()
    sign_in(client)
    assert "_auth_user_id" not in client.session
    assert client.get("/members/").status_code == 302
