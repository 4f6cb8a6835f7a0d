"""Promo numbers over the API, in the Network Integration shapes and in the current version."""

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, NumberOrder, PromoNumber

from campaigns.actions import access_grant
from portal.api import throttling
from tests.api.conftest import Api, codes
from tests.campaigns.race import Tally, together
from tests.factories import PromoNumberFactory, stock

from .counting import assert_counted

pytestmark = pytest.mark.django_db

BELOW = "advertisers/27/advertiser_campaigns/roofing"
ALL, BY_ID = f"{BELOW}/promo_numbers.json", f"{BELOW}/promo_numbers_by_id.json"
NEW = {"description": "Bus stop", "media_type": "Offline: Billboard"}
MOVE = {
    "destination_advertiser_id_from_network": "27",
    "destination_advertiser_campaign_id_from_network": "plumbing",
}


def one(number):
    return f"{BELOW}/promo_numbers/{number}.json"


def own(name):
    return f"{BELOW}/promo_numbers_by_id/{name}.json"


@pytest.fixture
def as_(scene):
    for limiter in (throttling.requests, throttling.calls):
        limiter.clear()
    return lambda persona, **kwargs: Api(getattr(scene.people, persona), scene.network, **kwargs)


@pytest.fixture
def api(as_):
    return as_("member")


@pytest.fixture(params=["2015-05-01", "2022-08-01"])
def old(as_, request):
    return as_("member", version=request.param)


# Network Integration versions.


def test_post_returns_the_number_that_it_got_and_is_not_idempotent(scene, old):
    sent = {**NEW, "custom_data": {"store": "12"}, "local_center": {"tn_prefix": "805"},
            "local_number_preferences": {"search_radius_miles": 240, "restrict_search_to_state": True},
            "tn_prefix_whitelist": ["805"], "promo_type": "Local", "their_field": {"kept": [1, None]}}  # fmt: skip
    first, second = old.post(ALL, sent), old.post(ALL, sent)
    assert (first.status_code, second.status_code) == (201, 201), first.content
    body = first.json()
    assert body["promo_number"].startswith("+1805") and body["promo_number"] != second.json()["promo_number"]
    for name, value in sent.items():
        assert body[name] == value, name
    assert body["object_url"].endswith(
        f"/{old.version}/{scene.network.pk}/{one(body['promo_number'])}".replace("+", "%2B")
    )
    assert set(body) == {*sent, "id", "id_from_network", "promo_number", "object_url"}
    assert old.get(one(body["promo_number"])).json() == body
    assert old.get(one(body["promo_number"][2:])).json() == body, "as people write it, too"
    assert [row["id"] for row in old.get(ALL).json()] == [second.json()["id"], body["id"]]
    assert old.get(BY_ID).json() == old.get(ALL).json()


def test_put_by_id_is_an_upsert(scene, old):
    assert old.put(own("bus-12"), NEW).status_code == 201
    again = old.put(own("bus-12"), {"description": "Other stop"})
    assert again.status_code == 200
    assert (again.json()["description"], again.json()["id_from_network"]) == ("Other stop", "bus-12")
    assert old.post(own("bus-12"), {"media_type": "Offline: TV"}).status_code == 200
    assert PromoNumber.objects.count() == 1
    assert old.get(own("bus-12")).json()["media_type"] == "Offline: TV"
    mismatch = old.put(own("bus-12"), {"id_from_network": "other"})
    assert mismatch.status_code == 403 and "id does not change" in mismatch.json()["errors"]["id_from_network"][0]


def test_put_by_number_takes_that_number(scene, old):
    taken = old.put(one("8052000007"), NEW)
    assert taken.status_code == 201 and taken.json()["promo_number"] == "+18052000007"
    assert old.put(one("+18052000007"), {"description": "New"}).status_code == 200
    carried = old.post(one("+13035550188"), NEW)
    assert carried.status_code == 201 and PromoNumber.objects.get(number="+13035550188").supplier == "own"


