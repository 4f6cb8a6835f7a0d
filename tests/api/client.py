"""What all tests of the API share: tokens and a client that speaks JSON.

A plugin of pytest (tests/conftest.py names it): its fixtures are there wherever a test asks for them.
"""

import json

import pytest
from django.test import Client

from portal import memory
from portal.accounts.actions.tokens import token_create
from portal.api import throttling

CURRENT = "2026-11-01"
OLD = "2015-05-01"


class Api:
    """A client of one user's token on one network: `api.get("advertisers.json")`."""

    def __init__(self, user, network, *, version=CURRENT, read_only=False, key=None):
        self.user, self.network, self.version = user, network, version
        if key is None and user is not None:
            _, key = token_create(by=None, user=user, name="tests", read_only=read_only)
        self.key = key
        self.client = Client(raise_request_exception=False)

    def url(self, path):
        return path if path.startswith("/") else f"/api/{self.version}/{self.network.pk}/{path}"

    def send(self, method, path, data=None, *, body=None, content_type="application/json", **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key and "Authorization" not in given:
            given["Authorization"] = self.key
        if body is None:
            body = b"" if data is None else json.dumps(data).encode()
        return self.client.generic(method, self.url(path), body, content_type=content_type, headers=given)

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, path, data=None, **headers):
        return self.send("POST", path, data, **headers)

    def put(self, path, data=None, **headers):
        return self.send("PUT", path, data, **headers)

    def patch(self, path, data=None, **headers):
        return self.send("PATCH", path, data, **headers)

    def delete(self, path, **headers):
        return self.send("DELETE", path, **headers)

    def old(self, version=OLD):
        """The same user in a Network Integration version."""
        return Api(self.user, self.network, version=version, key=self.key)


def codes(response):
    """[(code, field)] of an error answer."""
    return [(error["code"], error["field"]) for error in response.json()["errors"]]


@pytest.fixture
def nothing_remembered():
    """Neither limits of rate nor anything that a process remembers from the test before, and nothing left for the next."""
    memory.forget_everything()
    for limiter in (throttling.requests, throttling.calls):
        limiter.clear()
    yield
    memory.forget_everything()


@pytest.fixture
def as_(network, nothing_remembered, request):
    """`as_(user)` is that user's client on the network of the test; also `as_("member")`, by the name of a persona."""

    def make(user, **kwargs):
        if isinstance(user, str):
            user = getattr(request.getfixturevalue("personas"), user)
        return Api(user, kwargs.pop("network", network), **kwargs)

    return make
