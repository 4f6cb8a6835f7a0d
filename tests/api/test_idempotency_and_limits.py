"""Idempotency-Key, and rate limits."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone

from campaigns.models import Advertiser, Call
from portal.accounts.tokens import Identity
from portal.api import throttling
from portal.api.idempotency import KEPT_FOR
from portal.api.models import IdempotencyKey
from portal.api.tasks import clear_idempotency_keys
from tests.api.conftest import Api, codes
from tests.factories import AdvertiserFactory, bundle_of, destinations


@pytest.fixture
def api(as_, personas):
    return as_(personas.manager)


@pytest.mark.django_db
def test_the_same_key_happens_once(api):
    first = api.post("advertisers.json", {"name": "A"}, Idempotency_Key="k-1")
    again = api.post("advertisers.json", {"name": "A"}, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and first["ETag"] == again["ETag"]
    assert again["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert Advertiser.objects.count() == 1
    assert api.post("advertisers.json", {"name": "A"}, Idempotency_Key="k-2").status_code == 201
    other = api.post("advertisers.json", {"name": "B"}, Idempotency_Key="k-1")
    assert (other.status_code, codes(other)) == (422, [("idempotency_key_reused", "Idempotency-Key")])
    for bad in ("", "x" * 256, "\x7f"):
        answer = api.post("advertisers.json", {"name": "A"}, Idempotency_Key=bad)
        assert codes(answer) == [("invalid_idempotency_key", "Idempotency-Key")]
    assert Advertiser.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_request_may_be_corrected_with_its_key(api):
    assert api.post("advertisers.json", {"name": ""}, Idempotency_Key="k").status_code == 422
    assert api.post("advertisers.json", {"name": "A"}, Idempotency_Key="k").status_code == 201


@pytest.mark.django_db
def test_a_key_belongs_to_its_user_and_path_and_lasts_a_day(api, as_, personas):
    api.post("advertisers.json", {"name": "A"}, Idempotency_Key="k")
    assert as_(personas.super).post("advertisers.json", {"name": "A"}, Idempotency_Key="k").status_code == 201
    assert Advertiser.objects.count() == 2
    IdempotencyKey.objects.update(started_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    assert api.post("advertisers.json", {"name": "B"}, Idempotency_Key="k").status_code == 201
    assert clear_idempotency_keys() == 1
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.django_db
def test_a_call_with_a_key_and_without_its_own_id(api, network):
    bundle = bundle_of(*destinations(1, 5, advertiser=AdvertiserFactory(network=network)))
    data = {"bundle": bundle.id_from_network, "caller": None}
    first = api.post("calls.json", data, Idempotency_Key="k")
    again = api.post("calls.json", data, Idempotency_Key="k")
    assert first.content == again.content and again.status_code == 201 and again["Idempotent-Replayed"] == "true"
    # A process that died between deciding and keeping its answer: the decision is found again by the key.
    IdempotencyKey.objects.update(status=None, started_at=timezone.now() - timedelta(minutes=5))
    late = api.post("calls.json", data, Idempotency_Key="k")
    assert late.status_code == 200 and late.json() == first.json()
    assert Call.objects.count() == 1
    IdempotencyKey.objects.update(status=None, started_at=timezone.now())
    busy = api.post("calls.json", data, Idempotency_Key="k")
    assert (busy.status_code, codes(busy)) == (409, [("idempotency_in_flight", "Idempotency-Key")])
    call = first.json()["call"]
    for _ in range(2):
        answer = api.post(f"calls/{call}/events.json", {"event": "ended"}, Idempotency_Key="e")
        assert answer.json()["result"] == "applied"


def _at_once(api, path, data, count=8):
    answers, ready = [], threading.Barrier(count)

    def send():
        try:
            ready.wait()
            mine = Api(api.user, api.network, key=api.key)
            answers.append(mine.post(path, data, Idempotency_Key="same"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_the_same_key_from_many_threads_happens_once(api, network):
    answers = _at_once(api, "advertisers.json", {"name": "A"})
    assert Advertiser.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum(answer.status_code == 201 and "Idempotent-Replayed" not in answer for answer in answers) == 1
    bundle = bundle_of(*destinations(1, 5, advertiser=AdvertiserFactory(network=network)))
    answers = _at_once(api, "calls.json", {"bundle": bundle.id_from_network, "caller": None})
    assert Call.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert (
        api.post("calls.json", {"bundle": bundle.id_from_network, "caller": None}, Idempotency_Key="same").status_code
        == 201
    )


@pytest.mark.django_db(transaction=True)
def test_the_same_put_from_many_threads_makes_one(api):
    answers, ready = [], threading.Barrier(6)

    def send(index):
        try:
            ready.wait()
            mine = Api(api.user, api.network, key=api.key)
            answers.append(mine.put("advertisers/27.json", {"name": f"A{index}"}).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Advertiser.objects.count() == 1
    assert sorted(answers)[-1] == 201 and set(answers) <= {200, 201, 409}


@pytest.fixture
def empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("empty_cache")
def test_too_many_requests(api, settings, as_, personas):
    settings.API_RATE_LIMIT = "3/h"
    settings.API_CALL_RATE_LIMIT = "2/h"
    assert [api.get("advertisers.json").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = api.get("advertisers.json")
    assert codes(answer) == [("throttled", None)]
    assert 1 <= int(answer["Retry-After"]) <= 3600 and answer.json()["details"]["limit"] == 3
    assert [api.post("calls.json", {}).status_code for _ in range(3)] == [422, 422, 429]
    assert api.old().get("advertisers.json").status_code == 429
    assert as_(personas.super).get("advertisers.json").status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("empty_cache")
def test_blocks_ask_the_cache_once_in_many_and_never_give_more_than_the_limit(personas, settings, monkeypatch):
    settings.API_CALL_RATE_LIMIT = "5500/h"
    asked = []
    real = throttling.cache.incr
    monkeypatch.setattr(throttling.cache, "incr", lambda *args: asked.append(1) or real(*args))
    limiters = [throttling.Limiter("test", "API_CALL_RATE_LIMIT") for _ in range(2)]
    identity, passed = Identity(personas.member, token_id=1), 0
    for turn in range(6000):
        try:
            limiters[turn % 2].check(identity)
            passed += 1
        except throttling.Throttled:
            pass
    assert passed == 5500
    assert len(asked) < 1700


@pytest.mark.django_db
def test_without_the_cache_calls_are_routed(api, network, monkeypatch, caplog):
    bundle = bundle_of(*destinations(1, advertiser=AdvertiserFactory(network=network)))

    def gone(*args, **kwargs):
        raise ConnectionError("no cache")

    monkeypatch.setattr(throttling.cache, "incr", gone)
    for _ in range(130):
        assert api.post("calls.json", {"bundle": bundle.id_from_network, "caller": None}).status_code == 201
    assert api.get("advertisers.json").status_code == 200
    warned = [record for record in caplog.records if "rate limits are off" in record.getMessage()]
    assert 1 <= len(warned) <= 2
    assert connection.is_usable()