def test_a_number_moves_and_calls_follow(scene, old):
    number = old.post(ALL, NEW).json()["promo_number"]
    moved = old.put(one(number), {**MOVE, "description": "Moved"})
    assert moved.status_code == 200 and "/plumbing/promo_numbers/" in moved.json()["object_url"]
    row = PromoNumber.objects.get(number=number)
    assert (row.campaign, row.description) == (scene.plumbing, "Moved")
    assert old.get(one(number)).status_code == 404
    assert_counted(scene.network)


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"destination_advertiser_id_from_network": "27"}, "destination_advertiser_campaign_id_from_network",
         "To move a number"),
        ({**MOVE, "destination_advertiser_campaign_id_from_network": "nowhere"},
         "destination_advertiser_campaign_id_from_network", "no campaign “nowhere”"),
        ({"media_type": "Skywriting"}, "media_type", "is not a media type"),
        ({"promo_type": "Vanity"}, "promo_type", "is not a promo type"),
        ({"description": " "}, "description", "blank"),
        ({"local_center": {"zipcode": "12"}}, "local_center.zipcode", "not a ZIP code"),
        ({"local_center": {"city": "Denver", "state": "ZZ"}}, "local_center.state", "not a state"),
        ({"local_center": {"tn_prefix": "8"}}, "local_center.tn_prefix", "beginning of a number"),
        ({"tn_prefix_whitelist": ["x"]}, "tn_prefix_whitelist", "list of area codes"),
        ({"promo_number_looks_like": "!!"}, "promo_number_looks_like", "does not look like a number"),
        ({"promo_number": "12"}, "promo_number", "is not a phone number"),
    ],
)  # fmt: skip
def test_invalid_input_is_403_with_its_field_and_writes_nothing(scene, as_, sent, field, said):
    number = PromoNumberFactory(campaign=scene.roofing)
    before = list(PromoNumber.objects.values())
    for method, path in (("PUT", one(number.number)), ("POST", ALL)):
        answer = as_("member", version="2015-05-01").send(method, path, {**NEW, **sent})
        assert answer.status_code == 403, (method, answer.content)
        assert said in answer.json()["errors"][field][0]
        current = as_("member").send(method, path, {**NEW, **sent})
        assert current.status_code == 422 and field in [error[1] for error in codes(current)]
    assert list(PromoNumber.objects.values()) == before


def test_the_sentence_and_the_missing_record(scene, old):
    scene.limits(allowed=0)
    refused = old.post(ALL, NEW)
    assert refused.status_code == 403
    assert refused.json() == {"errors": {"promo_number": [actions.SENTENCE]}}
    for path in (one("8055550100"), one("nonsense"), own("nothing")):
        missing = old.get(path)
        assert missing.status_code == 404
        assert missing.json()["errors"]["class"] == "RecordNotFound"
    assert old.patch(one("8055550100"), NEW).status_code == 404
    needs = old.put(own("new"), {"description": "x"})
    assert needs.status_code == 403 and needs.json()["errors"] == {"media_type": ["A new number needs its media_type."]}


def test_delete_releases_and_is_a_no_op_then(scene, old):
    number = old.post(ALL, {**NEW, "id_from_network": "a"}).json()["promo_number"]
    assert old.delete(one(number)).status_code == 204
    assert PromoNumber.objects.get(number=number).state == "released"
    assert old.delete(one(number)).status_code == 204
    assert old.delete(own("a")).status_code == 204
    assert old.get(own("a")).status_code == 404
    assert old.get(ALL).json() == []
    assert_counted(scene.network)


# Wishes.


