"""Tokens over HTTP: every way to send one, and every way in which one opens nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal import memory
from portal.accounts.actions.tokens import token_create, token_revoke
from portal.accounts.models import ApiToken, Membership
from portal.accounts.tokens import key_digest
from portal.audit.models import AuditEvent
from portal.errors import Invalid, NotAllowed, NotFound
from tests.api.conftest import codes

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(as_, personas):
    return as_(personas.super)


@pytest.mark.parametrize("written", ["{}", "Bearer {}", "bearer {}", "Token {}", "  {}  "])
def test_ways_to_send_a_token(api, written):
    assert api.get("advertisers.json", Authorization=written.format(api.key)).status_code == 200


def test_without_a_token(as_):
    answer = as_(None).get("advertisers.json")
    assert (answer.status_code, codes(answer)) == (401, [("not_authenticated", None)])
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["request_id"] == answer["X-Request-ID"]


@pytest.mark.parametrize("key", ["nonsense", "Basic dXNlcjpwdw==", "hr_" + "x" * 43, "é", "Bearer"])
@pytest.mark.parametrize(("method", "path"), [("GET", "advertisers.json"), ("POST", "calls.json")])
def test_wrong_tokens(as_, key, method, path):
    answer = as_(None).send(method, path, {} if method == "POST" else None, Authorization=key)
    assert (answer.status_code, codes(answer)) == (401, [("invalid_token", None)])
    assert "WWW-Authenticate" in answer


def test_expired_revoked_inactive(api, personas):
    token, key = token_create(by=None, user=personas.super, name="x", expires_at=timezone.now() + timedelta(hours=1))
    assert api.get("advertisers.json", Authorization=key).status_code == 200
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    memory.forget_everything()
    assert codes(api.get("advertisers.json", Authorization=key)) == [("token_expired", None)]
    token, key = token_create(by=None, user=personas.super, name="y")
    assert api.get("advertisers.json", Authorization=key).status_code == 200
    token_revoke(by=personas.super, token=token)
    assert codes(api.get("advertisers.json", Authorization=key)) == [("token_revoked", None)]
    personas.super.is_active = False
    personas.super.save()
    memory.forget_everything()
    assert codes(api.get("advertisers.json")) == [("user_inactive", None)]


def test_a_read_only_token_reads_and_simulates_and_writes_nothing(as_, personas):
    api = as_(personas.super, read_only=True)
    assert api.get("advertisers.json").status_code == 200
    for method, path in (
        ("POST", "advertisers.json"), ("PUT", "advertisers/a.json"), ("PATCH", "advertisers/a.json"),
        ("DELETE", "advertisers/a.json"), ("POST", "calls.json"), ("POST", "calls/00000000-00000001/events.json"),
    ):  # fmt: skip
        answer = api.send(method, path, {"name": "A"})
        assert (answer.status_code, codes(answer)) == (403, [("token_read_only", None)]), path
    assert codes(api.post("bundles/none/simulate.json", {})) == [("not_found", "bundle")]


def test_only_a_digest_is_kept_and_the_key_is_long_and_recognisable(personas):
    token, key = token_create(by=personas.member, user=personas.member, name="switch")
    assert key.startswith("hr_") and len(key) >= 3 + 43
    assert token.digest == key_digest(key) and token.prefix == key[:10]
    assert key not in str(ApiToken.objects.values().get(pk=token.pk))
    assert key not in str(list(AuditEvent.objects.values()))


def test_who_makes_and_revokes_tokens(personas):
    with pytest.raises(NotAllowed):
        token_create(by=personas.super, user=personas.member, name="his")
    token, _ = token_create(by=personas.staff, user=personas.member, name="for him")
    with pytest.raises(NotFound):
        token_revoke(by=personas.outsider, token=token)
    token_revoke(by=personas.member, token=token)
    assert AuditEvent.objects.filter(event__startswith="token.").count() == 2


def test_bad_tokens_are_refused_with_every_problem(personas):
    with pytest.raises(Invalid) as refused:
        token_create(by=None, user=personas.member, name=" ", expires_at=timezone.now())
    assert [(field, code) for field, code, _ in refused.value.problems] == [
        ("name", "required"), ("expires_at", "in_the_past")
    ]  # fmt: skip


def test_a_known_token_costs_no_query_and_its_use_is_noted_once_a_minute(api, personas, django_assert_num_queries):
    api.get("advertisers.json")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(2):  # the network, the page
        api.get("advertisers.json")
    memory.forget_everything()
    api.get("advertisers.json")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    memory.forget_everything()
    api.get("advertisers.json")
    assert ApiToken.objects.get().last_used_at >= first


def test_the_audit_trail_names_the_token(api):
    api.post("advertisers.json", {"name": "A"})
    event = AuditEvent.objects.get(event="advertiser.create")
    assert event.token == ApiToken.objects.get() and event.actor == api.user and event.request_id


def test_a_network_that_is_not_the_users_is_404(api, as_, personas):
    other = Membership.objects.get(user=personas.outsider).network
    for path in (f"/api/2026-11-01/{other.pk}/advertisers.json", "/api/2026-11-01/999999999999/advertisers.json",
                 f"/api/2026-11-01/{2**70}/advertisers.json"):  # fmt: skip
        answer = api.get(path)
        assert (answer.status_code, codes(answer)) == (404, [("unknown_network", "network_id")])
    staff = as_(personas.staff)
    assert staff.get(f"/api/2026-11-01/{other.pk}/advertisers.json").status_code == 200
    assert staff.get("/api/2026-11-01/999999999/advertisers.json").status_code == 404


def test_a_session_reads_and_writes_with_csrf_only(personas, network, client):
    client.force_login(personas.super)
    url = f"/api/2026-11-01/{network.pk}/advertisers.json"
    assert client.get(url).status_code == 200
    client.handler.enforce_csrf_checks = True
    answer = client.post(url, {"name": "A"}, content_type="application/json")
    assert (answer.status_code, codes(answer)) == (403, [("csrf_failed", None)])
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post(url, {"name": "A"}, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == 201


def test_oauth_token_in_old_versions_only(api, network):
    old = f"/api/2015-05-01/{network.pk}/advertisers.json"
    api.client.defaults = {}
    assert api.send("GET", f"{old}?oauth_token={api.key}", Authorization="").status_code == 200
    answer = api.send("POST", old, {"name": "A", "id_from_network": "a", "oauth_token": api.key}, Authorization="")
    assert answer.status_code == 201 and "oauth_token" not in answer.json()
    new = f"/api/2026-11-01/{network.pk}/advertisers.json?oauth_token={api.key}"
    assert api.send("GET", new, Authorization="").status_code == 401
