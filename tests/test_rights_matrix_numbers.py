"""The rights matrix of promo numbers: the same personas and surfaces, what is done to numbers, limits, requests and contracts.

`manage_numbers` (Member, or a grant) adds, changes, moves and releases numbers, and asks for more. A campaign's limit, and a
request for it, are a Super's; the network's limits, requests for those and the contract are platform staff's alone.
"""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.actions.contracts import contract_set
from promo_numbers.actions.requests import limit_request_create, limit_request_decide
from promo_numbers.models import LimitRequest, NetworkNumbers, PromoNumber

from portal.accounts.roles import Role
from tests import factories
from tests.rights_world import (
    HOLDS,
    INSIDE,
    NUMBERS,
    SIGNED_OUT,
    VIEW,
    Attempt,
    World,
    answer_of,
    api,
    call,
    cases,
    rows_of,
)
from tests.test_rights_matrix import campaign_path
from tests.test_rights_matrix import written as written_elsewhere

ADD, EDIT, MOVE, RELEASE, ASK = "add", "edit", "move", "release", "ask"
RAISE, DECIDE = "raise_number_limit", "decide_campaign"
TOTAL, DYNAMIC, DECIDE_NETWORK, CONTRACT = "total_limit", "dynamic_limit", "decide_network", "contract"
BY_NUMBERS = {ADD, EDIT, MOVE, RELEASE, ASK}
BY_SUPER = {RAISE, DECIDE}
BY_STAFF = {TOTAL, DYNAMIC, DECIDE_NETWORK, CONTRACT}


@pytest.fixture
def numbers(world: World) -> World:
    """The world with a number on the campaign, free stock, limits, a request of a colleague for each, and no contract."""
    factories.stock(3)
    network = world.campaign.network
    actions.number_add(
        by=None, campaign=world.campaign, description="Flyer", number="+13035550142", id_from_network="own-1"
    )
    NetworkNumbers.objects.filter(pk=network.pk).update(total_limit=50, dynamic_limit=20)
    asker = factories.MembershipFactory(network=network, role=Role.MEMBER).user
    for ceiling, campaign in (("campaign", world.campaign), ("network_total", None)):
        limit_request_create(by=asker, network=network, ceiling=ceiling, campaign=campaign, more=3, reason="Spring")
    return world


def number_of(world: World) -> PromoNumber:
    return PromoNumber.objects.select_related("campaign__network").get(number="+13035550142")


def request_for(ceiling: str) -> LimitRequest:
    return LimitRequest.objects.select_related("network").get(ceiling=ceiling, more=3)


def by_in_network(w: World) -> dict[str, Any]:
    return {"by": w.user, "network": w.campaign.network}


TERMS = {"starts_on": "2026-01-01", "ends_on": "2026-12-31", "numbers": 6000, "period": "Year", "overage_price": "2.50"}


