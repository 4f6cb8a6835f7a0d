"""Personas, the world that the rights matrices try them in (fixture `world`, by persona), and what their tables are read with.

A surface answers "ok", 403, 404 or "sign in".
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse

from campaigns import actions
from campaigns.models import CallLeg, Campaign
from portal.accounts import access
from portal.accounts.actions.tokens import token_create
from portal.accounts.models import Membership, Network, User
from portal.accounts.roles import Role
from portal.errors import NotAllowed, NotFound
from tests import factories

# Who sees the campaign at all, and what else he may do on it or in its network.
VIEW, CHANGE, CAPS, OPERATE, ACCESS = "view", "change", "change_budget_caps", "operate", "manage_access"
ROUTE, AUDIT, MEMBERS = "route_calls", "view_audit", "manage_members"
# What it gives, and everything else about promo numbers: tests/test_rights_matrix_numbers.py.
NUMBERS = "manage_numbers"
# Changing the call treatment is a change like any other, on a page of its own.
TREATMENT = "treatment"
EVERYTHING = {VIEW, CHANGE, CAPS, OPERATE, ACCESS, ROUTE, AUDIT, MEMBERS, NUMBERS}
HOLDS: dict[str, set[str]] = {
    "limited":               set(),
    "limited_campaign":      {VIEW, CAPS},            # change_budget_caps granted on the campaign
    "limited_advertiser":    {VIEW, OPERATE},         # operate granted on its advertiser
    "limited_group":         {VIEW, CHANGE},          # change granted to a group that he is in
    "limited_access":        {VIEW, ACCESS},          # manage_access granted on the campaign
    "limited_numbers":       {VIEW, NUMBERS},         # manage_numbers granted on its advertiser
    "observer":              {VIEW},
    "observer_caps":         {VIEW, CAPS},            # change_budget_caps granted on the campaign
    "member":                {VIEW, CHANGE, ROUTE, NUMBERS},
    "manager":               {VIEW, CHANGE, ROUTE, NUMBERS, CAPS, OPERATE, AUDIT},
    "super":                 EVERYTHING,
    "staff":                 EVERYTHING,
    "outsider":              set(),
    "former":                set(),                   # had every grant, then left the network
    "inactive":              set(),                   # a Super whose account is closed
    "anonymous":             set(),
}  # fmt: skip
for _held in HOLDS.values():
    _held |= {TREATMENT} if CHANGE in _held else set()
# In the network (so that the network itself is no secret to them) though they may not see the campaign.
INSIDE = {"limited"}
ON_ADVERTISER = {"limited_advertiser", "limited_numbers"}
SIGNED_OUT = {"anonymous", "inactive"}


@dataclass
class World:
    """One network with a campaign, a live call on it, and one persona."""

    campaign: Campaign
    bundle: Campaign
    leg: CallLeg
    cap: Any
    other_member: Membership
    user: Any
    client: Client
    headers: dict[str, str]

    @property
    def network(self) -> Network:
        return self.campaign.network


def make_user(persona: str, campaign: Campaign) -> User | AnonymousUser:
    network = campaign.network

    def belongs(role: Role, **fields: Any) -> User:
        return factories.MembershipFactory(network=network, role=role, **fields).user

    if persona == "anonymous":
        return AnonymousUser()
    if persona == "staff":
        return factories.UserFactory(is_platform_staff=True)
    if persona == "outsider":
        return factories.MembershipFactory(role=Role.SUPER).user
    if persona == "inactive":
        return belongs(Role.SUPER, user__is_active=False)
    if persona == "former":
        user = belongs(Role.LIMITED)
        for action in access.GRANTABLE:
            actions.access_grant(by=None, obj=campaign, to=user, action=action)
        Membership.objects.filter(user=user).delete()
        factories.MembershipFactory(user=user, role=Role.OBSERVER)
        return user
    role, _, how = persona.partition("_")
    user = belongs(Role[role.upper()])
    if how in ("campaign", "caps"):
        actions.access_grant(by=None, obj=campaign, to=user, action=CAPS)
    elif how == "advertiser":
        actions.access_grant(by=None, obj=campaign.advertiser, to=user, action=OPERATE)
    elif how == "numbers":
        actions.access_grant(by=None, obj=campaign.advertiser, to=user, action=NUMBERS)
    elif how == "access":
        actions.access_grant(by=None, obj=campaign, to=user, action=ACCESS)
    elif how == "group":
        group = factories.GroupFactory(network=network)
        user.groups.add(group)
        actions.access_grant(by=None, obj=campaign, to=group, action=CHANGE)
    return user


def entering(user: Any, network: Network) -> tuple[Any, Client, dict[str, str]]:
    """The user as the database has him, his browser looking at the network, and the headers of his token."""
    headers: dict[str, str] = {}
    client = Client()
    if user.pk:
        user = User.objects.get(pk=user.pk)
        if user.is_active:
            headers = {"Authorization": token_create(by=None, user=user, name="matrix")[1]}
        client.force_login(user)
        if access.stands_above(user):
            client.post(reverse("accounts:switch-network"), {"network": network.pk})
    return user, client, headers


@pytest.fixture
def world(db, request) -> World:
    persona = request.param
    factories.NetworkFactory(name="Another")
    network = factories.NetworkFactory(name="Acme")
    factories.MembershipFactory(network=network, role=Role.SUPER)
    campaign = factories.CampaignFactory(advertiser__network=network, name="Roofing")
    cap = factories.cap(campaign, 5)
    bundle = factories.bundle_of(campaign)
    routed = actions.call_route(by=None, network=network, campaign=bundle.pk, caller="+13035550199")
    other = factories.MembershipFactory(network=network, role=Role.OBSERVER)
    user, client, headers = entering(make_user(persona, campaign), network)
    return World(campaign, bundle, CallLeg.objects.get(pk=routed.leg_id), cap, other, user, client, headers)


# Every write that a surface can make, one line each: (action, surface) -> how it is done. A surface answers "ok", 403,
# 404 or "sign in".

Attempt = Callable[[World], Any]


def answer_of(response: Any) -> Any:
    """What an HTTP answer means: success, a refusal, or the way to the sign-in page."""
    if response.status_code in (301, 302):
        return "sign in" if "/login/" in response["Location"] else "ok"
    if response.status_code == 401:
        return "sign in"
    return (
        response.status_code if response.status_code in (403, 404) else "ok" if response.status_code < 300 else response
    )


def call(write: Callable[..., Any], **values: Any) -> Any:
    """What an action means by what it raised."""
    try:
        write(**values)
    except NotAllowed:
        return 403
    except NotFound:
        return 404
    return "ok"


def api(world: Any, method: str, path: str, body: dict[str, Any] | None = None, version: str = "2026-11-01") -> Any:
    """One request to the API as the persona's token (or without one)."""
    url = f"/api/{version}/{world.network.pk}/{path}.json"
    client = Client(headers=world.headers)
    return answer_of(client.generic(method, url, json.dumps(body or {}), content_type="application/json"))


def cases(surfaces: Mapping[str, Mapping[str, Any]], personas: Collection[str]) -> list[Any]:
    """(persona, action, surface) of the whole table, named so."""
    return [
        pytest.param(persona, action, surface, id=f"{persona}-{action}-{surface}")
        for surface, attempts in surfaces.items()
        for action in attempts
        for persona in personas
        if (persona, surface) != ("anonymous", "action")  # an action is always somebody's
    ]


def rows_of(*names: str) -> dict[str, list[Any]]:
    """Every row of the models: compared before and after, it shows whether an attempt wrote."""
    return {name: list(apps.get_model(name).objects.order_by("pk").values()) for name in names}
