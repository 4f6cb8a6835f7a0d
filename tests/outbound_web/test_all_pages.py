"""Pages of outbound, all at once: who sees them, constant numbers of queries, what they say when empty."""

import pytest

from outbound import actions
from outbound.models import Batch, DoNotCallList, Recipient
from portal.audit.models import AuditEvent
from tests.web.helpers import sign_in, text_of

from .conftest import at, delivery, job_of, numbers, queries

pytestmark = pytest.mark.django_db


def every_page(scene):
    """Addresses of all pages that a GET opens."""
    batch, draft = scene.batch.pk, scene.draft.pk
    found = DoNotCallList.objects.filter(network=scene.network).first()
    return [
        at("list"), at("detail", batch), at("calls", batch), at("call", batch, scene.ended.pk), at("call", batch, scene.unknown.pk),
        at("lists", batch), at("lists", draft), at("deliveries", batch), at("review", draft), at("basics", draft),
        at("schedule", draft), at("pace", draft), at("schedule", batch), at("pace", batch), at("queue"), at("new"),
        at("do-not-call"), at("carriers"), at("carrier", scene.carrier.pk), at("carrier-new"),
        *([at("do-not-call-list", found.pk)] if found else []),
    ]  # fmt: skip


def test_every_page_opens_for_super(scene):
    actions.do_not_call_list_create(by=None, network=scene.network, name="Never")
    delivery(scene.batch, scene.ended)
    client = sign_in(scene.people.super)
    for address in every_page(scene):
        assert client.get(address).status_code == 200, address


def test_another_network_finds_nothing(scene):
    found = actions.do_not_call_list_create(by=None, network=scene.network, name="Never")
    one, job = delivery(scene.batch, scene.ended), job_of(scene.batch)
    client = sign_in(scene.people.outsider)
    for address in every_page(scene):
        if str(scene.batch.pk) in address or str(scene.draft.pk) in address or f"/{scene.carrier.pk}/" in address:
            assert client.get(address).status_code == 404, address
    batch, waiting = scene.batch.pk, scene.waiting.pk
    posts = [
        at(name, batch)
        for name in ("start", "pause", "resume", "stop", "hang-up", "unschedule", "delete", "move-start")
    ]
    posts += [at("call-cancel", batch, waiting), at("call-redial", batch, waiting), at("call-opt-out", batch, waiting)]
    posts += [at("replay", batch, one.pk)]
    posts += [
        at("import-cancel", batch, job.pk),
        at("carrier-clear", scene.carrier.pk),
        at("do-not-call-delete", found.pk),
    ]
    posts += [at("do-not-call-add", found.pk), at("do-not-call-remove", found.pk)]
    before = AuditEvent.objects.count()
    for address in posts:
        assert client.post(address, {"reason": "x"}).status_code == 404, address
    assert client.get(at("export", batch)).status_code == 404
    assert AuditEvent.objects.count() == before


def test_buttons_are_posts(scene):
    client = sign_in(scene.people.super)
    batch = scene.batch.pk
    for name in ("start", "pause", "resume", "stop", "hang-up", "unschedule", "delete", "move-start"):
        assert client.get(at(name, batch)).status_code == 405, name
    assert client.get(at("call-cancel", batch, scene.waiting.pk)).status_code == 405
    scene.batch.refresh_from_db()
    assert scene.batch.status == "running"


def test_lists_take_a_constant_number_of_queries(scene):
    client = sign_in(scene.people.observer)
    dnc = actions.do_not_call_list_create(by=None, network=scene.network, name="List 0")
    delivery(scene.batch, scene.ended)
    job_of(scene.batch, state="done")
    addresses = [
        at("list"), at("detail", scene.batch.pk), at("calls", scene.batch.pk), at("deliveries", scene.batch.pk),
        at("lists", scene.batch.pk), at("do-not-call"), at("do-not-call-list", dnc.pk), at("carriers"),
    ]  # fmt: skip
    actions.do_not_call_add(by=None, to=dnc, patterns=["+18055550111"])
    few = {address: queries(client, address) for address in addresses}
    for number in range(8):
        scene.house.batch(numbers(1, area=str(212 + number)), name=f"More {number}")
        actions.do_not_call_list_create(by=None, network=scene.network, name=f"List {number + 1}")
        actions.carrier_create(by=None, network=scene.network, kind="simulator", name=f"Carrier {number}")
        job_of(scene.batch, state="done")
    for one in Recipient.objects.filter(batch=scene.batch):
        delivery(scene.batch, one)
    actions.do_not_call_add(by=scene.people.member, to=dnc, patterns=[f"+1805555{n:04d}" for n in range(200, 240)])
    scene.house.add(scene.batch, numbers(30, area="970"))
    many = {address: queries(client, address) for address in addresses}
    assert many == few


def test_empty_pages_say_what_to_do(house):
    client = sign_in(house.people.super)
    assert "Set up the first one" in text_of(client.get(at("list")))
    assert "Nothing waits" in text_of(client.get(at("queue")))
    assert "No do-not-call list yet" in text_of(client.get(at("do-not-call")))
    batch = house.batch(numbers(1))
    assert "This batch sends no results" in text_of(client.get(at("deliveries", batch.pk)))
    Batch.objects.update(result_url="https://example.com/r")
    assert "No results yet" in text_of(client.get(at("deliveries", batch.pk)))
    empty = house.batch(started=False)
    assert "Nobody is on the list yet" in text_of(client.get(at("calls", empty.pk)))
    assert "Nobody is on the list yet" in text_of(client.get(at("review", empty.pk)))
    observer = sign_in(house.people.observer)
    assert "New batch" not in text_of(observer.get(at("list")))
