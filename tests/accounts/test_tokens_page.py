"""The API tokens page."""

import pytest
from django.urls import reverse

from portal.accounts.actions.tokens import token_create
from portal.accounts.models import ApiToken

URL = "/tokens/"


@pytest.fixture
def token(personas):
    return token_create(by=personas.manager, user=personas.manager, name="Boise dialer")[0]


def test_the_key_is_shown_once(personas, client):
    client.force_login(personas.observer)
    answer = client.post(URL, {"name": "dashboard", "expires_on": "2030-01-31", "read_only": "on"})
    key = answer.context["key"]
    assert key in answer.content.decode() and "no-store" in answer["Cache-Control"]
    token = ApiToken.objects.get()
    assert token.read_only and token.expires_at.date().isoformat() in ("2030-01-31", "2030-02-01")
    page = client.get(URL).content.decode()
    assert key not in page and token.prefix in page and token.digest not in page


def test_bad_input_stands_at_its_field(personas, client):
    client.force_login(personas.observer)
    answer = client.post(URL, {"name": "x", "expires_on": "2001-01-01"})
    assert answer.status_code == 422 and "expires_on" in answer.context["form"].errors
    assert not ApiToken.objects.exists()


def test_who_revokes_whose(token, personas, client):
    url = reverse("accounts:token-revoke", args=[token.pk])
    assert client.get(url).status_code in (302, 405)
    for persona in ("observer", "member", "outsider"):
        client.force_login(getattr(personas, persona))
        assert client.post(url).status_code == 404, persona
    token.refresh_from_db()
    assert token.is_usable
    client.force_login(personas.super)
    page = client.get(URL).content.decode()
    assert "Boise dialer" in page and token.digest not in page
    assert client.post(url).status_code == 302
    token.refresh_from_db()
    assert not token.is_usable


def test_others_are_listed_only_for_a_super(token, personas, client):
    for persona, sees in (("member", False), ("outsider", False), ("super", True), ("staff", True)):
        client.force_login(getattr(personas, persona))
        assert ("Boise dialer" in client.get(URL).content.decode()) == sees, persona