@pytest.mark.parametrize(
    ("wish", "got"),
    [
        ({"local_center": {"city": "Denver", "state": "Colorado"}}, "+1303"),
        ({"local_center": {"city": "Boulder", "state": "CO"}}, "+1303"),  # none there: its state
        ({"local_center": {"zipcode": "80202"}}, "+1303"),
        ({"local_center": {"zipcode": 90012}}, "+1213"),
        ({"local_center": {"tn_prefix": "213200"}}, "+1213"),
        ({"local_center": {"tn_prefix": 303}}, "+1303"),
        ({"tn_prefix_whitelist": ["2132"]}, "+1213"),
        ({"tn_prefix_whitelist": [303, "213"], "local_center": {"state": "CA"}}, "+1213"),
        ({"promo_number_looks_like": "303-200-0001"}, "+13032000001"),
        ({"promo_number_looks_like": "213-200-9999"}, "+1213200"),
        ({"promo_number_looks_like": "213-***-****"}, "+1213"),
        ({"promo_number_looks_like": "2000002"}, "2000002"),
        ({"local_center": {"state": "TX"}, "local_number_preferences": {"restrict_search_to_state": False}}, "+1"),
        ({"promo_type": "TollFree"}, "+1888"),
    ],
)  # fmt: skip
def test_the_number_is_as_wished(scene, api, wish, got):
    stock(5, area_code="303", locality="Denver", region="CO")
    stock(5, area_code="213", locality="Los Angeles", region="CA")
    stock(1, area_code="888", kind="TollFree")
    answer = api.post(ALL, {**NEW, **wish})
    assert answer.status_code == 201, answer.content
    assert got in answer.json()["promo_number"]


@pytest.mark.parametrize(
    "wish",
    [
        {"local_center": {"state": "TX"}}, {"tn_prefix_whitelist": ["212"]}, {"promo_number_looks_like": "999*9"},
        {"local_center": {"tn_prefix": "303"}, "tn_prefix_whitelist": ["212"]}, {"promo_type": "Mobile"},
    ],
)  # fmt: skip
def test_a_rule_that_no_number_meets_is_refused(scene, api, wish):
    stock(5, area_code="303", region="CO")
    answer = api.post(ALL, {**NEW, **wish})
    assert answer.status_code == 409 and codes(answer) == [("out_of_numbers", None)]
    assert PromoNumber.objects.count() == 0


# 2026-11-01.


def test_every_field_in_the_current_version(scene, api):
    body = api.post(ALL, {**NEW, "id_from_network": 12, "kept": True}).json()
    assert body == {
        "kept": True, "id": body["id"], "id_from_network": "12", "description": "Bus stop", "media_type": "Offline: Billboard",
        "promo_number": body["promo_number"], "promo_number_formatted": body["promo_number_formatted"], "state": "active",
        "promo_type": "Local", "object_url": body["object_url"], "ring_pool": None, "custom_data": {}, "supplier": "stock",
        "order": None, "last_called_on": None, "released_at": None, "created_at": body["created_at"],
        "advertiser": {"id": scene.advertiser.pk, "id_from_network": "27", "name": scene.advertiser.name},
        "campaign": {"id": scene.roofing.pk, "id_from_network": "roofing", "name": "Roofing"},
    }  # fmt: skip
    assert body["promo_number_formatted"].startswith("(805) 200-")
    patched = api.patch(own("12"), {"custom_data": {"a": [1, {"b": None}]}, "more": 1}).json()
    assert (patched["custom_data"], patched["kept"], patched["more"]) == ({"a": [1, {"b": None}]}, True, 1)
    assert api.patch(own("12"), body).status_code == 200, "what was read can be sent back"


def test_a_limit_is_409_with_its_breakdown(scene, api):
    scene.limits(allowed=1, total=5)
    assert api.post(ALL, NEW).status_code == 201
    refused = api.post(ALL, NEW)
    assert refused.status_code == 409
    assert refused.json()["errors"] == [
        {"code": "promo_number_limit_reached", "detail": actions.SENTENCE, "field": "promo_number"}
    ]
    details = refused.json()["details"]
    assert (details["reached"], details["asked"]) == (["campaign"], 1)
    assert [(row["ceiling"], row["used"], row["limit"]) for row in details["limits"]] == [
        ("campaign", 1, 1), ("network_total", 1, 5),
    ]  # fmt: skip
    CampaignNumbers.objects.filter(pk=scene.plumbing.pk).update(allowed=0)
    number = PromoNumber.objects.get().number
    moved = api.put(one(number), {**MOVE, "description": "Both or nothing"})
    assert moved.status_code == 409 and moved.json()["details"]["reached"] == ["campaign"]
    assert PromoNumber.objects.get().description == "Bus stop"


