"""The tab “Direct Promo Numbers” of a campaign: its static numbers, adding one, and how many are allowed."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from campaigns.callers import pretty
from campaigns.models import Campaign
from campaigns.pages.common import campaign_or_404, changes_in_words, crumbs_of, rights_on, user_of
from portal.accounts import access
from portal.audit.models import AuditEvent
from portal.errors import Invalid, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show
from promo_numbers.actions import LimitReached, campaign_limit_set, number_add
from promo_numbers.choices import Ceiling, NumberState
from promo_numbers.forms import CampaignLimitForm, NumberAddForm
from promo_numbers.models import CampaignNumbers
from promo_numbers.queries import direct_numbers, limit_of_campaign, limits_of_network
from promo_numbers.queries.limits import WHO_MAY_RAISE

from .ceilings import link, may_raise, refusal_ahead, refusal_of

STATES = [(NumberState.RELEASED, "Released")]


def tab_context(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """What the tabs of a campaign need."""
    return {
        "campaign": campaign,
        "tab_rights": rights_on(request, campaign, "change", "manage_access"),
        "crumbs": crumbs_of(campaign, inside=True),
    }


@page
def direct(request: HttpRequest, pk: int) -> HttpResponse:
    """The campaign's direct numbers, searched, with “Promo Numbers Allowed” below them."""
    campaign, user = campaign_or_404(request, pk), user_of(request)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "state")}
    rows = direct_numbers(campaign, search=asked["q"], state=asked["state"])
    manages = access.may(user, "manage_numbers", campaign)
    return show(
        request,
        "numbers/direct.html",
        title="Direct Promo Numbers",
        subtitle=campaign.name,
        **tab_context(request, campaign),
        page=keyset(rows, request.GET, order=("-id",)),
        asked=asked,
        states=STATES,
        filtered=any(asked.values()),
        limit=limit_of_campaign(campaign),
        may_raise=may_raise(user, campaign),
        who_may_raise=WHO_MAY_RAISE[Ceiling.CAMPAIGN],
        manages=manages,
        managed={campaign.pk} if manages else set(),
        who_manages=access.who_may("manage_numbers", Campaign),
        refusal=refusal_ahead(campaign, user) if manages else None,
        pools=link("numbers:pools", campaign.pk),
    )


@page
def direct_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add one direct number: any free one as wished, or a certain one."""
    campaign, user = campaign_or_404(request, pk), user_of(request)
    access.require(user, "manage_numbers", campaign)
    form = NumberAddForm(request.POST if request.method == "POST" else None)
    refusal, status = None, 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            number = number_add(by=user, campaign=campaign, **form.values())
        except LimitReached as error:
            refusal, status = refusal_of(error, user), error.status
        except Refused as error:
            form.refuse(error)
            status = error.status
        else:
            if number.state == NumberState.ORDERED:
                messages.info(
                    request,
                    "The number is being bought: the supplier's answer is being looked up, and you are told when it is there.",
                )
            else:
                messages.success(request, f"{pretty(number.number)} is added: calls to it come here from now on.")
            return redirect("numbers:direct", pk=pk)
    return show(
        request, "numbers/add.html", title="Add a promo number", subtitle=campaign.name, status=status, form=form,
        refusal=refusal or (None if form.is_bound else refusal_ahead(campaign, user)), **_below(request, campaign),
    )  # fmt: skip


def _below(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """The context of a page below the tab."""
    context = tab_context(request, campaign)
    context["crumbs"] += [("Direct Promo Numbers", reverse("numbers:direct", args=[campaign.pk]))]
    return context


@page
def limit(request: HttpRequest, pk: int) -> HttpResponse:
    """Set “Promo Numbers Allowed”: Super Users (and platform staff). A large raise is confirmed with its figures in sight."""
    campaign, user = campaign_or_404(request, pk), user_of(request)
    row = CampaignNumbers.objects.select_related("campaign__network").get(pk=campaign.pk)
    access.require(user, "raise_number_limit", row)
    form = CampaignLimitForm(request.POST if request.method == "POST" else None, initial={"allowed": row.allowed})
    warning: Invalid | None = None
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            after = campaign_limit_set(
                by=user,
                campaign=campaign,
                allowed=given["allowed"],
                reason=given["reason"],
                confirmed=form.is_confirmed,
            )
        except Invalid as error:
            if error.code == "large_raise":
                warning = error
            else:
                form.refuse(error)
        except Refused as error:
            form.refuse(error)
        else:
            told = " Your customer success manager is told." if after.allowed > row.allowed else ""
            messages.success(request, f"Promo Numbers Allowed is {after.allowed:,} now.{told}")
            return redirect("numbers:direct", pk=pk)
    return show(
        request, "numbers/limit.html", title="Promo Numbers Allowed", subtitle=campaign.name,
        status=422 if form.is_bound else 200, form=form, warning=warning, limit=limit_of_campaign(campaign),
        network_limits=limits_of_network(campaign.network), history=_history(campaign), **_below(request, campaign),
    )  # fmt: skip


def _history(campaign: Campaign, limit: int = 10) -> list[dict[str, Any]]:
    """Who changed the campaign's limit, newest first."""
    events = AuditEvent.objects.filter(
        object_type="campaigns.campaign", object_id=str(campaign.pk), event="number_limit.campaign"
    ).select_related("actor")[:limit]
    return [
        {"at": event.at, "who": event.actor or "The system", "lines": changes_in_words(event), "reason": event.reason}
        for event in events
    ]
