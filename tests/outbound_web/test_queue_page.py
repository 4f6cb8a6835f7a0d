"""The pending queue: what waits for what over pages of batches, and stuck calls with what can be done."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db.models import F
from django.utils import timezone

from outbound import actions
from outbound.models import Attempt, Batch, Recipient
from tests.web.helpers import sign_in, text_of

from .conftest import apply, asked_out, at, numbers, queries

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


def test_the_pending_queue_takes_as_many_queries_for_fifteen_batches_as_for_one(house):
    carrier = actions.carrier_create(by=None, network=house.network, kind="simulator", name="Narrow", lines=2)

    def more(number):
        """A batch with people due, people who are tried later, a stuck call and one in a closed window."""
        area = ["303", "720", "970", "719", "212"][number % 5]
        batch = house.batch(numbers(6, area=area), name=f"Batch {number}", carrier=carrier, max_attempts=2)
        (first, second) = actions.calls_claim(worker="w", limit=2)
        apply(SimpleNamespace(carrier=carrier), first, "lost")
        apply(SimpleNamespace(carrier=carrier), second, "accepted", ended={"outcome": "busy", "cause": "17"})
        return batch

    client = sign_in(house.people.manager)
    actions.beat()
    more(0)
    one = queries(client, at("queue"))
    for number in range(1, 15):
        more(number)
    page = client.get(at("queue"))
    assert len({each.batch.pk for each in page.context["waiting"]}) == 15
    assert {each.code for each in page.context["waiting"]} == {"pace", "retry"} and page.context["stuck_total"] == 15
    assert queries(client, at("queue")) == one


def stuck_scene(house):
    """Two batches with calls stuck in every way; returns them and how many of each kind the first has."""
    first, second = house.batch(numbers(8), name="First"), house.batch(numbers(4, area="720"), name="Second")
    calls = actions.calls_claim(worker="host:7", limit=12)
    mine = [one for one in calls if one.batch == first.pk]
    for one in mine[:3]:
        apply(house, one, "lost")
    asked_out(Recipient.objects.get(pk=mine[0].recipient))
    apply(house, mine[3], "accepted")
    apply(house, mine[4], "accepted", ended={"outcome": "busy", "cause": "17"})
    Attempt.objects.update(claimed_at=F("claimed_at") - timedelta(minutes=5))
    return first, second, {"no_record": 1, "asked": 2, "silent": 1, "unreported": 3}


def test_stuck_calls_are_filtered_by_batch_and_by_kind(house):
    first, second, kinds = stuck_scene(house)
    client = sign_in(house.people.manager)
    page = client.get(at("queue"))
    assert page.context["stuck_total"] == 11 and len(page.context["stuck"]) == 10
    assert "All 11 stuck calls" in text_of(page)
    for kind, count in kinds.items():
        found = client.get(at("stuck"), {"kind": kind, "batch": first.pk}).context["stuck"]
        assert len(found) == count and {one.kind for one in found} == {kind}
        assert {one.attempt.batch_id for one in found} == {first.pk}
    found = client.get(at("stuck"), {"batch": second.pk}).context["stuck"]
    assert len(found) == 4 and {one.kind for one in found} == {"unreported"}
    for strange in ({"kind": "x"}, {"batch": "x"}, {"after": "x"}):
        assert len(client.get(at("stuck"), strange).context["stuck"]) == 11
    assert "No stuck call fits" in text_of(client.get(at("stuck"), {"batch": 2**40}))
    assert list(client.get(at("stuck")).context["batches"]) == [first, second]
    theirs = sign_in(house.people.outsider).get(at("stuck"), {"batch": first.pk})
    assert theirs.context["stuck"] == [] and list(theirs.context["batches"]) == []


def test_stuck_calls_go_over_pages_once_each_at_a_constant_cost(house, monkeypatch):
    stuck_scene(house)
    client, seen, address, pages = sign_in(house.people.manager), [], at("stuck"), 0
    few = queries(client, at("stuck"), batch=Batch.objects.get(name="First").pk, kind="no_record")
    assert queries(client, at("stuck")) == few
    monkeypatch.setattr("outbound.pages.queue.ON_A_PAGE", 4)
    while address:
        page = client.get(address)
        seen += [one.attempt for one in page.context["stuck"]]
        address, pages = page.context["page"].after and f"{at('stuck')}?after={page.context['page'].after}", pages + 1
    assert pages == 3 and len(seen) == len({one.pk for one in seen}) == 11
    assert [one.claimed_at for one in seen] == sorted(one.claimed_at for one in seen)


def test_after_a_redial_only_the_last_call_of_somebody_is_stuck(scene):
    asked_out(scene.unknown)
    actions.recipient_redial(by=None, recipient=scene.unknown, reason="seen")
    Recipient.objects.filter(batch=scene.batch, state="pending").exclude(pk=scene.unknown.pk).update(
        due_at=timezone.now() + timedelta(hours=1)
    )
    (again,) = actions.calls_claim(worker="w", limit=5)
    apply(scene.house, again, "lost")
    found = sign_in(scene.people.manager).get(at("stuck")).context["stuck"]
    assert [(one.attempt.pk, one.attempt.number) for one in found] == [(again.attempt, 2)]


def test_what_is_done_on_the_page_of_stuck_calls_leads_back_to_it(house):
    first, *_ = stuck_scene(house)
    address = f"{at('stuck')}?batch={first.pk}&kind=no_record"
    page = sign_in(house.people.manager).get(address).content.decode()
    assert f'name="next" value="{address.replace("&", "&amp;")}"' in page and "Dial again" in page
    assert "Dial again" not in sign_in(house.people.observer).get(address).content.decode()