def test_etags_refuse_lost_updates(scene, api):
    api.put(own("a"), NEW)
    read = api.get(own("a"))
    assert api.get(own("a"), If_None_Match=read["ETag"]).status_code == 304
    assert api.patch(own("a"), {"description": "Mine"}, If_Match=read["ETag"]).status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        late = api.send(method, own("a"), {"description": "Theirs"}, If_Match=read["ETag"])
        assert late.status_code == 412
    assert PromoNumber.objects.get().description == "Mine"
    assert api.put(own("a"), NEW, If_None_Match="*").status_code == 412
    assert api.put(own("b"), NEW, If_None_Match="*").status_code == 201


def test_an_idempotency_key_adds_one_number(scene, api):
    key = str(uuid4())
    first = api.post(ALL, NEW, Idempotency_Key=key)
    again = api.post(ALL, NEW, Idempotency_Key=key)
    assert again["Idempotent-Replayed"] == "true" and again.json() == first.json()
    assert PromoNumber.objects.count() == 1
    assert codes(api.post(ALL, {**NEW, "description": "y"}, Idempotency_Key=key)) == [
        ("idempotency_key_reused", "Idempotency-Key")
    ]


def test_pages_are_cursors_at_a_constant_cost(scene, api, django_assert_num_queries):
    scene.limits(allowed=100)
    paths = (ALL, BY_ID, "promo_numbers.json", "promo_numbers.json?q=bus&campaign=roofing&kind=static")

    def costs():
        found = []
        for path in paths:
            api.get(path)
            with django_assert_num_queries(7, exact=False) as said:
                assert api.get(path).status_code == 200
            found.append(len(said))
        return found

    api.post(ALL, NEW)
    few = costs()
    for _ in range(24):
        api.post(ALL, NEW)
    assert costs() == few
    seen, path = [], f"{ALL}?page_size=10"
    while path:
        page = api.get(path)
        seen += [row["id"] for row in page.json()["results"]]
        path = page.json()["next"]
        if path:
            assert 'rel="next"' in page["Link"]
            path = path.removeprefix("http://testserver")
    assert len(seen) == 25 and seen == sorted(seen, reverse=True)


def test_the_network_is_searched(scene, api, as_):
    actions.number_add(by=None, campaign=scene.roofing, description="Flyer in Ventura", number="+18055550123")
    actions.number_add(by=None, campaign=scene.plumbing, description="Spot", media_type="Offline: TV")
    actions.dynamic_numbers_add(by=None, pool=scene.pool, count=2, wanted=actions.numbers.Wanted())
    gone = actions.number_add(by=None, campaign=scene.plumbing, description="Gone")
    actions.numbers_release(by=None, numbers=[gone])

    def found(query="", persona="observer"):
        rows = as_(persona).get(f"promo_numbers.json{query}").json()["results"]
        return sorted(row["description"] for row in rows)

    assert found() == ["Flyer in Ventura", "RingPool Web", "RingPool Web", "Spot"]
    assert found("?q=5550123") == found("?q=vent") == ["Flyer in Ventura"]
    assert found("?kind=dynamic") == ["RingPool Web"] * 2 and found("?state=released") == ["Gone"]
    assert found("?campaign=plumbing") == found("?media_type=Offline: TV") == ["Spot"]
    assert found("?advertiser=28") == []
    assert as_("observer").get("promo_numbers.json?kind=odd").status_code == 422
    assert found(persona="limited") == []
    access_grant(by=None, obj=scene.plumbing, to=scene.people.limited, action="view")
    assert found(persona="limited") == ["Spot"]
    dynamic = PromoNumber.objects.filter(ring_pool=scene.pool).first()
    body = api.get(f"promo_numbers/{dynamic.pk}.json").json()
    assert body["ring_pool"]["id_from_network"] == "web" and body["object_url"].endswith(
        f"/promo_numbers/{dynamic.pk}.json"
    )
    assert api.get(f"promo_numbers/{2**70}.json").status_code == 404
    assert api.get(one(dynamic.number)).status_code == 404, "a RingPool's numbers are not direct ones"
    assert as_("outsider").get("promo_numbers.json").status_code == 404
    assert api.old().get("promo_numbers.json").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_sixteen_upserts_of_one_id_make_one_number(scene, as_):
    clients = [as_("member") for _ in range(16)]
    tally = Tally()
    together(lambda number: tally.add(str(clients[number].put(own("same"), NEW).status_code)))
    assert tally.counts == {"201": 1, "200": 15}
    assert PromoNumber.objects.count() == 1
    assert_counted(scene.network)


