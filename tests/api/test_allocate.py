"""allocate_number.json and bulk.json: what web pages ask, from any origin, with the pool's key alone."""

import json
from urllib.parse import quote, urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from promo_numbers import actions
from promo_numbers.models import Allocation, PromoNumber

from portal.api import throttling
from tests.factories import CampaignFactory, stock

pytestmark = pytest.mark.django_db
CURRENT, OLD = "2026-11-01", "2015-05-01"


@pytest.fixture(autouse=True)
def limiters():
    cache.clear()
    throttling.pools.clear()
    throttling.visitors.clear()


@pytest.fixture
def pool(network):
    stock(30)
    campaign = CampaignFactory(advertiser__network=network)
    return actions.ring_pool_create(by=None, campaign=campaign, name="Web", max_pool_size=3).pool


def url(pool, version=CURRENT, **params):
    params = {"ring_pool_key": pool.api_key, **params}
    return f"/api/{version}/ring_pools/{pool.pk}/allocate_number.json?{urlencode(params)}"


def get(address, **headers):
    return Client().get(address, headers=headers)


def test_the_older_shape_word_for_word(pool):
    body = get(url(pool, OLD, utm_source="search")).json()
    number = PromoNumber.objects.get(slot__visitor__isnull=False).number
    assert body == {
        "promo_number": number,
        "promo_number_formatted": f"({number[2:5]}) {number[5:8]}-{number[8:]}",
        "tracking_url": f"tel:{number}",
    }


def test_the_current_shape_says_what_it_is_and_until_when(pool):
    body = get(url(pool, visitor="a")).json()
    assert body["assignment"] == "visitor" and body["expires_at"].endswith("Z")
    assert get(url(pool, visitor="a")).json()["promo_number"] == body["promo_number"]
    for other in "bc":
        get(url(pool, visitor=other))
    assert get(url(pool, visitor="d")).json()["assignment"] == "overflow"


def test_post_takes_json_text_and_forms(pool):
    path = url(pool).split("?")[0]
    data = {"ring_pool_key": pool.api_key, "visitor": "a", "utm_source": "x"}
    for body, kind in (
        (json.dumps(data), "application/json"),
        (json.dumps(data), "text/plain;charset=UTF-8"),
        (urlencode(data), "application/x-www-form-urlencoded"),
    ):
        answer = Client().post(path, body, content_type=kind)
        assert answer.status_code == 200, answer.content
    assert Allocation.objects.get().params == {"utm_source": "x"}


def test_any_origin_may_ask_and_nobody_keeps_the_answer(pool):
    for answer in (get(url(pool), Origin="https://shop.example"), get(url(pool) + "x", Origin="https://shop.example")):
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer
        assert answer["Cache-Control"] == "no-store"
        assert not answer.cookies
    preflight = Client().options(url(pool), headers={"Origin": "https://shop.example"})
    assert preflight.status_code == 204 and "POST" in preflight["Access-Control-Allow-Methods"]
    assert Client().delete(url(pool)).status_code == 405
    assert Allocation.objects.count() == 1


def test_no_page_middleware_and_one_statement(pool, django_assert_num_queries):
    client = Client()
    client.get(url(pool, visitor="a"))
    with django_assert_num_queries(0):
        # The prepared statement does not pass through Django's cursors, and nothing else is asked.
        answer = client.get(url(pool, visitor="a"))
    assert answer.status_code == 200 and answer["Content-Length"]
    assert "X-Frame-Options" not in answer


@pytest.mark.parametrize("key", ["", "wrong", "é", "x" * 5000, "%00"])
def test_a_wrong_key_is_not_found(pool, key):
    address = f"/api/{CURRENT}/ring_pools/{pool.pk}/allocate_number.json?ring_pool_key={quote(key, safe='%')}"
    answer = get(address)
    assert answer.status_code in (400, 404), answer.content
    assert not Allocation.objects.exists()


