"""What tests of pages read them with."""

import re

from django.test import Client

from campaigns.models import Campaign


def sign_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="portal.accounts.backends.RoleAndGrantBackend")
    return client


def text_of(response) -> str:
    """The page without tags and white space, so that a test reads what a person reads."""
    body = re.sub(r"<(script|style|template|datalist).*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def first_of(bundle) -> Campaign:
    return bundle.destinations.order_by("id").first().destination
