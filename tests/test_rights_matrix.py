"""The rights matrix: persona x action x surface, from one table (design, section 4).

`HOLDS` says which persona may do what on the campaign; everything else follows from it: who may is answered with success
on every surface, who may not but sees the campaign with 403, who does not see it with 404, and who is not signed in with
the way to the sign-in page (401 over the API). On every refusal nothing may have been written.
"""

import json
from typing import Any

import pytest
from django.urls import reverse

from campaigns import actions
from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts import actions as account_actions
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from tests.rights_world import (
    ACCESS,
    AUDIT,
    CAPS,
    CHANGE,
    HOLDS,
    INSIDE,
    MEMBERS,
    ON_ADVERTISER,
    OPERATE,
    ROUTE,
    SIGNED_OUT,
    TREATMENT,
    VIEW,
    Attempt,
    World,
    answer_of,
    api,
    call,
    cases,
    rows_of,
)


def _by(world: World) -> Any:
    return world.user


ACTION_ATTEMPTS: dict[str, Attempt] = {
    VIEW: lambda w: "ok" if access.restrict(Campaign.objects.filter(pk=w.campaign.pk), w.user).exists() else 404,
    CHANGE: lambda w: call(actions.campaign_update, by=_by(w), campaign=w.campaign, name="Renamed"),
    CAPS: lambda w: call(actions.cap_set, by=_by(w), campaign=w.campaign, kind="concurrent_calls", amount=3),
    OPERATE: lambda w: call(actions.slot_release, by=_by(w), leg=w.leg.pk, reason="stuck"),
    ACCESS: lambda w: call(
        actions.access_grant, by=_by(w), obj=w.campaign, to=w.other_member.user, action="manage_access"
    ),
    ROUTE: lambda w: call(
        actions.call_route, by=_by(w), network=w.campaign.network, campaign=w.bundle.pk, caller="+13035550100"
    ),
    MEMBERS: lambda w: call(account_actions.member_change_role, by=_by(w), membership=w.other_member, role=Role.MEMBER),
}

PAGE_ATTEMPTS: dict[str, Attempt] = {
    VIEW: lambda w: answer_of(w.client.get(reverse("campaigns:detail", args=[w.campaign.pk]))),
    CHANGE: lambda w: answer_of(w.client.post(reverse("campaigns:wizard", args=[w.campaign.pk]), edit_form(w))),
    TREATMENT: lambda w: answer_of(
        w.client.post(reverse("campaigns:treatment", args=[w.campaign.pk]), treatment_form())
    ),
    CAPS: lambda w: answer_of(w.client.post(reverse("campaigns:caps", args=[w.campaign.pk]), caps_form(w))),
    OPERATE: lambda w: answer_of(w.client.post(reverse("campaigns:status", args=[w.campaign.pk]), {"move": "pause"})),
    ACCESS: lambda w: answer_of(
        w.client.post(
            reverse("campaigns:access", args=[w.campaign.pk]),
            {"to": f"member:{w.other_member.user_id}", "permission": "manage_access", "do": "grant"},
        )
    ),
    AUDIT: lambda w: answer_of(w.client.get(reverse("accounts:audit"))),
    MEMBERS: lambda w: answer_of(
        w.client.post(reverse("accounts:member", args=[w.other_member.pk]), {"role": Role.MEMBER.value})
    ),
}

ADMIN_ATTEMPTS: dict[str, Attempt] = {
    VIEW: lambda w: answer_of(w.client.get(reverse("admin:campaigns_campaign_change", args=[w.campaign.pk]))),
    CHANGE: lambda w: answer_of(
        w.client.post(reverse("admin:campaigns_campaign_change", args=[w.campaign.pk]), admin_form(w))
    ),
    CAPS: lambda w: answer_of(
        w.client.post(
            reverse("admin:campaigns_cap_change", args=[w.cap.pk]), {"amount": "3", "alert_thresholds": "75,90,100"}
        )
    ),
    AUDIT: lambda w: answer_of(w.client.get(reverse("admin:audit_auditevent_change", args=[own_event(w).pk]))),
    MEMBERS: lambda w: answer_of(
        w.client.post(
            reverse("admin:accounts_membership_change", args=[w.other_member.pk]), {"role": Role.MEMBER.value}
        )
    ),
}


