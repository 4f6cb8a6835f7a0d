"""The network's limits: total and dynamic, every campaign's, and who changed them."""

from typing import Any

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from campaigns.pages.common import changes_in_words, user_of
from campaigns.queries.lists import campaigns_visible
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.models import AuditEvent
from portal.errors import NotAllowed, Refused
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show
from promo_numbers.actions import network_limits_set
from promo_numbers.forms import NetworkLimitsForm
from promo_numbers.models import NetworkNumbers
from promo_numbers.queries import limits_of_network

from .ceilings import ceiling_shown, link

# Raises of campaigns are looked for among so many newest events of the network: the rest is in the audit log.
RECENT = 5000
HISTORY = 12


def _row(request: HttpRequest) -> NetworkNumbers:
    """The network's limits, for whoever may see them (Observer and above)."""
    row = NetworkNumbers.objects.select_related("network").get(pk=network_of(request).pk)
    access.require(request.user, "view", row)
    return row


def _campaigns(user: User, network: Network, search: str, full: bool) -> QuerySet[Campaign]:
    rows = campaigns_visible(user, network).exclude(status=CampaignStatus.ARCHIVED).select_related("numbers_limit")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(id_from_network__iexact=search))
    return rows.filter(numbers_limit__used__gte=F("numbers_limit__allowed")) if full else rows


def _history(network: Network) -> list[dict[str, Any]]:
    """The newest changes of the network's limits and of its campaigns'. Two statements."""
    own = AuditEvent.objects.filter(
        object_type="accounts.network", object_id=str(network.pk), event="number_limit.network"
    ).select_related("actor")[:HISTORY]
    newest = AuditEvent.objects.filter(network=network).order_by("-id").values("pk")[:RECENT]
    raised = AuditEvent.objects.filter(pk__in=newest, event="number_limit.campaign").select_related("actor")[:HISTORY]
    events = sorted([*own, *raised], key=lambda event: event.pk, reverse=True)[:HISTORY]
    return [
        {
            "at": event.at, "who": event.actor or "The system", "lines": changes_in_words(event), "reason": event.reason,
            "about": "The network" if event.event == "number_limit.network" else event.object_label,
        }
        for event in events
    ]  # fmt: skip


@page
def limits(request: HttpRequest) -> HttpResponse:
    """Both limits of the network with their use, every campaign's, and what changed."""
    user, row = user_of(request), _row(request)
    network = row.network
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "full")}
    return show(
        request,
        "numbers/limits.html",
        title="Promo number limits",
        subtitle=network.name,
        ceilings=[ceiling_shown(view, user, None) for view in limits_of_network(network)],
        row=row,
        static_used=row.total_used - row.dynamic_used,
        page=keyset(_campaigns(user, network, asked["q"], bool(asked["full"])), request.GET),
        asked=asked,
        filtered=any(asked.values()),
        history=_history(network),
        may_edit=access.stands_above(user),
        may_audit=access.may(user, "view_audit", network),
        csm=link("numbers:csm") if access.stands_above(user) else "",
        requests=link("numbers:request-list"),
        crumbs=[("Promo numbers", reverse("numbers:list"))],
    )


@page
def limits_edit(request: HttpRequest) -> HttpResponse:
    """Set the network's limits: platform staff alone."""
    user, row = user_of(request), _row(request)
    if not access.stands_above(user):
        raise NotAllowed(
            "Only platform staff change a network's promo number limits; send a limit request.",
            permission="numbers.change_networknumbers",
        )
    initial = {"total": row.total_limit, "dynamic": row.dynamic_limit, "campaign_default": row.campaign_default}
    form = NetworkLimitsForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            network_limits_set(by=user, network=row.network, reason=form.cleaned_data["reason"], **form.limits())
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"The limits of {row.network} are saved, in effect now.")
            return redirect("numbers:limits")
    return show(
        request, "numbers/limits_edit.html", title="Set promo number limits", subtitle=row.network.name,
        status=422 if form.is_bound else 200, form=form, row=row,
        crumbs=[("Promo number limits", reverse("numbers:limits"))],
    )  # fmt: skip
