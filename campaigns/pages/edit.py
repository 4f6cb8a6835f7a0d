"""Creating and changing campaigns, and the destinations of a bundle."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns.actions import (
    campaign_create,
    campaign_update,
    destination_add,
    destination_remove,
    destination_update,
)
from campaigns.actions.advertisers import may_add
from campaigns.choices import CampaignType
from campaigns.forms import CampaignForm, DestinationAddForm, DestinationForm, campaign_initial, time_zones
from campaigns.models import BundleDestination, Campaign
from campaigns.queries.lists import advertisers_visible, campaigns_visible, picked
from portal.accounts import access
from portal.accounts.models import Network
from portal.errors import Conflict, NotFound, Refused
from portal.web.pages import network_of, number_in, page, show

from .common import campaign_or_404, crumbs_of, rights_on, user_of


def _form(
    request: HttpRequest, network: Network, *, bundle: bool, creating: bool, initial: dict[str, Any]
) -> CampaignForm:
    user = user_of(request)
    return CampaignForm(
        request.POST if request.method == "POST" else None,
        bundle=bundle,
        creating=creating,
        advertisers=advertisers_visible(user, network),
        destinations=campaigns_visible(user, network).exclude(campaign_type=CampaignType.BUNDLED),
        addresses={
            "advertisers": reverse("campaigns:suggest-advertisers"),
            "destinations": reverse("campaigns:suggest-campaigns"),
        },
        initial=initial,
    )


def _show_form(request: HttpRequest, form: CampaignForm, **context: Any) -> HttpResponse:
    return show(
        request, "campaigns/form.html", status=422 if form.is_bound else 200, form=form, zones=time_zones(),
        places=reverse("campaigns:suggest-places"), **context,
    )  # fmt: skip


def _source(request: HttpRequest) -> Campaign | None:
    """The campaign to copy (`?from=pk`), if any."""
    pk = number_in(request, "from")
    return None if pk is None else campaign_or_404(request, pk, "overflow")


@page
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Create a campaign; `?type=Bundled` a bundle, `?from=pk` a copy, `?advertiser=pk` for that advertiser."""
    user, network = user_of(request), network_of(request)
    may_add(user, network)
    source = _source(request)
    bundle = source.is_bundle if source else request.GET.get("type") == CampaignType.BUNDLED
    initial: dict[str, Any] = {
        "time_zone": network.time_zone, "currency": network.currency, "operating_24_7": True, "repeat_window_days": 30,
        "payin": "0", "payout": "0", "campaign_type": CampaignType.DIRECT_ONLY,
    }  # fmt: skip
    if source:
        initial |= campaign_initial(source) | {"name": f"Copy of {source.name}"[:200]}
    elif (chosen := number_in(request, "advertiser")) is not None:
        advertiser = advertisers_visible(user, network).filter(pk=chosen).first()
        initial["advertiser"] = picked(advertiser) if advertiser else ""
    form = _form(request, network, bundle=bundle, creating=True, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            campaign = _create(request, form, bundle, source)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{campaign}” is created and pending: set its caps, then take it live.")
            return redirect("campaigns:detail", pk=campaign.pk)
    what = "bundle" if bundle else "campaign"
    return _show_form(
        request, form, title=f"New {what}", crumbs=[("Campaigns", reverse("campaigns:list"))], creating=True,
        network_makes_ids=network.auto_generate_ids, submit=f"Create {what}", source=source,
    )  # fmt: skip


def _create(request: HttpRequest, form: CampaignForm, bundle: bool, source: Campaign | None) -> Campaign:
    user, given = user_of(request), form.cleaned_data
    with transaction.atomic():
        campaign = campaign_create(
            by=user, advertiser=given["advertiser"],
            campaign_type=CampaignType.BUNDLED if bundle else given["campaign_type"],
            id_from_network=given["id_from_network"], **form.values(),
        )  # fmt: skip
        if source and bundle:
            # A copy of a bundle takes its destinations along, as far as the user may see them.
            rows = access.restrict(Campaign.objects.filter(standing_in__bundle=source), user)
            places = {row.destination_id: row for row in BundleDestination.objects.filter(bundle=source)}
            for destination in rows:
                place = places[destination.pk]
                destination_add(
                    by=user, bundle=campaign, destination=destination, priority=place.priority, weight=place.weight
                )
    return campaign


@page
def campaign_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a campaign, refused when somebody else changed it meanwhile."""
    campaign = campaign_or_404(request, pk, "overflow")
    user = user_of(request)
    access.require(user, "change", campaign)
    form = _form(
        request, campaign.network, bundle=campaign.is_bundle, creating=False, initial=campaign_initial(campaign)
    )
    version = request.POST.get("version") or campaign.updated_at.isoformat()
    if form.is_bound and form.is_valid():
        try:
            campaign = campaign_update(by=user, campaign=campaign, version=version, **form.values())
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{campaign}” is saved, in effect now.")
            return redirect("campaigns:detail", pk=pk)
    return _show_form(
        request, form, title="Edit", subtitle=campaign.name, crumbs=crumbs_of(campaign, inside=True), campaign=campaign,
        version=version, submit="Save", tab_rights=rights_on(request, campaign, "change", "manage_access"),
    )  # fmt: skip


def _bundle(request: HttpRequest, pk: int) -> Campaign:
    campaign = campaign_or_404(request, pk)
    if not campaign.is_bundle:
        raise NotFound("Only a bundle has destinations.")
    access.require(user_of(request), "change", campaign)
    return campaign


def _place(bundle: Campaign, destination: int) -> BundleDestination:
    row = BundleDestination.objects.select_related("destination").filter(bundle=bundle, destination=destination).first()
    if row is None:
        raise NotFound("It does not stand in this bundle.")
    return row


@page
def destination_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a campaign into a bundle."""
    bundle = _bundle(request, pk)
    user = user_of(request)
    rows = campaigns_visible(user, bundle.network).exclude(campaign_type=CampaignType.BUNDLED)
    form = DestinationAddForm(
        request.POST if request.method == "POST" else None, rows=rows, address=reverse("campaigns:suggest-campaigns")
    )
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            destination_add(by=user, bundle=bundle, **given)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{given['destination']}” stands in the bundle now.")
            return redirect("campaigns:detail", pk=pk)
    return _show_place(request, bundle, form, title="Add destination", submit="Add to bundle")


@page
def destination_edit(request: HttpRequest, pk: int, destination: int) -> HttpResponse:
    """Change a destination's priority or weight in a bundle."""
    bundle = _bundle(request, pk)
    row = _place(bundle, destination)
    initial = {"priority": row.priority, "weight": row.weight}
    form = DestinationForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            destination_update(by=user_of(request), bundle=bundle, destination=row.destination, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{row.destination}” is saved, in effect now.")
            return redirect("campaigns:detail", pk=pk)
    return _show_place(request, bundle, form, title="Priority and weight", subtitle=str(row.destination), submit="Save")


def _show_place(request: HttpRequest, bundle: Campaign, form: DestinationForm, **context: Any) -> HttpResponse:
    return show(
        request, "campaigns/destination_form.html", crumbs=crumbs_of(bundle, inside=True), form=form, campaign=bundle,
        status=422 if form.is_bound else 200, **context,
    )  # fmt: skip


@page
@require_POST
def destination_gone(request: HttpRequest, pk: int, destination: int) -> HttpResponse:
    """Take a campaign out of a bundle (POST)."""
    bundle = _bundle(request, pk)
    row = _place(bundle, destination)
    try:
        destination_remove(by=user_of(request), bundle=bundle, destination=row.destination)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"“{row.destination}” is out of the bundle. Its calls in progress go on.")
    return redirect("campaigns:detail", pk=pk)
