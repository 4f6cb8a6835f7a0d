"""The rights matrix of outbound: persona x {view, change, operate} x {action, page, api}, from one table.

Who may is answered with success on every surface, who may not but sees the batch with 403, who does not see it with 404.
On every refusal nothing was written.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse

from campaigns import actions as campaign_actions
from outbound import actions
from outbound.models import Batch, BatchState, Recipient
from outbound.queries.batches import batch_of
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from tests.factories import MembershipFactory
from tests.rights_world import answer_of, call, entering
from tests.rights_world import api as ask_api

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
    batch = house.batch(numbers(3))
    user, client, headers = entering(user, house.network)
    return SimpleNamespace(
        persona=persona, user=user, batch=batch, one=Recipient.objects.filter(batch=batch).first(), client=client,
        headers=headers, network=house.network,
    )  # fmt: skip


def page(w, name, *, post=False, recipient=False, **data):
    args = [w.batch.pk, w.one.pk] if recipient else [w.batch.pk]
    address = reverse(f"outbound:{name}", args=args)
    return answer_of(w.client.post(address, data) if post else w.client.get(address))


def api(w, method, path="", body=None):
    return ask_api(w, method, f"batches/{w.batch.pk}{path}", body)


PACE = {"priority": "7", "max_attempts": "2", "retry_minutes": "5"}
ATTEMPTS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("view", "action"): lambda w: call(batch_of, user=w.user, network=w.network, pk=w.batch.pk),
    ("view", "page"): lambda w: page(w, "detail"),
    ("view", "page of a call"): lambda w: page(w, "call", recipient=True),
    ("view", "export"): lambda w: page(w, "export"),
    ("view", "api"): lambda w: api(w, "GET"),
    ("view", "api of people"): lambda w: api(w, "GET", "/recipients"),
    ("view", "api of results"): lambda w: api(w, "GET", "/deliveries"),
    ("change", "action"): lambda w: call(actions.batch_update, by=w.user, batch=w.batch, priority=9),
    ("change", "page"): lambda w: page(w, "pace", post=True, **PACE),
    ("change", "page of lists"): lambda w: page(w, "lists", post=True, numbers="+13035559988"),
    ("change", "api"): lambda w: api(w, "PATCH", "", {"priority": 9}),
    ("change", "api of people"): lambda w: api(w, "POST", "/recipients", {"calls": [{"destination": "+13035559988"}]}),
    ("operate", "action"): lambda w: call(actions.batch_stop, by=w.user, batch=w.batch),
    ("operate", "page"): lambda w: page(w, "stop", post=True),
    ("operate", "page of pause"): lambda w: page(w, "pause", post=True),
    ("operate", "page of hang-up"): lambda w: page(w, "hang-up", post=True),
    ("operate", "page of a call"): lambda w: page(w, "call-cancel", post=True, recipient=True),
    ("operate", "page of an opt-out"): lambda w: page(w, "call-opt-out", post=True, recipient=True),
    ("operate", "api"): lambda w: api(w, "POST", "/stop"),
    ("operate", "api of pause"): lambda w: api(w, "POST", "/pause"),
    ("operate", "api of a call"): lambda w: api(w, "POST", f"/recipients/{w.one.pk}/cancel"),
    ("operate", "action of an opt-out"): lambda w: call(actions.recipient_opt_out, by=w.user, recipient=w.one),
    ("operate", "api of an opt-out"): lambda w: api(w, "POST", f"/recipients/{w.one.pk}/opt_out"),
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
