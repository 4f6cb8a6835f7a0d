"""Fixtures of the tests of outbound's pages and API: the same house as the core's tests, with some of everything."""

from types import SimpleNamespace

import pytest
from django.utils import timezone

from outbound import actions
from outbound.models import Attempt, BatchImport, Recipient, ResultDelivery
from tests.api.conftest import _forget, as_  # noqa: F401
from tests.outbound.conftest import ANI, _no_wake_ups, _settings, house, numbers, refused, simulator  # noqa: F401
from tests.web.helpers import sign_in

__all__ = ["ANI", "numbers", "refused"]


@pytest.fixture
def scene(house):  # noqa: F811
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


def apply(house, claimed, *kinds, ended=None, callee=""):  # noqa: F811
    """Tell the portal what the carrier would."""
    from outbound.carriers.port import event
    from outbound.choices import EventKind, EventSource

    now = timezone.now()
    events = [event(claimed.attempt, EventKind(kind), EventSource.CALLBACK, at=now) for kind in kinds]
    if ended:
        events.append(
            event(claimed.attempt, EventKind.ENDED, EventSource.CALLBACK, at=now, duration=7, callee=callee, **ended)
        )
    actions.events_apply(carrier=house.carrier.pk, events=events)


def asked_out(recipient):
    """The carrier has been asked about an unknown call until nobody would ask again."""
    Attempt.objects.filter(recipient=recipient.pk).update(look_at=None)


def delivery(batch, recipient, state="failed", **values):
    return ResultDelivery.objects.create(batch=batch, recipient=recipient, state=state, **values)


def job_of(batch, **values):
    return BatchImport.objects.create(batch=batch, file_name="list.csv", **values)


@pytest.fixture
def client_of():
    return sign_in