# What has to be bought.


@pytest.mark.django_db(transaction=True)
def test_a_bought_number_is_answered_like_any_other(scene, api, cloud):
    cloud.stock(5, area_code="303")
    key = str(uuid4())
    wish = {**NEW, "local_center": {"tn_prefix": "303"}}
    first = api.post(ALL, wish, Idempotency_Key=key)
    assert first.status_code == 201, first.content
    body = first.json()
    assert (body["state"], body["supplier"], body["order"]["state"]) == ("active", "twilio", "done")
    again = api.post(ALL, wish, Idempotency_Key=key)
    assert again.json() == body and again.status_code == 201
    assert len(cloud.purchases) == 1
    assert api.put(own("new"), wish).status_code == 201
    assert api.old().post(ALL, wish).json()["promo_number"].startswith("+1303")
    assert len(cloud.purchases) == 3


@pytest.mark.django_db(transaction=True)
def test_a_purchase_without_an_answer_is_202_until_it_is_known(scene, api, cloud):
    cloud.stock(5, area_code="303")
    key, wish = str(uuid4()), {**NEW, "local_center": {"tn_prefix": "303"}}
    cloud.plan = ["lost_after"]
    first = api.post(ALL, wish, Idempotency_Key=key)
    assert first.status_code == 202
    body = first.json()
    assert (body["state"], body["promo_number"], body["order"]["state"]) == ("ordered", None, "unknown")
    assert api.post(ALL, wish, Idempotency_Key=key).status_code == 202
    address = body["object_url"].removeprefix("http://testserver")
    assert api.get(address).json()["state"] == "ordered"
    NumberOrder.objects.update(look_up_at="2026-01-01T00:00Z")
    actions.orders.orders_look_up()
    after = api.get(address).json()
    assert (after["state"], after["promo_number"]) == ("active", cloud.purchases[0][0])
    assert len(cloud.purchases) == 1
    cloud.plan = ["lost_after"]
    old = api.old().put(own("later"), wish)
    assert old.status_code == 202 and old.json()["status"] == "Being bought"
    assert codes(api.delete(own("later"))) == [("being_bought", "promo_number")]


@pytest.mark.django_db(transaction=True)
def test_a_refused_purchase_is_409_and_its_key_may_try_again(scene, api, cloud):
    cloud.stock(5, area_code="303")
    key, wish = str(uuid4()), {**NEW, "local_center": {"tn_prefix": "303"}}
    cloud.plan = ["400"]
    refused = api.post(ALL, wish, Idempotency_Key=key)
    assert refused.status_code == 409 and codes(refused) == [("not_bought", None)]
    assert api.post(ALL, wish, Idempotency_Key=key).status_code == 201
    assert len(cloud.purchases) == 1
    cloud.plan = ["429"]
    old = api.old().post(ALL, wish)
    assert old.status_code == 403 and "none was bought" in old.json()["errors"]["base"][0]
    assert_counted(scene.network)


# Purchases, and numbers to be reclaimed.


