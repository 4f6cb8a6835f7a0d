"""Advertisers: list, page, create, change, delete."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns.actions import advertiser_create, advertiser_delete, advertiser_update
from campaigns.actions.advertisers import may_add
from campaigns.forms import AdvertiserForm
from campaigns.queries.lists import advertiser_list, campaign_list
from portal.accounts import access
from portal.errors import Conflict, Refused
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show

from .common import advertiser_or_404, recent_changes, rights_on, user_of
from .lists import may_create

_CRUMBS = ("Advertisers", "campaigns:advertisers")


@page
def advertiser_index(request: HttpRequest) -> HttpResponse:
    """Every advertiser that the user may see."""
    search = request.GET.get("q", "").strip()
    rows = advertiser_list(user=user_of(request), network=network_of(request), search=search)
    return show(
        request, "campaigns/advertisers.html", title="Advertisers", page=keyset(rows, request.GET), search=search,
        may_create=may_create(request),
    )  # fmt: skip


@page
def advertiser_page(request: HttpRequest, pk: int) -> HttpResponse:
    """An advertiser with its campaigns and what was changed."""
    advertiser = advertiser_or_404(request, pk)
    rows = campaign_list(
        user=user_of(request), network=advertiser.network, advertiser=pk, status=request.GET.get("status", "")
    )
    return show(
        request,
        "campaigns/advertiser.html",
        title=advertiser.name,
        subtitle=f"Advertiser {advertiser.id_from_network}",
        crumbs=[(_CRUMBS[0], reverse(_CRUMBS[1]))],
        advertiser=advertiser,
        page=keyset(rows, request.GET),
        rights=rights_on(request, advertiser, "change", "delete", "manage_access"),
        may_create=may_create(request),
        changes=recent_changes(advertiser),
    )


@page
def advertiser_new(request: HttpRequest) -> HttpResponse:
    """Create an advertiser."""
    user, network = user_of(request), network_of(request)
    may_add(user, network)
    form = AdvertiserForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            advertiser = advertiser_create(by=user, network=network, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{advertiser}” is created. Now add its campaigns.")
            return redirect("campaigns:advertiser", pk=advertiser.pk)
    return show(
        request, "campaigns/advertiser_form.html", title="New advertiser", crumbs=[(_CRUMBS[0], reverse(_CRUMBS[1]))],
        form=form, submit="Create advertiser", network_makes_ids=network.auto_generate_ids,
        status=422 if form.is_bound else 200,
    )  # fmt: skip


@page
def advertiser_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an advertiser's name."""
    advertiser = advertiser_or_404(request, pk)
    access.require(user_of(request), "change", advertiser)
    form = AdvertiserForm(request.POST if request.method == "POST" else None, initial={"name": advertiser.name})
    del form.fields["id_from_network"]
    if form.is_bound and form.is_valid():
        try:
            advertiser_update(by=user_of(request), advertiser=advertiser, name=form.cleaned_data["name"])
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect("campaigns:advertiser", pk=pk)
    address = reverse("campaigns:advertiser", args=[pk])
    return show(
        request, "campaigns/advertiser_form.html", title="Edit", subtitle=advertiser.name,
        crumbs=[(_CRUMBS[0], reverse(_CRUMBS[1])), (advertiser.name, address)], form=form, submit="Save",
        advertiser=advertiser, status=422 if form.is_bound else 200,
    )  # fmt: skip


@page
@require_POST
def advertiser_gone(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete an advertiser without campaigns (POST)."""
    advertiser = advertiser_or_404(request, pk)
    try:
        advertiser_delete(by=user_of(request), advertiser=advertiser)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("campaigns:advertiser", pk=pk)
    messages.success(request, f"“{advertiser}” is deleted.")
    return redirect("campaigns:advertisers")
