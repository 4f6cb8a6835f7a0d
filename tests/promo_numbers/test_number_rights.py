"""The rights matrix of promo numbers: persona x action x surface, from one table (tests/test_rights_matrix.py).

Who may is answered with success on every surface, who may not but sees the number with 403, who does not see it with 404.
On every refusal nothing may have been written.
"""

from types import SimpleNamespace

import pytest
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.actions.requests import limit_request_create, limit_request_decide
from promo_numbers.actions.stock import stock_assign
from promo_numbers.models import PromoNumber, StockNumber

from campaigns.actions import access_grant
from portal.accounts import access
from portal.accounts.models import Membership
from portal.accounts.roles import Role
from tests import factories
from tests.rights_world import SIGNED_OUT, answer_of, api, call, cases, entering, make_user, rows_of

VIEW, ADD, UPDATE, MOVE, RELEASE = "view", "add", "update", "move", "release"
LIMIT, NETWORK, DECIDE, STOCK = "limit", "network_limits", "decide", "stock"
MANAGE = {ADD, UPDATE, MOVE, RELEASE}
HOLDS = {
    "limited":              set(),
    "limited_campaign":     {VIEW},                 # change_budget_caps granted on the campaign
    "limited_advertiser":   {VIEW},                 # operate granted on its advertiser
    "numbers_campaign":     {VIEW, *MANAGE},        # manage_numbers granted on both campaigns
    "numbers_here":         {VIEW, *MANAGE} - {MOVE},  # granted on the number's campaign alone
    "numbers_advertiser":   {VIEW, *MANAGE},        # granted on the advertiser
    "numbers_group":        {VIEW, *MANAGE},        # granted on the advertiser to a group that he is in
    "observer":             {VIEW},
    "member":               {VIEW, *MANAGE},
    "manager":              {VIEW, *MANAGE},
    "super":                {VIEW, *MANAGE, LIMIT, DECIDE},
    "staff":                {VIEW, *MANAGE, LIMIT, DECIDE, NETWORK, STOCK},
    "outsider":             set(),                  # a Super of another network
    "former":               set(),                  # had every grant, then left the network
    "inactive":             set(),                  # a Super whose account is closed
    "anonymous":            set(),
}  # fmt: skip


def person(name, roofing, plumbing):
    """The personas of the great matrix, and those who were granted `manage_numbers`."""
    kind, _, where = name.partition("_")
    if kind != "numbers":
        return make_user(name, roofing)
    user = factories.MembershipFactory(network=roofing.network, role=Role.LIMITED).user
    holder = user
    if where == "group":
        holder = factories.GroupFactory(network=roofing.network)
        user.groups.add(holder)
    targets = {"campaign": [roofing, plumbing], "here": [roofing]}.get(where, [roofing.advertiser])
    for target in targets:
        access_grant(by=None, obj=target, to=holder, action="manage_numbers")
    return user


@pytest.fixture
def world(db, request):
    """Two campaigns of one network, one with a number; a request to decide; a stock; and one persona."""
    factories.NetworkFactory(name="Another")
    network = factories.NetworkFactory(name="Acme")
    factories.MembershipFactory(network=network, role=Role.SUPER)
    roofing = factories.CampaignFactory(advertiser__network=network, name="Roofing", id_from_network="roofing")
    plumbing = factories.CampaignFactory(advertiser=roofing.advertiser, name="Plumbing", id_from_network="plumbing")
    factories.stock(3)
    number = actions.number_add(by=None, campaign=roofing, description="Flyer", number="+18055550123")
    asker = factories.UserFactory(is_platform_staff=True)
    asked = limit_request_create(
        by=asker, network=network, ceiling="campaign", campaign=roofing, more=5, reason="Spring"
    )
    user, client, headers = entering(person(request.param, roofing, plumbing), network)
    return SimpleNamespace(
        network=network, roofing=roofing, plumbing=plumbing, number=number, asked=asked, user=user, client=client,
        headers=headers, free=StockNumber.objects.filter(state="free").first(),
    )  # fmt: skip


def page(w, name, *args, **data):
    return answer_of(w.client.post(reverse(f"numbers:{name}", args=args), data))


