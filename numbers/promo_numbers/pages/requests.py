"""Limit requests: asking where a limit was met, following a request, deciding it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns.models import Campaign
from campaigns.pages.common import campaign_or_404, user_of
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from portal.errors import Invalid, NotAllowed, NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import network_of, number_in, page, show
from promo_numbers.actions.requests import (
    asking_check,
    limit_request_create,
    limit_request_decide,
    limit_request_withdraw,
)
from promo_numbers.choices import Ceiling, RequestState
from promo_numbers.models import CampaignNumbers, LimitRequest
from promo_numbers.queries import limit_of_campaign, limits_of_network
from promo_numbers.queries.requests import (
    figures_now,
    may_ask,
    may_decide,
    request_advice,
    requests_found,
    requests_visible,
)

from .agreement_forms import RequestForm

CRUMB = ("Limit requests", "/numbers/requests/")
_KINDS = {
    RequestState.OPEN: "info", RequestState.APPROVED: "ok", RequestState.CHANGED: "ok", RequestState.DECLINED: "bad",
    RequestState.WITHDRAWN: "mute",
}  # fmt: skip


def sees_use(user: User, network: Network) -> bool:
    """Whether the contract, the use and its sums are his to see: Managers and above, and platform staff."""
    return access.stands_above(user) or user.roles.get(network.pk, -1) >= Role.MANAGER


def kind_of(request: LimitRequest) -> str:
    """The look of a request's state."""
    return _KINDS[RequestState(request.state)]


@require_GET
@page
def request_list(request: HttpRequest) -> HttpResponse:
    """The requests that the user may see; platform staff may look at those of all networks."""
    user, network = user_of(request), network_of(request)
    asked = {name: request.GET.get(name, "") for name in ("state", "ceiling", "scope")}
    everywhere = access.stands_above(user) and asked["scope"] == "all"
    rows = requests_found(
        requests_visible(user, None if everywhere else network), state=asked["state"], ceiling=asked["ceiling"]
    )
    found = keyset(rows, request.GET, order=("-id",))
    for row in found:
        row.kind = kind_of(row)
    return show(
        request, "numbers/agreements/requests.html", title="Limit requests", page=found, asked=asked,
        filtered=any(asked.values()), everywhere=everywhere, is_staff=access.stands_above(user),
        may_ask=may_ask(user, network), states=[("open", "Waiting"), ("decided", "Decided"), ("withdrawn", "Withdrawn")],
        ceilings=Ceiling.choices,
    )  # fmt: skip


def _asked_place(request: HttpRequest) -> tuple[Network, Campaign | None, str]:
    """Where the address asks: (network, campaign at hand, ceiling)."""
    pk = number_in(request, "campaign")
    campaign = campaign_or_404(request, pk) if pk is not None else None
    network = campaign.network if campaign else network_of(request)
    ceiling = request.GET.get("ceiling", "")
    if ceiling not in Ceiling.values:
        ceiling = Ceiling.CAMPAIGN if campaign else Ceiling.NETWORK_TOTAL
    if ceiling == Ceiling.CAMPAIGN and campaign is None:
        raise NotFound("Open the request from the campaign whose limit it is.")
    return network, campaign, ceiling