@pytest.mark.django_db(transaction=True)
def test_purchases_are_listed(scene, api, as_, cloud, django_assert_num_queries):
    cloud.stock(20, area_code="303")
    scene.limits(allowed=20)
    cloud.plan = ["lost_after"]
    wish = {**NEW, "local_center": {"tn_prefix": "303"}}
    api.post(ALL, wish)
    api.get("number_orders.json")
    (order,) = api.get("number_orders.json").json()["results"]
    assert (order["state"], order["campaign"]["id_from_network"], order["promo_number"]) == ("unknown", "roofing", "")
    with django_assert_num_queries(3, exact=False) as few:
        api.get("number_orders.json")
        cost = len(few)
    for _ in range(7):
        assert api.post(ALL, wish).status_code == 201
    with django_assert_num_queries(cost):
        assert len(api.get("number_orders.json").json()["results"]) == 8
    ids = [row["promo_number_id"] for row in api.get("number_orders.json").json()["results"]]
    page = api.get("number_orders.json?page_size=5").json()
    rest = api.get(page["next"].removeprefix("http://testserver")).json()
    assert [row["promo_number_id"] for row in page["results"] + rest["results"]] == sorted(ids, reverse=True)
    assert len(api.get("number_orders.json?state=done").json()["results"]) == 7
    assert as_("limited").get("number_orders.json").json()["results"] == []


def test_proposals_are_listed_kept_and_released(scene, api, as_):
    from datetime import date

    from promo_numbers.actions.reclaim import reclaim_propose

    for name in ("One", "Two"):
        actions.number_add(by=None, campaign=scene.roofing, description=name)
    PromoNumber.objects.update(created_at="2026-01-05T00:00Z")
    reclaim_propose(date(2026, 11, 20))
    two, one_ = api.get("reclaim_proposals.json?state=proposed&campaign=roofing").json()["results"]
    assert (one_["description"], one_["reclaim_on"], one_["last_called_on"]) == ("One", "2026-11-27", None)
    keep, release = f"reclaim_proposals/{one_['id']}/keep.json", f"reclaim_proposals/{two['id']}/release.json"
    for persona, status in (("limited", 404), ("observer", 403), ("outsider", 404)):
        assert as_(persona).post(keep).status_code == status
        assert as_(persona).post(release).status_code == status
    assert codes(api.post(keep, {"note": "x" * 251})) == [("max_length", "note")]
    assert api.post(keep, {"note": "Spring"}).json()["state"] == "kept"
    assert api.post(release, {}).json()["state"] == "reclaimed"
    assert codes(api.post(keep, {})) == [("already_decided", None)]
    assert api.post("reclaim_proposals/0/keep.json", {}).status_code == 404
    assert set(PromoNumber.objects.values_list("description", "state")) == {("One", "active"), ("Two", "released")}
    assert api.old().get("reclaim_proposals.json").status_code == 404


# Nothing of any type is a 500.


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, width=32)
    | st.text(max_size=20) | st.sampled_from(["805", "80202", "Denver", "CO", "Local", "roofing", "27", "805-***-1234"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["tn_prefix", "zipcode", "city", "state", "search_radius_miles", "restrict_search_to_state"])
        | st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["description", "media_type", "promo_number", "promo_type", "local_center", "local_number_preferences", "id_from_network",
     "tn_prefix_whitelist", "promo_number_looks_like", "custom_data", "id", "state", "order", "campaign", "extra", *MOVE]
)  # fmt: skip


@pytest.mark.parametrize("version", ["2026-11-01", "2015-05-01"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", ALL), ("PUT", own("x")), ("PUT", one("8052000001")), ("PUT", one("%00"))]
)
def test_no_value_of_any_type_is_a_500(scene, client, as_, version, method, path):
    key = as_("member").key
    scene.limits(allowed=1000)

    @hypothesis_settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(data=st.dictionaries(FIELDS, JSON, max_size=6), complete=st.booleans())
    def send(data, complete):
        body = {**NEW, **data} if complete else data
        answer = client.generic(
            method, f"/api/{version}/{scene.network.pk}/{path}", json.dumps(body).encode(),
            content_type="application/json", headers={"Authorization": key},
        )  # fmt: skip
        assert answer.status_code < 500, (body, answer.content)

    send()
    assert_counted(scene.network)
