"""Fixtures of the tests of outbound's pages and API: the same house as the core's tests, with some of everything."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outbound import actions
from outbound.models import Recipient
from tests.outbound.house import ANI, numbers, refused
from tests.outbound.scenes import apply, asked_out, delivery, job_of

__all__ = ["ANI", "apply", "asked_out", "at", "delivery", "job_of", "numbers", "queries", "refused"]


@pytest.fixture(autouse=True)
def _quiet(outbound_settings, no_wake_ups, nothing_remembered):
    """No broker, and neither limits of rate nor anything remembered from the test before."""


@pytest.fixture
def api(house, as_):
    return as_(house.people.manager)


@pytest.fixture
def scene(house):
    """A running batch with a call that ended, one that is connected, one unknown, and some that wait; and a draft."""
    batch = house.batch(
        numbers(12), name="Reminders", max_attempts=2, result_url="", parameters={"pin": "1234", "a": "b"}
    )
    claimed = actions.calls_claim(worker="test", limit=3)
    one, two, three = claimed
    apply(house, one, "accepted", "answered", ended={"outcome": "answered", "cause": "16"}, callee="voice")
    apply(house, two, "accepted", "answered")
    apply(house, three, "lost")
    draft = house.batch(numbers(3, area="720"), started=False, name="Draft")
    return SimpleNamespace(
        house=house, network=house.network, people=house.people, batch=batch, draft=draft, carrier=house.carrier,
        ended=Recipient.objects.get(pk=one.recipient), live=Recipient.objects.get(pk=two.recipient),
        unknown=Recipient.objects.get(pk=three.recipient), waiting=Recipient.objects.filter(batch=batch, state="pending").first(),
    )  # fmt: skip


def at(name, *args):
    """The address of a page of outbound."""
    return reverse(f"outbound:{name}", args=args)


def queries(client, address, **params):
    """How many statements a page takes when it was opened before."""
    client.get(address, params)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(address, params).status_code == 200
    return len(caught)
