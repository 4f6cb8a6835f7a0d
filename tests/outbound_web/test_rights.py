"""The rights matrix of outbound: persona x {view, change, operate} x {action, page, api}, from one table.

Who may is answered with success on every surface, who may not but sees the batch with 403, who does not see it with 404.
On every refusal nothing was written.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import actions as campaign_actions
from outbound import actions
from outbound.models import Batch, BatchState, Recipient
from outbound.queries.batches import batch_of
from portal.accounts import access
from portal.accounts.actions.tokens import token_create
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import NotAllowed, NotFound
from tests.factories import MembershipFactory

from .conftest import numbers

pytestmark = pytest.mark.django_db

HOLDS: dict[str, set[str]] = {
    "limited":            set(),
    "limited_campaign":   {"view", "change"},             # change granted on the ani's campaign
    "limited_advertiser": {"view", "operate"},            # operate granted on its advertiser
    "observer":           {"view"},
    "member":             {"view", "change"},
    "manager":            {"view", "change", "operate"},
    "super":              {"view", "change", "operate"},
    "staff":              {"view", "change", "operate"},
    "outsider":           set(),
}  # fmt: skip


@pytest.fixture
def world(house, request):
    persona = request.param
    people = house.people
    if persona in ("limited_campaign", "limited_advertiser"):
        user = MembershipFactory(network=house.network, role=Role.LIMITED).user
        obj = house.campaign if persona == "limited_campaign" else house.campaign.advertiser
        campaign_actions.access_grant(
            by=None, obj=obj, to=user, action="change" if persona == "limited_campaign" else "operate"
        )
    else:
        user = getattr(people, persona)
    user = User.objects.get(pk=user.pk)
    batch = house.batch(numbers(3))
    headers = {"Authorization": token_create(by=None, user=user, name="matrix")[1]}
    client = Client()
    client.force_login(user)
    if access.stands_above(user):
        client.post(reverse("accounts:switch-network"), {"network": house.network.pk})
    return SimpleNamespace(
        persona=persona, user=user, batch=batch, one=Recipient.objects.filter(batch=batch).first(), client=client,
        headers=headers, network=house.network,
    )  # fmt: skip


def answered(response: Any) -> Any:
    if response.status_code in (301, 302):
        return "ok"
    return (
        response.status_code if response.status_code in (403, 404) else "ok" if response.status_code < 300 else response
    )


def acted(write: Callable[..., Any], **values: Any) -> Any:
    try:
        write(**values)
    except NotAllowed:
        return 403
    except NotFound:
        return 404
    return "ok"


def page(w, name, *, post=False, recipient=False, **data):
    args = [w.batch.pk, w.one.pk] if recipient else [w.batch.pk]
    address = reverse(f"outbound:{name}", args=args)
    return answered(w.client.post(address, data) if post else w.client.get(address))


def api(w, method, path, data=None):
    address = f"/api/2026-11-01/{w.network.pk}/batches/{w.batch.pk}{path}"
    return answered(getattr(w.client, method)(address, data, content_type="application/json", headers=w.headers))


PACE = {"priority": "7", "max_attempts": "2", "retry_minutes": "5"}
ATTEMPTS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("view", "action"): lambda w: acted(batch_of, user=w.user, network=w.network, pk=w.batch.pk),
    ("view", "page"): lambda w: page(w, "detail"),
    ("view", "page of a call"): lambda w: page(w, "call", recipient=True),
    ("view", "export"): lambda w: page(w, "export"),
    ("view", "api"): lambda w: api(w, "get", ".json"),
    ("view", "api of people"): lambda w: api(w, "get", "/recipients.json"),
    ("view", "api of results"): lambda w: api(w, "get", "/deliveries.json"),
    ("change", "action"): lambda w: acted(actions.batch_update, by=w.user, batch=w.batch, priority=9),
    ("change", "page"): lambda w: page(w, "pace", post=True, **PACE),
    ("change", "page of lists"): lambda w: page(w, "lists", post=True, numbers="+13035559988"),
    ("change", "api"): lambda w: api(w, "patch", ".json", {"priority": 9}),
    ("change", "api of people"): lambda w: api(
        w, "post", "/recipients.json", {"calls": [{"destination": "+13035559988"}]}
    ),
    ("operate", "action"): lambda w: acted(actions.batch_stop, by=w.user, batch=w.batch),
    ("operate", "page"): lambda w: page(w, "stop", post=True),
    ("operate", "page of pause"): lambda w: page(w, "pause", post=True),
    ("operate", "page of hang-up"): lambda w: page(w, "hang-up", post=True),
    ("operate", "page of a call"): lambda w: page(w, "call-cancel", post=True, recipient=True),
    ("operate", "api"): lambda w: api(w, "post", "/stop.json"),
    ("operate", "api of pause"): lambda w: api(w, "post", "/pause.json"),
    ("operate", "api of a call"): lambda w: api(w, "post", f"/recipients/{w.one.pk}/cancel.json"),
}


def state_of(w):
    batch = Batch.objects.get(pk=w.batch.pk)
    return batch.status, batch.priority, BatchState.objects.get(pk=batch.pk).pending, AuditEvent.objects.count()


@pytest.mark.parametrize("world", HOLDS, indirect=True)
@pytest.mark.parametrize(("action", "surface"), ATTEMPTS, ids=[f"{action}-{surface}" for action, surface in ATTEMPTS])
def test_who_may_do_what(world, action, surface):
    before = state_of(world)
    answer = ATTEMPTS[action, surface](world)
    holds = HOLDS[world.persona]
    expected = "ok" if action in holds else 403 if "view" in holds else 404
    assert answer == expected
    if expected == "ok":
        assert action == "view" or state_of(world) != before or surface == "page of hang-up"
    else:
        assert state_of(world) == before, "a refusal writes nothing"
