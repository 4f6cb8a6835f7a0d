"""Over the API: which number is wished for, numbers that are bought, purchases, proposals to reclaim."""

from uuid import uuid4

import pytest
from promo_numbers import actions
from promo_numbers.models import NumberOrder, PromoNumber

from tests.api.conftest import codes
from tests.factories import stock

from .counting import assert_counted
from .number_calls import ALL, NEW, own

pytestmark = pytest.mark.django_db

IN_303 = {**NEW, "local_center": {"tn_prefix": "303"}}


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


@pytest.mark.django_db(transaction=True)
def test_a_bought_number_is_answered_like_any_other(scene, api, cloud):
    cloud.stock(5, area_code="303")
    key = str(uuid4())
    first = api.post(ALL, IN_303, Idempotency_Key=key)
    assert first.status_code == 201, first.content
    body = first.json()
    assert (body["state"], body["supplier"], body["order"]["state"]) == ("active", "twilio", "done")
    again = api.post(ALL, IN_303, Idempotency_Key=key)
    assert again.json() == body and again.status_code == 201
    assert len(cloud.purchases) == 1
    assert api.put(own("new"), IN_303).status_code == 201
    assert api.old().post(ALL, IN_303).json()["promo_number"].startswith("+1303")
    assert len(cloud.purchases) == 3


@pytest.mark.django_db(transaction=True)
def test_a_purchase_without_an_answer_is_202_until_it_is_known(scene, api, cloud):
    cloud.stock(5, area_code="303")
    key = str(uuid4())
    cloud.plan = ["lost_after"]
    first = api.post(ALL, IN_303, Idempotency_Key=key)
    assert first.status_code == 202
    body = first.json()
    assert (body["state"], body["promo_number"], body["order"]["state"]) == ("ordered", None, "unknown")
    assert api.post(ALL, IN_303, Idempotency_Key=key).status_code == 202
    address = body["object_url"].removeprefix("http://testserver")
    assert api.get(address).json()["state"] == "ordered"
    NumberOrder.objects.update(look_up_at="2026-01-01T00:00Z")
    actions.orders.orders_look_up()
    after = api.get(address).json()
    assert (after["state"], after["promo_number"]) == ("active", cloud.purchases[0][0])
    assert len(cloud.purchases) == 1
    cloud.plan = ["lost_after"]
    old = api.old().put(own("later"), IN_303)
    assert old.status_code == 202 and old.json()["status"] == "Being bought"
    assert codes(api.delete(own("later"))) == [("being_bought", "promo_number")]


@pytest.mark.django_db(transaction=True)
def test_a_refused_purchase_is_409_and_its_key_may_try_again(scene, api, cloud):
    cloud.stock(5, area_code="303")
    key = str(uuid4())
    cloud.plan = ["400"]
    refused = api.post(ALL, IN_303, Idempotency_Key=key)
    assert refused.status_code == 409 and codes(refused) == [("not_bought", None)]
    assert api.post(ALL, IN_303, Idempotency_Key=key).status_code == 201
    assert len(cloud.purchases) == 1
    cloud.plan = ["429"]
    old = api.old().post(ALL, IN_303)
    assert old.status_code == 403 and "none was bought" in old.json()["errors"]["base"][0]
    assert_counted(scene.network)


@pytest.mark.django_db(transaction=True)
def test_purchases_are_listed(scene, api, as_, cloud, django_assert_num_queries):
    cloud.stock(20, area_code="303")
    scene.limits(allowed=20)
    cloud.plan = ["lost_after"]
    api.post(ALL, IN_303)
    api.get("number_orders.json")
    (order,) = api.get("number_orders.json").json()["results"]
    assert (order["state"], order["campaign"]["id_from_network"], order["promo_number"]) == ("unknown", "roofing", "")
    with django_assert_num_queries(3, exact=False) as few:
        api.get("number_orders.json")
        cost = len(few)
    for _ in range(7):
        assert api.post(ALL, IN_303).status_code == 201
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
