"""The destinations of a bundle: add, change, remove."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns.actions import destination_add, destination_remove, destination_update
from campaigns.choices import CampaignType
from campaigns.forms import DestinationAddForm, DestinationForm
from campaigns.models import BundleDestination, Campaign
from campaigns.queries.lists import campaigns_visible
from portal.accounts import access
from portal.errors import Conflict, NotFound, Refused
from portal.web.pages import page, show

from .common import campaign_or_404, crumbs_of, user_of


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
