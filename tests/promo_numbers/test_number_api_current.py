"""Promo numbers in the version 2026-11-01: limits with their breakdown, ETags, idempotency, pages, search, upserts at once."""

from uuid import uuid4

import pytest
from promo_numbers import actions
from promo_numbers.models import CampaignNumbers, PromoNumber

from campaigns.actions import access_grant
from tests.api.conftest import codes
from tests.campaigns.race import Tally, together

from .counting import assert_counted
from .number_calls import ALL, BY_ID, MOVE, NEW, one, own

pytestmark = pytest.mark.django_db


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