@require_http_methods(["GET", "POST"])
@page
def request_new(request: HttpRequest) -> HttpResponse:
    """Ask for more: `?ceiling=` and, where the limit was met on one, `?campaign=` (its id); `?more=` fills in a figure."""
    user = user_of(request)
    network, campaign, ceiling = _asked_place(request)
    of_ceiling = campaign if ceiling == Ceiling.CAMPAIGN else None
    asking_check(user, network, ceiling, of_ceiling)
    form = RequestForm(
        request.POST or None, ceiling=ceiling, initial={"more": number_in(request, "more"), "lifetime_minutes": 30}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = limit_request_create(
                by=user, network=network, ceiling=ceiling, campaign=of_ceiling, **form.values()
            )  # fmt: skip
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, "Sent. You are told under the bell and by mail when it is decided.")
            return redirect("numbers:request", pk=made.pk)
    limits = [*([limit_of_campaign(campaign)] if campaign else []), *limits_of_network(network)]
    own = LimitRequest.objects.filter(
        network=network, ceiling=ceiling, campaign=of_ceiling, asked_by=user, state=RequestState.OPEN
    ).first()
    may_raise = campaign is not None and access.may(
        user, "raise_number_limit", CampaignNumbers.objects.select_related("campaign").get(pk=campaign.pk)
    )
    return show(
        request, "numbers/agreements/request_new.html", title="Ask for more numbers",
        subtitle=f"{network}" + (f", {campaign}" if campaign else ""), crumbs=[CRUMB],
        status=422 if form.errors else 200, form=form, limits=limits, ceiling=ceiling, campaign=campaign, own=own,
        chosen=next(view for view in limits if view.ceiling == ceiling), may_raise=may_raise,
        decider="A Super User of the network, or platform staff," if of_ceiling else "Your customer success manager",
    )  # fmt: skip


def _request_or_404(request: HttpRequest, pk: int) -> LimitRequest:
    found = requests_visible(user_of(request)).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such limit request.")
    return found


def decision_context(user: User, row: LimitRequest) -> dict[str, Any]:
    """What the part `decide.html` shows of one request: the advice, and whether the user decides it."""
    is_open = row.state == RequestState.OPEN
    decides = is_open and may_decide(user, row)
    advice = request_advice(row) if is_open and (decides or sees_use(user, row.network)) else None
    limit, used = figures_now(row.network, row.ceiling, row.campaign)
    return {
        "row": row, "kind": kind_of(row), "decides": decides, "advice": advice, "limit_now": limit, "used_now": used,
        "withdraws": is_open and row.asked_by_id == user.pk,
        "steps": row.working.get("steps") if not is_open and sees_use(user, row.network) else None,
    }  # fmt: skip


def show_request(
    request: HttpRequest, row: LimitRequest, *, status: int = 200, error: Refused | None = None, **more: Any
) -> HttpResponse:
    user = user_of(request)
    return show(
        request, "numbers/agreements/request.html", title=f"{row.more:,} more numbers", crumbs=[CRUMB], status=status,
        subtitle=f"{row.network}: {row.get_ceiling_display()}", sees_use=sees_use(user, row.network), error=error,
        **decision_context(user, row), **more,
    )  # fmt: skip


@require_GET
@page
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what was asked, the figures, the sum, and what became of it."""
    return show_request(request, _request_or_404(request, pk))


def _back(request: HttpRequest, pk: int) -> str:
    wanted = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if inside else reverse("numbers:request", args=[pk])


@require_POST
@page
def request_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve, change or decline; what was refused is shown on the request's page, with what was typed."""
    row = _request_or_404(request, pk)
    typed = {name: request.POST.get(name, "").strip() for name in ("decision", "granted", "note")}
    digits = typed["granted"].replace(",", "")
    granted = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    try:
        done = limit_request_decide(
            by=user_of(request), request=row, decision=typed["decision"], granted=granted, note=typed["note"],
            confirmed=request.POST.get("confirmed") == "1",
        )  # fmt: skip
    except (NotAllowed, NotFound):
        raise
    except Refused as error:
        row = _request_or_404(request, pk)
        asks = isinstance(error, Invalid) and error.code == "large_raise"
        return show_request(request, row, status=422, error=error, typed=typed, asks_to_confirm=asks)
    said = f"{done.granted:,} more granted" if done.granted else "Declined"
    messages.success(request, f"{said}; {done.asked_by} is told.")
    return redirect(_back(request, pk))


@require_POST
@page
def request_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    row = _request_or_404(request, pk)
    try:
        limit_request_withdraw(by=user_of(request), request=row)
    except (NotAllowed, NotFound):
        raise
    except Refused as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Withdrawn.")
    return redirect("numbers:request", pk=pk)
