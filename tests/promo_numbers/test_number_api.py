"""Promo numbers over the API, in the Network Integration shapes, and what no value may break."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from promo_numbers import actions
from promo_numbers.models import PromoNumber

from tests.api.conftest import codes
from tests.factories import PromoNumberFactory

from .counting import assert_counted
from .number_calls import ALL, BY_ID, MOVE, NEW, one, own

pytestmark = pytest.mark.django_db


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
