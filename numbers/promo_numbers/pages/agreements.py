"""The CSM's pages: every network's use against its contract, one network's sums, its contract and its limits."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from campaigns.pages.common import changes_in_words, user_of
from portal.accounts import access
from portal.accounts.models import Network
from portal.accounts.pages.networks import network_or_404
from portal.audit.models import AuditEvent
from portal.errors import NotAllowed, Refused
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show
from promo_numbers.actions.contracts import contract_set
from promo_numbers.choices import RequestState
from promo_numbers.models import Contract, LimitRequest
from promo_numbers.queries import limits_of_network
from promo_numbers.queries.advice import contract_step, price_text, risk_text, use_steps
from promo_numbers.queries.usage import usage_chart, usage_of, usages_of

from .agreement_forms import ContractForm
from .requests import decision_context, sees_use

CRUMB = ("Contracts and use", "/numbers/csm/")
SHOWN_REQUESTS = 5
_WORDS = {"contract.set": "Contract", "number_limit.network": "Limits"}


def _staff(request: HttpRequest, permission: str) -> None:
    """Raise NotAllowed for anybody but platform staff."""
    if not access.stands_above(user_of(request)):
        raise NotAllowed("Only platform staff do this.", permission=permission)


@require_GET
@page
def csm_list(request: HttpRequest) -> HttpResponse:
    """Every network with its use, limit, contract, projection and risk. Others are led to their own network's page."""
    if not access.stands_above(user_of(request)):
        return redirect("numbers:csm-network", pk=network_of(request).pk)
    text = request.GET.get("q", "").strip()
    waiting = LimitRequest.objects.filter(network=OuterRef("pk"), state=RequestState.OPEN).order_by()
    rows = Network.objects.annotate(
        waiting=Coalesce(Subquery(waiting.values("network").annotate(n=Count("pk")).values("n")), 0)
    )
    if text:
        rows = rows.filter(name__icontains=text)
    found = keyset(rows, request.GET, order=("name", "id"))
    return show(
        request, "numbers/agreements/csm_list.html", title="Contracts and use",
        subtitle="Each network's numbers against what it bought", page=found, usages=usages_of(found.rows), text=text,
    )  # fmt: skip


def _changes(network: Network, limit: int = 8) -> list[dict[str, Any]]:
    """The last changes of contract and limits."""
    events = AuditEvent.objects.filter(
        object_type="accounts.network", object_id=str(network.pk), event__in=list(_WORDS)
    ).select_related("actor")[:limit]  # fmt: skip
    return [
        {"at": event.at, "who": str(event.actor or "The system"), "what": _WORDS[event.event], "reason": event.reason,
         "lines": changes_in_words(event)}
        for event in events
    ]  # fmt: skip


@require_GET
@page
def csm_network(request: HttpRequest, pk: int) -> HttpResponse:
    """One network: use by day, trend, projection, what the contract carries, the risk, and the requests to decide."""
    user, network = user_of(request), network_or_404(request, pk)
    if not sees_use(user, network):
        raise NotAllowed(
            "The contract and the use of a network are for its Managers and Supers, and for platform staff.",
            permission="numbers.view_contract",
        )
    usage = usage_of(network)
    steps = use_steps(usage)
    if usage.contract is not None:
        steps.append(contract_step(usage.contract, usage.carry, usage.used, usage.today))
    waiting = LimitRequest.objects.filter(network=network, state=RequestState.OPEN).order_by("id")
    requests = list(
        waiting.select_related("network", "campaign", "asked_by", "decided_by")[: SHOWN_REQUESTS + 1]
    )  # fmt: skip
    return show(
        request, "numbers/agreements/csm.html", title=f"Use and contract of {network}",
        crumbs=[CRUMB] if access.stands_above(user) else [], usage=usage, chart=usage_chart(usage), steps=steps,
        risk=usage.present_risk,
        risk_said=risk_text(usage.present_risk, usage.contract.currency) if usage.present_risk and usage.contract else "",
        limits=limits_of_network(network), is_staff=access.stands_above(user), changes=_changes(network), of=network,
        requests=[decision_context(user, row) for row in requests[:SHOWN_REQUESTS]],
        more_requests=len(requests) > SHOWN_REQUESTS, here=reverse("numbers:csm-network", args=[pk]),
        price=price_text(usage.contract.overage_price) if usage.contract else "",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def contract_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Set a network's contract: platform staff alone."""
    network = network_or_404(request, pk)
    _staff(request, "numbers.change_contract")
    contract = Contract.objects.select_related("csm").filter(pk=pk).first()
    form = ContractForm(request.POST or None, contract=contract, network=network)
    if request.method == "POST" and form.is_valid():
        try:
            contract_set(by=user_of(request), network=network, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, "The contract is saved.")
            return redirect("numbers:csm-network", pk=pk)
    return show(
        request, "numbers/agreements/contract.html", title="Contract", subtitle=network.name, status=422 if form.errors else 200,
        crumbs=[CRUMB, (network.name, reverse("numbers:csm-network", args=[pk]))], form=form, of=network,
    )  # fmt: skip
