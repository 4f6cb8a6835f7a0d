"""Addresses that no page of ours has made: answered like any other, never with “something went wrong”."""

import base64
import json

import pytest
from django.test import Client

from portal.hooks.actions import webhook_create

pytestmark = pytest.mark.django_db


def cursor(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.fixture
def web(personas):
    client = Client(raise_request_exception=False)
    client.force_login(personas.super)
    return client


@pytest.mark.parametrize("path", ["/campaigns/", "/advertisers/", "/calls/", "/audit/"])
def test_the_character_nul_is_refused_before_any_page_meets_it(web, path):
    assert web.get(path).status_code == 200
    assert web.get(path, {"q": "roof\x00ing"}).status_code == 400
    assert web.get(path, {"q\x00": "roofing"}).status_code == 400
    assert web.post("/network/", {"name": "A\x00B"}).status_code in (400, 404, 405)


@pytest.mark.parametrize(
    "after", [cursor("a\x00", 1), cursor("a", "b"), cursor("a", 10**30), cursor(1), cursor({}, []), "%", "9" * 5000]
)
@pytest.mark.parametrize("path", ["/campaigns/", "/calls/", "/notices/"])
def test_a_cursor_that_is_none_of_ours_leads_to_the_beginning(web, path, after):
    assert web.get(path, {"after": after}).status_code == 200
    assert web.get(path, {"before": after}).status_code == 200


@pytest.mark.parametrize("after", [cursor("yesterday", "x"), cursor("2026-01-01", "x"), cursor(1, 2)])
def test_a_cursor_over_moments_too(web, network, settings, after):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    webhook, _secret = webhook_create(by=None, network=network, url="http://127.0.0.1:9/x")
    assert web.get(f"/webhooks/{webhook.pk}/", {"after": after}).status_code == 200


@pytest.mark.parametrize("role", ["\u00b2", "9" * 5000, "-1", "x", "40"])
def test_a_role_that_is_none_asks_for_all_members(web, role):
    """A superscript two is a digit to Python, and no number."""
    answer = web.get("/members/", {"role": role})
    assert answer.status_code == 200
    assert ("member@acme.example" in answer.content.decode()) == (role != "40")
