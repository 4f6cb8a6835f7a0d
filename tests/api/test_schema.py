"""The OpenAPI schema: complete, committed, served locally, and true of the real application."""

import json
from pathlib import Path

import pytest
import schemathesis
import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from promo_numbers.actions import network_limits_set
from promo_numbers.actions.requests import limit_request_create
from promo_numbers.models import RingPool
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from outbound import actions as outbound
from portal import memory
from portal.accounts.actions.tokens import token_create
from portal.wsgi import application
from tests.factories import (
    AdvertiserFactory,
    CampaignFactory,
    MembershipFactory,
    PromoNumberFactory,
    RingPoolFactory,
    bundle_of,
)

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
SCHEMA = schemathesis.openapi.from_wsgi("/api/schema", application)


def test_the_committed_schema_is_the_applications(tmp_path):
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(fresh))
    assert fresh.read_text() == COMMITTED.read_text(), "run: python manage.py spectacular --file docs/openapi.yaml"


def test_it_names_every_resource_in_the_current_version_only():
    schema = yaml.safe_load(COMMITTED.read_text())
    assert schema["openapi"].startswith("3.1")
    paths = {path.removeprefix("/api/2026-11-01/") for path in schema["paths"]}
    assert {
        "{network_id}/calls.json", "{network_id}/calls/{call}/events.json", "{network_id}/calls/{call}/release.json",
        "{network_id}/calls_in_progress/current_calls.json", "calls_in_progress/current_calls.json",
        "{network_id}/advertisers/{advertiser}/advertiser_campaigns/{campaign}.json", "{network_id}/campaigns.json",
        "{network_id}/bundles/{bundle}/destinations/{destination}.json", "{network_id}/bundles/{bundle}/simulate.json",
    } <= paths  # fmt: skip
    assert {"get", "post"} <= set(schema["paths"]["/api/2026-11-01/{network_id}/calls.json"])
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert operation["responses"]["401"]["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/Error"
            }


def test_swagger_ui_is_served_locally(client):
    page = client.get("/api/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle" in text
    assert "cdn." not in text and "unpkg" not in text
    assert client.get("/api/schema").status_code == 200


@pytest.fixture
def world(network):
    """What the fuzzed requests may meet, and a Manager's token."""
    advertiser = AdvertiserFactory(network=network, id_from_network="27")
    one = CampaignFactory(advertiser=advertiser, id_from_network="c1")
    bundle_of(one, id_from_network="b1")
    user = MembershipFactory(network=network, role=40).user
    number = PromoNumberFactory(campaign=one, number=ANI)
    pool = RingPoolFactory(campaign=one)
    RingPool.objects.filter(pk=pool.pk).update(id_from_network=str(pool.pk))
    outbound.carrier_create(by=None, network=network, kind="simulator", name="Simulator")
    batch = outbound.batch_create(by=None, network=network, name="Reminders", ani=ANI)
    network_limits_set(by=None, network=network, total=10)
    asked = limit_request_create(by=user, network=network, ceiling="network_total", more=5, reason="More boards")
    known = {
        "network_id": network.pk, "number": number.pk, "pool": pool.pk, "batch": batch.pk, "limit_request": asked.pk,
        "list": outbound.do_not_call_list_create(by=None, network=network, name="Never").pk,
    }  # fmt: skip
    _, key = token_create(by=None, user=user, name="fuzz")
    memory.forget_everything()
    # As Django's own test client does: the real application would close the connection that holds the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield {"network": network.pk, "key": key, "known": {**KNOWN, **known}}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


ANI = "+18055550100"
# What is not made there is asked for all the same: 404 is an answer too.
KNOWN = {
    "advertiser": "27",
    "campaign": "c1",
    "bundle": "b1",
    "destination": "c1",
    "call": "00000000-00000001",
    "person": "u-1",
}


@pytest.mark.django_db
@SCHEMA.parametrize()
@hypothesis_settings(
    max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
def test_no_request_breaks_the_application_or_its_schema(case, world):
    case.path_parameters = {
        # What the world has none of is asked for by an id that nothing has.
        name: world["known"].get(name, "1")
        for name in case.path_parameters or {}
    }
    case.headers = {
        name: value for name, value in (case.headers or {}).items() if name.lower() not in ("authorization", "x-request-id")
    }  # fmt: skip
    case.call_and_validate(
        headers={"Authorization": world["key"]},
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, width=32)
    | st.text(max_size=20) | st.sampled_from(["Daily", "USD", "America/Denver", "2026-01-01", "c1", "b1", "27", "Prefix"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["budget_amount", "name", "regions", "region_type", "value", "policies", "amount", "monday_open",
                         "concurrent_call_cap_alert", "budget_cap_alert", "reset_period", "starts_at", "root", "node_type"])
        | st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["name", "campaign_type", "hours", "named_regions", "budget_activities", "overflow", "advertiser", "payin", "payout",
     "timezone", "currency", "url", "description", "destination_phone_number", "advertiser_payin", "affiliate_payout", "ivr_tree",
     "repeat_caller", "repeat_window_days", "distribution", "id_from_network", "custom_data", "caller", "bundle", "at", "event",
     "pause_date", "email_settings", "role", "first_name", "timeout", "draft", "cause", "reason",
     "priority", "weight", "external_id", "promo_number", "id", "status"]
)  # fmt: skip
REQUESTS = [
    ("POST", "advertisers.json"), ("PUT", "advertisers/27.json"), ("PUT", "advertisers/27/advertiser_campaigns/c1.json"),
    ("PUT", "advertisers/27/advertiser_campaigns/new.json"), ("PATCH", "bundles/b1.json"), ("POST", "bundles.json"),
    ("POST", "bundles/b1/destinations.json"), ("POST", "bundles/b1/simulate.json"), ("POST", "calls.json"),
    ("PUT", "advertisers/27/users/u-1.json"), ("POST", "advertisers/27/advertiser_campaigns/c1/go_live.json"),
    ("POST", "calls/00000000-00000001/events.json"), ("POST", "calls/00000000-00000001/release.json"),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("version", ["2026-11-01", "2015-05-01"])
@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_no_value_of_any_type_is_a_500(client, world, version, method, path):
    @hypothesis_settings(max_examples=12, deadline=None, derandomize=True, database=None)
    @given(data=st.dictionaries(FIELDS, JSON, max_size=5))
    def send(data):
        answer = client.generic(
            method, f"/api/{version}/{world['network']}/{path}", json.dumps(data).encode(),
            content_type="application/json", headers={"Authorization": world["key"]},
        )  # fmt: skip
        assert answer.status_code < 500, (data, answer.content)

    send()