def campaign_path(world: World) -> str:
    return (
        f"advertisers/{world.campaign.advertiser.id_from_network}/advertiser_campaigns/{world.campaign.id_from_network}"
    )


ADVERTISER_USER = {"email_settings": [{"email_address": "new@agency.example"}], "role": "Observer"}
CAP_BODY = {"budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 3}}}

API_ATTEMPTS: dict[str, Attempt] = {
    VIEW: lambda w: api(w, "GET", campaign_path(w)),
    CHANGE: lambda w: api(w, "PATCH", campaign_path(w), {"name": "Renamed"}),
    CAPS: lambda w: api(w, "PATCH", campaign_path(w), CAP_BODY),
    OPERATE: lambda w: api(w, "POST", f"{campaign_path(w)}/archive"),
    MEMBERS: lambda w: api(w, "PUT", f"advertisers/{w.campaign.advertiser.id_from_network}/users/u1", ADVERTISER_USER),
    ROUTE: lambda w: api(w, "POST", "calls", {"bundle": w.bundle.id_from_network, "caller": "+13035550100"}),
}

SURFACES = {"action": ACTION_ATTEMPTS, "page": PAGE_ATTEMPTS, "admin": ADMIN_ATTEMPTS, "api": API_ATTEMPTS}


def own_event(world: World) -> AuditEvent:
    return AuditEvent.objects.filter(network=world.campaign.network).latest("id")


def edit_form(world: World) -> dict[str, Any]:
    return {"name": "Renamed", "description": "Shingles"}


def treatment_form() -> dict[str, Any]:
    return {"do": "save", "tree": json.dumps({"root": {"node_type": "EndCall"}})}


def caps_form(world: World) -> dict[str, Any]:
    return {"concurrent_calls-on": "on", "concurrent_calls-amount": "3"}


def admin_form(world: World) -> dict[str, Any]:
    return {
        "name": "Renamed", "time_zone": "America/New_York", "hours": "{}", "named_regions": "[]", "currency": "USD",
        "payin": "0", "payout": "0", "operating_24_7": "on", "caps-TOTAL_FORMS": "0", "caps-INITIAL_FORMS": "0",
    }  # fmt: skip


def expected(persona: str, action: str, surface: str) -> Any:
    """The rule of the matrix, with the few places where a surface differs written out."""
    if action in HOLDS[persona]:
        return "ok"
    if persona in SIGNED_OUT:
        # An action has no sign-in to point to: to it such a user is one who sees nothing.
        return 404 if surface == "action" else "sign in"
    seen = VIEW in HOLDS[persona]
    if action == ROUTE:  # a right in the network: who belongs to it is told what he lacks
        return 403 if seen or persona in INSIDE else 404
    if action == AUDIT and surface == "page":
        # The page shows the current network; outsiders look at their own.
        return {"outsider": "ok", "former": 403}.get(persona, 403)
    if action == AUDIT:
        return 404
    if action == MEMBERS:
        limited = persona.startswith("limited")
        if surface == "action":
            return 403 if seen or persona in INSIDE else 404
        if surface == "api":  # the users of an advertiser: there for whoever sees the advertiser itself
            return 403 if (seen and not limited) or persona in ON_ADVERTISER else 404
        # Limited members do not see the list of members.
        return 404 if limited or not seen else 403
    return 403 if seen else 404


def written() -> dict[str, list[Any]]:
    """Every row that a refused attempt might have touched."""
    return rows_of(
        "campaigns.Campaign", "campaigns.Cap", "campaigns.CallLeg", "campaigns.Call", "campaigns.DestinationState",
        "campaigns.CampaignUserGrant", "campaigns.CampaignGroupGrant", "campaigns.AdvertiserUserGrant",
        "campaigns.AdvertiserGroupGrant", "campaigns.BundleDestination", "accounts.Membership", "accounts.Network",
        "audit.AuditEvent",
    )  # fmt: skip


@pytest.mark.parametrize(("world", "action", "surface"), cases(SURFACES, HOLDS), indirect=["world"])
def test_matrix(world, action, surface, request):
    persona = request.node.callspec.id.split("-")[0]
    before = written()
    answer = SURFACES[surface][action](world)
    assert answer == expected(persona, action, surface), getattr(answer, "content", b"")[:2000]
    after = written()
    if answer != "ok" or action in (VIEW, AUDIT):
        assert after == before
    else:
        assert after != before, "nothing was written"
