"""Advertisers."""

import pytest

from campaigns.models import Advertiser
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory, CampaignFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(as_, personas):
    return as_(personas.manager)


def test_create_read_change_delete(api, network):
    answer = api.post("advertisers.json", {"name": "Acme Roofing", "id_from_network": "27", "website": "x.example"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["name"], body["id_from_network"], body["website"]) == ("Acme Roofing", "27", "x.example")
    assert body["object_url"].endswith(f"/api/2026-11-01/{network.pk}/advertisers/27.json")
    assert api.get(body["object_url"].removeprefix("http://testserver")).json() == body
    assert api.patch("advertisers/27.json", {"name": "Acme"}).json()["name"] == "Acme"
    assert api.get("advertisers/27.json").json()["website"] == "x.example"
    assert api.put("advertisers/27.json", {"name": "Again"}).status_code == 200
    assert api.put("advertisers/28.json", {"name": "New"}).status_code == 201
    assert api.delete("advertisers/27.json").status_code == 204
    assert api.delete("advertisers/27.json").status_code == 204
    assert list(Advertiser.objects.values_list("id_from_network", flat=True)) == ["28"]


def test_an_id_is_made_up_or_must_be_given(api, network):
    assert api.post("advertisers.json", {"name": "A"}).json()["id_from_network"].startswith("adv-")
    network.auto_generate_ids = False
    network.save()
    answer = api.post("advertisers.json", {"name": "A"})
    assert (answer.status_code, codes(answer)) == (422, [("required", "id_from_network")])


BAD = [
    ({}, [("required", "name")]),
    ({"name": "  "}, [("blank", "name")]),
    ({"name": None}, [("null", "name")]),
    ({"name": 5}, [("invalid", "name")]),
    ({"name": ["A"]}, [("invalid", "name")]),
    ({"name": "x" * 201}, [("max_length", "name")]),
    ({"name": "A", "id_from_network": "a/b"}, [("invalid", "id_from_network")]),
    ({"name": "A", "id_from_network": "x" * 101}, [("max_length", "id_from_network")]),
    ({"name": "A", "id_from_network": {}}, [("invalid", "id_from_network")]),
    ({"name": "A", "id_from_network": True}, [("invalid", "id_from_network")]),
    ({"name": "A", "kept": "x" * 70_000}, [("too_much_kept", None)]),
]


@pytest.mark.parametrize(("data", "expected"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_input(api, data, expected):
    answer = api.post("advertisers.json", data)
    assert (answer.status_code, codes(answer)) == (422, expected)
    assert not Advertiser.objects.exists()


def test_taken_mismatched_missing_and_in_use(api, network):
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    assert codes(api.post("advertisers.json", {"name": "B", "id_from_network": "27"})) == [
        ("id_taken", "id_from_network")
    ]
    assert codes(api.put("advertisers/27.json", {"id_from_network": "28"})) == [("id_mismatch", "id_from_network")]
    assert api.patch("advertisers/none.json", {"name": "B"}).status_code == 404
    CampaignFactory(advertiser=advertiser)
    answer = api.delete("advertisers/27.json")
    assert (answer.status_code, codes(answer)) == (409, [("has_campaigns", None)])


def test_who_may_what(as_, personas, network):
    AdvertiserFactory(network=network, id_from_network="27")
    people = ("limited", "observer", "member", "manager", "super", "outsider", "staff")
    matrix = {
        ("GET", "advertisers.json"): (200, 200, 200, 200, 200, 404, 200),
        ("GET", "advertisers/27.json"): (404, 200, 200, 200, 200, 404, 200),
        ("PATCH", "advertisers/27.json"): (404, 403, 200, 200, 200, 404, 200),
        ("POST", "advertisers.json"): (403, 403, 201, 201, 201, 404, 201),
        ("PUT", "advertisers/new.json"): (403, 403, 201, 200, 200, 404, 200),
        ("DELETE", "advertisers/27.json"): (204, 403, 403, 204, 204, 404, 204),
    }
    for (method, path), expected in matrix.items():
        got = tuple(
            as_(getattr(personas, name)).send(method, path, {"name": "A"} if method != "GET" else None).status_code
            for name in people
        )
        assert got == expected, (method, path)
        if method == "PATCH":
            answer = as_(personas.observer).send(method, path, {"name": "A"})
            assert answer.json()["details"]["permission"] == "campaigns.change_advertiser"
            assert codes(answer) == [("permission_denied", None)]


def test_pages_with_link_headers(api, network):
    for number in range(5):
        AdvertiserFactory(network=network, name=f"A{number}")
    first = api.get("advertisers.json?page_size=2")
    assert [row["name"] for row in first.json()["results"]] == ["A4", "A3"]
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    assert first.json()["previous"] is None
    second = api.get(first.json()["next"].removeprefix("http://testserver"))
    assert [row["name"] for row in second.json()["results"]] == ["A2", "A1"]
    assert 'rel="next"' in second["Link"] and 'rel="prev"' in second["Link"]
    bare = api.old().get("advertisers.json?page_size=2")
    assert isinstance(bare.json(), list) and 'rel="next"' in bare["Link"]


@pytest.mark.parametrize("rows", [1, 30])
def test_a_list_costs_the_same_whatever_its_length(api, network, rows, django_assert_max_num_queries):
    for _ in range(rows):
        AdvertiserFactory(network=network)
    api.get("advertisers.json")
    with django_assert_max_num_queries(2):
        assert len(api.get("advertisers.json").json()["results"]) == rows


def test_etags(api, network):
    AdvertiserFactory(network=network, id_from_network="27")
    read = api.get("advertisers/27.json")
    tag = read["ETag"]
    known = api.get("advertisers/27.json", If_None_Match=tag)
    assert (known.status_code, known.content) == (304, b"")
    written = api.patch("advertisers/27.json", {"name": "B"}, If_Match=tag)
    assert written.status_code == 200 and written["ETag"] != tag
    stale = api.patch("advertisers/27.json", {"name": "C"}, If_Match=tag)
    assert (stale.status_code, codes(stale)) == (412, [("precondition_failed", "If-Match")])
    assert api.put("advertisers/none.json", {"name": "C"}, If_Match=tag).status_code == 412
    assert api.put("advertisers/27.json", {"name": "C"}, If_None_Match="*").status_code == 412
    assert Advertiser.objects.get().name == "B"