def below(w, rest):
    return f"advertisers/{w.roofing.advertiser.id_from_network}/advertiser_campaigns/roofing/{rest}"


def one(w):
    return below(w, f"promo_numbers/{w.number.number}")


def destination(w):
    return {
        "destination_advertiser_id_from_network": w.roofing.advertiser.id_from_network,
        "destination_advertiser_campaign_id_from_network": "plumbing",
    }


def added_in_admin(w):
    form = {
        "campaign": w.roofing.pk,
        "number": "",
        "custom_data": "{}",
        "promo_type": "Local",
        "id_from_network": "",
        **NEW,
    }
    response = w.client.post(reverse("admin:numbers_promonumber_add"), form)
    # A campaign that one may not choose is no choice of the form.
    return 404 if response.status_code == 200 else answer_of(response)


def changed_in_admin(w, model, pk, **form):
    return answer_of(w.client.post(reverse(f"admin:numbers_{model}_change", args=[pk]), form))


NEW = {"description": "Poster", "media_type": "Offline: Print"}
CARRIED = {**NEW, "id_from_network": "", "custom_data": ""}
LIMITS = {"total": "70", "dynamic": "", "campaign_default": "4", "reason": "Deal"}

SURFACES = {
    "action": {
        VIEW: lambda w: "ok" if access.restrict(PromoNumber.objects.filter(pk=w.number.pk), w.user).exists() else 404,
        ADD: lambda w: call(actions.number_add, by=w.user, campaign=w.roofing, **NEW),
        UPDATE: lambda w: call(actions.number_update, by=w.user, number=w.number, description="Poster"),
        MOVE: lambda w: call(actions.number_move, by=w.user, number=w.number, campaign=w.plumbing),
        RELEASE: lambda w: call(actions.numbers_release, by=w.user, numbers=[w.number]),
        LIMIT: lambda w: call(actions.campaign_limit_set, by=w.user, campaign=w.roofing, allowed=12, reason="Spring"),
        NETWORK: lambda w: call(actions.network_limits_set, by=w.user, network=w.network, total=70, reason="Deal"),
        DECIDE: lambda w: call(limit_request_decide, by=w.user, request=w.asked, decision="approve"),
        STOCK: lambda w: call(stock_assign, by=w.user, numbers=[w.free], network=w.network),
    },
    "page": {
        VIEW: lambda w: answer_of(w.client.get(reverse("numbers:direct", args=[w.roofing.pk]))),
        ADD: lambda w: page(w, "direct-add", w.roofing.pk, which="any", promo_type="Local", **CARRIED),
        UPDATE: lambda w: page(w, "edit", w.number.pk, **CARRIED),
        MOVE: lambda w: page(w, "move", w.number.pk, campaign="Plumbing [plumbing]"),
        RELEASE: lambda w: page(w, "release", w.number.pk),
        LIMIT: lambda w: page(w, "limit", w.roofing.pk, allowed="12", reason="Spring"),
        NETWORK: lambda w: page(w, "limits-edit", **LIMITS),
        DECIDE: lambda w: page(w, "request-decide", w.asked.pk, decision="approve", note=""),
        STOCK: lambda w: page(w, "stock-assign", w.free.pk, network="Acme"),
    },
    "admin": {
        VIEW: lambda w: answer_of(w.client.get(reverse("admin:numbers_promonumber_change", args=[w.number.pk]))),
        ADD: added_in_admin,
        UPDATE: lambda w: changed_in_admin(
            w, "promonumber", w.number.pk, promo_type="Local", **{**CARRIED, "custom_data": "{}"}
        ),
        LIMIT: lambda w: changed_in_admin(w, "campaignnumbers", w.roofing.pk, allowed="12", reason="Spring"),
        NETWORK: lambda w: changed_in_admin(
            w, "networknumbers", w.network.pk, total_limit="70", dynamic_limit="", campaign_default="4", reason="Deal"
        ),
    },
    "api": {
        VIEW: lambda w: api(w, "GET", one(w)),
        ADD: lambda w: api(w, "POST", below(w, "promo_numbers"), NEW),
        UPDATE: lambda w: api(w, "PATCH", one(w), {"description": "Poster"}),
        MOVE: lambda w: api(w, "PUT", one(w), destination(w)),
        RELEASE: lambda w: api(w, "DELETE", one(w)),
        LIMIT: lambda w: api(w, "PATCH", below(w, "promo_number_limit"), {"allowed": 12, "reason": "Spring"}),
        NETWORK: lambda w: api(w, "PATCH", "promo_number_limits", {"total": 70, "reason": "Deal"}),
        DECIDE: lambda w: api(w, "POST", f"limit_requests/{w.asked.pk}/approve"),
    },
    # The older versions write through the same actions; refusals are 403 there too.
    "old api": {
        ADD: lambda w: api(w, "PUT", below(w, "promo_numbers_by_id/new"), NEW, version="2015-05-01"),
        UPDATE: lambda w: api(w, "POST", one(w), {"description": "Poster"}, version="2022-08-01"),
        MOVE: lambda w: api(w, "POST", one(w), destination(w), version="2022-08-01"),
        RELEASE: lambda w: api(w, "DELETE", one(w), version="2018-02-01"),
    },
}