def test_errors_have_the_versions_shape(pool):
    pool.api_key = "no"
    assert get(url(pool)).json()["errors"][0]["code"] == "unknown_ring_pool"
    assert get(url(pool, OLD)).json()["errors"]["class"] == "RecordNotFound"
    assert get(url(pool, "2010-01-01")).json()["errors"][0]["code"] == "unknown_version"


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"p{n}=x" for n in range(51)),
        "&".join(f"p{n}=x" for n in range(500)),
        "n" * 101 + "=x",
        "page=" + "x" * 1001,
    ],
)
def test_hostile_parameters_are_refused(pool, query):
    assert get(url(pool) + "&" + query).status_code == 422
    assert get(url(pool, OLD) + "&" + query).status_code == 403
    assert not Allocation.objects.exists()


@pytest.mark.parametrize("query", ["a=%00", "a=%ED%A0%80", "a=%FF%FE", "%F0%9F%93%9E=%F0%9F%93%9E", "a=b=c&&&=&%zz"])
def test_strange_characters_never_break_it(pool, query):
    assert get(url(pool) + "&" + query).status_code in (200, 400, 422)


@pytest.mark.parametrize(
    "body", ["[]", "{", '{"a": {"b": 1}}', '{"a": [1]}', '{"a": "\\ud800"}', '{"a": "\\u0000"}', "\xff"]
)
def test_bodies_that_make_no_sense(pool, body):
    answer = Client().post(url(pool), body.encode("latin-1"), content_type="application/json")
    assert answer.status_code in (400, 422), answer.content


def test_bulk(pool):
    suffix = url(pool, visitor="a").partition(f"/api/{CURRENT}/")[2]
    asked = [
        {"api_suffix": suffix, "request_id": "one"},
        {"api_suffix": f"/{suffix}", "request_id": 2},
        {"api_suffix": "ring_pools/1/other.json", "request_id": "bad"},
        {"api_suffix": suffix.replace(pool.api_key, "no"), "request_id": "key"},
        {"api_suffix": 7},
        "text",
    ]
    for answer in (
        Client().post(f"/api/{CURRENT}/bulk.json", json.dumps({"requests": asked}), content_type="text/plain"),
        get(f"/api/{CURRENT}/bulk.json?{urlencode({'requests': json.dumps(asked)})}"),
    ):
        assert answer.status_code == 200 and answer["Access-Control-Allow-Origin"] == "*"
        found = answer.json()["responses"]
        assert [(one["request_id"], one["status"]) for one in found] == [
            ("one", 200), (2, 200), ("bad", 422), ("key", 404), (None, 422), (None, 422),
        ]  # fmt: skip
        assert found[0]["response"]["promo_number"] == found[1]["response"]["promo_number"]
    for wrong in ([], [asked[0]] * 21, {}, None, "x"):
        body = json.dumps({"requests": wrong})
        assert Client().post(f"/api/{CURRENT}/bulk.json", body, content_type="application/json").status_code == 422
    assert get(f"/api/{CURRENT}/bulk.json?requests=[[[[").status_code == 422


def test_rates_are_limited_by_pool_and_by_address(pool, settings):
    settings.API_VISITOR_RATE_LIMIT = "3/min"
    answers = [get(url(pool, visitor=str(n))) for n in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["Retry-After"] and answers[-1]["Access-Control-Allow-Origin"] == "*"
    settings.API_VISITOR_RATE_LIMIT = "0/min"
    settings.API_POOL_RATE_LIMIT = "2/min"
    cache.clear()
    throttling.pools.clear()
    bad = url(pool).replace(pool.api_key, "guess")
    assert [get(bad).status_code for _ in range(3)] == [404, 404, 429]
    assert [get(url(pool)).status_code for _ in range(3)] == [200, 200, 429]


def test_the_address_behind_a_trusted_proxy(pool, settings):
    settings.API_VISITOR_RATE_LIMIT = "1/min"
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    seen = [get(url(pool), X_Forwarded_For=f"6.6.6.6, 10.0.0.{n}").status_code for n in (1, 2, 1)]
    assert seen == [200, 200, 429]


def test_an_archived_pool_answers_not_found(pool):
    actions.ring_pool_archive(by=None, pool=pool)
    assert get(url(pool)).status_code == 404
