"""Versions, and the one shape of errors."""

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.test import RequestFactory

from campaigns.models import Advertiser
from portal.api import errors, versioning
from tests.api.conftest import codes
from tests.factories import AdvertiserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(as_, personas):
    return as_(personas.super)


@pytest.mark.parametrize("version", versioning.VERSIONS)
def test_every_version_exists(api, network, version):
    assert api.get(f"/api/{version}/{network.pk}/advertisers.json").status_code == 200


@pytest.mark.parametrize("version", ["2014-11-01", "2015-04-30", "2026-11-02", "v1", "9999-99-99", "%00", "latest"])
@pytest.mark.parametrize("rest", ["1/advertisers.json", "nothing/here", "", "1/calls.json"])
def test_unknown_versions_list_those_that_exist(api, version, rest):
    answer = api.get(f"/api/{version}/{rest}")
    assert answer.status_code == 404
    assert codes(answer) == [("unknown_version", None)]
    assert answer.json()["details"]["versions"] == list(versioning.VERSIONS)


def test_an_unknown_address(api):
    answer = api.get("nothing.json")
    assert (answer.status_code, codes(answer)) == (404, [("not_found", None)])
    assert api.old().get("nothing.json").json()["errors"]["class"] == "RecordNotFound"


def test_wrong_method(api):
    answer = api.delete("advertisers.json")
    assert (answer.status_code, codes(answer)) == (405, [("method_not_allowed", None)])
    assert answer["Allow"] == "GET, HEAD, POST"
    assert api.send("PUT", "calls.json", {}).status_code == 405
    assert api.get("calls/00000000-00000001/events.json").status_code == 405


def test_current_resources_are_not_in_old_versions(api):
    for path in ("calls.json", "bundles.json", "campaigns.json"):
        assert api.old().get(path).status_code == 404
    answer = api.old().post("calls.json", {})
    assert answer.json()["errors"]["class"] == "RecordNotFound"


def test_nul_in_addresses_and_queries(api):
    for path in ("advertisers/%00.json", "campaigns.json?q=%00", "advertisers/a/advertiser_campaigns/%00.json",
                 "calls.json?caller=%00", "bundles/%ED%A0%80.json", "calls/%00.json"):  # fmt: skip
        assert api.get(path).status_code in (200, 404, 422), path


@pytest.mark.parametrize(
    ("query", "field"),
    [("cursor=zzz", "cursor"), ("cursor=cD1hYmM%3D", "cursor"), ("cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk%3D", "cursor"),
     ("page_size=0", "page_size"), ("page_size=501", "page_size"), ("page_size=x", "page_size")],
)  # fmt: skip
def test_bad_pages(api, query, field):
    answer = api.get(f"advertisers.json?{query}")
    assert answer.status_code == 422 and codes(answer)[0][1] == field


def test_old_versions_answer_in_their_own_shape(api, as_, personas):
    old = api.old()
    answer = old.get("advertisers/none.json")
    assert answer.status_code == 404
    assert answer.json() == {"errors": {"class": "RecordNotFound", "invalid_data": "There is no such advertiser."}}
    answer = old.post("advertisers.json", {"name": "", "id_from_network": "a"})
    assert answer.status_code == 403 and list(answer.json()["errors"]) == ["name"]
    answer = as_(personas.observer).old().post("advertisers.json", {"name": "A"})
    assert answer.status_code == 403 and "Member" in answer.json()["errors"]["base"][0]
    assert as_(None).old().get("advertisers.json").json()["errors"]["class"] == "NotAuthenticated"


def test_races_are_409_and_an_absent_database_503(api):
    def caught(error, cause=None):
        error.__cause__ = cause
        return errors.describe(error)

    AdvertiserFactory(network=api.network, id_from_network="a")
    with pytest.raises(IntegrityError) as raised, connection.cursor() as cursor:
        cursor.execute("SAVEPOINT s")
        try:
            cursor.execute(
                "INSERT INTO campaigns_advertiser (network_id, id_from_network, name, extra, created_at) "
                "SELECT network_id, id_from_network, name, extra, created_at FROM campaigns_advertiser"
            )
        finally:
            connection.connection.execute("ROLLBACK TO s")
    answer = errors.describe(raised.value)
    assert (answer.status, answer.details) == (409, {"constraint": "advertiser_id_once_per_network"})
    assert caught(OperationalError("gone")).status == 503
    assert Advertiser.objects.count() == 1


def test_what_nobody_foresaw_is_a_500_without_its_words():
    request = RequestFactory().get("/api/2026-11-01/1/advertisers.json")
    answer = errors.respond(RuntimeError("secret words"), request)
    assert answer.status_code == 500
    assert b"secret" not in answer.content and b"internal_error" in answer.content