def expected(persona, action, surface):
    """The rule, with the few places where a surface differs written out."""
    if action in HOLDS[persona]:
        return "ok"
    if persona in SIGNED_OUT and (surface, action) != ("action", STOCK):
        return 404 if surface == "action" else "sign in"
    seen = VIEW in HOLDS[persona]
    inside = persona.startswith(("limited", "numbers"))
    if action == STOCK:
        return 403
    if action == NETWORK:
        if surface == "page":
            # The page shows the current network: outsiders look at their own, limited members do not see it.
            return 404 if inside else 403
        if surface == "admin":
            return 403 if seen and not inside else 404  # limited members do not see the network's limits
        return 403 if seen and not inside else 404
    if action == DECIDE:
        return 403 if persona == "manager" else 404  # whoever neither asks nor decides does not see requests
    if action == ADD and surface == "admin":
        return 403  # nobody is shown a form who could choose no campaign in it
    if action == MOVE and persona == "numbers_here":
        # He may manage the number; the campaign that it would go to he does not see.
        return {"action": 404, "page": "refused"}.get(surface, "invalid" if surface == "api" else 403)
    return 403 if seen else 404


def written():
    """Every row that a refused attempt might have touched."""
    return rows_of(
        "numbers.PromoNumber", "numbers.NetworkNumbers", "numbers.CampaignNumbers", "numbers.StockNumber",
        "numbers.LimitRequest", "numbers.NumberOrder", "audit.AuditEvent", "notices.Notice",
    )  # fmt: skip


@pytest.mark.parametrize(("world", "action", "surface"), cases(SURFACES, HOLDS), indirect=["world"])
def test_matrix(world, action, surface, request):
    persona = request.node.callspec.id.split("-")[0]
    before = written()
    answer = SURFACES[surface][action](world)
    wanted = expected(persona, action, surface)
    if wanted in ("refused", "invalid"):
        assert answer.status_code == 422, answer
    else:
        assert answer == wanted, getattr(answer, "content", answer)
    after = written()
    if answer != "ok" or action == VIEW:
        assert after == before
    else:
        assert after != before, "nothing was written"


def test_the_table_names_somebody_on_both_sides_of_every_action():
    for action in {action for attempts in SURFACES.values() for action in attempts}:
        holders = {persona for persona, held in HOLDS.items() if action in held}
        assert holders and holders != set(HOLDS), action


@pytest.mark.parametrize("world", ["outsider"], indirect=True)
def test_another_network_is_not_found_whatever_is_asked(world):
    """Numbers, requests and lists of a network that one does not belong to: 404, on every address."""
    assert Membership.objects.filter(user=world.user, network=world.network).count() == 0
    for path in ("promo_numbers", f"promo_numbers/{world.number.pk}", "promo_number_limits", "limit_requests",
                 below(world, "promo_numbers"), below(world, "promo_numbers_by_id"), one(world)):  # fmt: skip
        assert api(world, "GET", path) == 404, path
