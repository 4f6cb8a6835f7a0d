"""The pending queue: what waits for what over pages of batches, and stuck calls with what can be done."""

import pytest

from outbound.models import Batch
from tests.web.helpers import sign_in, text_of

from .conftest import asked_out, at, numbers

pytestmark = pytest.mark.django_db


def test_the_pending_queue_says_what_waits_for_what(scene):
    client = sign_in(scene.people.manager)
    text = text_of(client.get(at("queue")))
    assert "Reminders" in text and "Stuck and unknown calls" in text
    asked_out(scene.unknown)
    text = text_of(client.get(at("queue")))
    assert "Dial again" in text and "Leave it" in text
    assert "Dial again" not in text_of(sign_in(scene.people.observer).get(at("queue")))
    Batch.objects.filter(pk=scene.batch.pk).update(status="paused", pause_reason="lunch")
    assert "lunch" in text_of(client.get(at("queue")))


def test_the_pending_queue_goes_over_pages_of_batches(house, monkeypatch):
    monkeypatch.setattr("outbound.pages.queue.MOST_BATCHES", 2)
    for number in range(5):
        house.batch(numbers(1, area=str(212 + number)), name=f"Batch {number}")
    client, seen, address = sign_in(house.people.observer), set(), at("queue")
    while address:
        page = client.get(address)
        seen |= {one.batch.name for one in page.context["waiting"]}
        after = page.context["page"].after
        address = f"{at('queue')}?after={after}" if after else None
        assert page.context["total"] == 5 and len({one.batch.pk for one in page.context["waiting"]}) <= 2
    assert seen == {f"Batch {number}" for number in range(5)}