def terms() -> dict[str, Any]:
    return {**TERMS, "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}


ACTION_ATTEMPTS: dict[str, Attempt] = {
    ADD: lambda w: call(actions.number_add, by=w.user, campaign=w.campaign, description="Bus stop"),
    EDIT: lambda w: call(actions.number_update, by=w.user, number=number_of(w), description="Bus stop"),
    MOVE: lambda w: call(actions.number_move, by=w.user, number=number_of(w), campaign=w.bundle),
    RELEASE: lambda w: call(actions.numbers_release, by=w.user, numbers=[number_of(w)]),
    ASK: lambda w: call(limit_request_create, **by_in_network(w), ceiling="network_total", more=2, reason="Fair"),
    RAISE: lambda w: call(
        actions.campaign_limit_set, by=w.user, campaign=w.campaign, allowed=12, reason="Fair", confirmed=True
    ),
    TOTAL: lambda w: call(actions.network_limits_set, **by_in_network(w), total=60),
    DYNAMIC: lambda w: call(actions.network_limits_set, **by_in_network(w), dynamic=30),
    DECIDE: lambda w: call(limit_request_decide, by=w.user, request=request_for("campaign"), decision="approve", confirmed=True),
    DECIDE_NETWORK: lambda w: call(
        limit_request_decide, by=w.user, request=request_for("network_total"), decision="approve", confirmed=True
    ),
    CONTRACT: lambda w: call(contract_set, **by_in_network(w), **terms()),
}  # fmt: skip


def post(w: World, name: str, *args: Any, query: dict[str, Any] | None = None, **form: Any) -> Any:
    return answer_of(w.client.post(reverse(f"numbers:{name}", args=args, query=query), form))


NUMBER_FORM = {"description": "Bus stop", "media_type": "Offline: Print", "id_from_network": "own-1", "custom_data": ""}
ADD_FORM = {
    **NUMBER_FORM, "id_from_network": "", "which": "any", "promo_type": "Local", "area_code": "", "city": "", "state": "",
    "number": "",
}  # fmt: skip

PAGE_ATTEMPTS: dict[str, Attempt] = {
    ADD: lambda w: post(w, "direct-add", w.campaign.pk, **ADD_FORM),
    EDIT: lambda w: post(w, "edit", number_of(w).pk, **NUMBER_FORM),
    MOVE: lambda w: post(w, "move", number_of(w).pk, campaign=f"{w.bundle.name} [{w.bundle.id_from_network}]"),
    RELEASE: lambda w: post(w, "release", number_of(w).pk),
    ASK: lambda w: post(
        w, "request-new", query={"ceiling": "network_total", "campaign": w.campaign.pk}, more=2, reason="Fair"
    ),
    RAISE: lambda w: post(w, "limit", w.campaign.pk, allowed=12, reason="Fair", confirmed="12"),
    TOTAL: lambda w: post(w, "limits-edit", total=60, dynamic=20, campaign_default=10, reason=""),
    DYNAMIC: lambda w: post(w, "limits-edit", total=50, dynamic=30, campaign_default=10, reason=""),
    DECIDE: lambda w: post(w, "request-decide", request_for("campaign").pk, decision="approve", confirmed="1"),
    DECIDE_NETWORK: lambda w: post(w, "request-decide", request_for("network_total").pk, decision="approve", confirmed="1"),
    CONTRACT: lambda w: post(w, "contract", w.campaign.network_id, **TERMS, currency="USD", csm="", reason=""),
}  # fmt: skip


def own_path(w: World) -> str:
    return f"{campaign_path(w)}/promo_numbers_by_id/own-1"


def move_body(w: World) -> dict[str, str]:
    return {
        "destination_advertiser_id_from_network": w.bundle.advertiser.id_from_network,
        "destination_advertiser_campaign_id_from_network": w.bundle.id_from_network,
    }


API_ATTEMPTS: dict[str, Attempt] = {
    ADD: lambda w: api(w, "POST", f"{campaign_path(w)}/promo_numbers", {"description": "Bus stop", "media_type": "Offline: Print"}),
    EDIT: lambda w: api(w, "PATCH", own_path(w), {"description": "Bus stop"}),
    MOVE: lambda w: api(w, "PATCH", own_path(w), move_body(w)),
    RELEASE: lambda w: api(w, "DELETE", own_path(w)),
    ASK: lambda w: api(w, "POST", "limit_requests", {"ceiling": "network_total", "more": 2, "reason": "Fair"}),
    RAISE: lambda w: api(
        w, "PATCH", f"{campaign_path(w)}/promo_number_limit", {"allowed": 12, "reason": "Fair", "confirm": True}
    ),
    TOTAL: lambda w: api(w, "PATCH", "promo_number_limits", {"total": 60}),
    DYNAMIC: lambda w: api(w, "PATCH", "promo_number_limits", {"dynamic": 30}),
    DECIDE: lambda w: api(w, "POST", f"limit_requests/{request_for('campaign').pk}/approve", {"confirm": True}),
    DECIDE_NETWORK: lambda w: api(w, "POST", f"limit_requests/{request_for('network_total').pk}/approve", {"confirm": True}),
    CONTRACT: lambda w: api(w, "PUT", "contract", TERMS),
}  # fmt: skip

SURFACES = {"action": ACTION_ATTEMPTS, "page": PAGE_ATTEMPTS, "api": API_ATTEMPTS}


def may(persona: str, action: str) -> bool:
    if action in BY_NUMBERS:
        return NUMBERS in HOLDS[persona]
    return persona == "staff" or (action in BY_SUPER and persona == "super")


def expected(persona: str, action: str, surface: str) -> Any:
    if may(persona, action):
        return "ok"
    if persona in SIGNED_OUT:
        return 404 if surface == "action" else "sign in"
    seen = VIEW in HOLDS[persona]
    if action in (DECIDE, DECIDE_NETWORK):  # a colleague's request is there for whoever sees all of the network's
        return 403 if persona in ("manager", "super") else 404
    if action in (TOTAL, DYNAMIC) and (surface == "page" or persona.startswith("limited")):
        # The page shows the current network, and outsiders look at their own. Limited members see no network's limits.
        return 404 if persona.startswith("limited") else 403
    if action in (TOTAL, DYNAMIC, CONTRACT) or (action == ASK and surface != "page"):
        return 403 if seen or persona in INSIDE else 404
    return 403 if seen else 404


def written() -> dict[str, list[Any]]:
    return written_elsewhere() | rows_of(
        "numbers.PromoNumber", "numbers.StockNumber", "numbers.CampaignNumbers", "numbers.NetworkNumbers",
        "numbers.LimitRequest", "numbers.Contract", "numbers.NumberOrder",
    )  # fmt: skip


@pytest.mark.parametrize(("world", "action", "surface"), cases(SURFACES, HOLDS), indirect=["world"])
def test_matrix(numbers, action, surface, request):
    persona = request.node.callspec.id.split("-")[0]
    before = written()
    answer = SURFACES[surface][action](numbers)
    assert answer == expected(persona, action, surface), getattr(answer, "content", b"")[:2000]
    after = written()
    assert (after != before) is (answer == "ok"), (
        "nothing was written" if answer == "ok" else "a refusal wrote something"
    )
