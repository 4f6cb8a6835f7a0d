"""Carriers of the network: their paces and how they are."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from outbound import actions
from outbound.forms import CarrierForm
from outbound.models import Carrier
from outbound.queries.batches import carrier_list
from portal.accounts import access
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show

from .common import network_of, said, user_of


def _carrier_or_404(request: HttpRequest, pk: int) -> Carrier:
    found = carrier_list(user=user_of(request), network=network_of(request)).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such carrier.")
    return found


@page
@require_GET
def carrier_index(request: HttpRequest) -> HttpResponse:
    """The carriers and their health."""
    user, network = user_of(request), network_of(request)
    return show(
        request, "outbound/carriers.html", title="Carriers", subtitle="Who carries the calls, and how they are",
        page=keyset(carrier_list(user=user, network=network), request.GET), now=timezone.now(),
        may_add=access.may(user, "change", network), may_operate=access.may(user, "operate", Carrier(network=network)),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def carrier_new(request: HttpRequest) -> HttpResponse:
    """Add a carrier's account: Super."""
    user, network = user_of(request), network_of(request)
    access.require(user, "add", Carrier(network=network, name="a new carrier"))
    form = CarrierForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.carrier_create(by=user, network=network, **form.values())
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"The carrier “{made}” is there.")
            return redirect("outbound:carriers")
    return show(
        request, "outbound/carrier.html", title="New carrier", crumbs=[("Carriers", "/outbound/carriers/")], form=form,
        status=422 if form.errors else 200, carrier=None,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def carrier_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a carrier: Super. Everybody else who may see it reads it."""
    carrier, user = _carrier_or_404(request, pk), user_of(request)
    form = CarrierForm(request.POST or None, carrier=carrier)
    may_change = access.may(user, "change", carrier)
    if not may_change:
        form.freeze()
    if request.method == "POST":
        access.require(user, "change", carrier)
        if form.is_valid():
            try:
                actions.carrier_update(by=user, carrier=carrier, **form.values())
            except Refused as error:
                form.refuse(error)
            else:
                messages.success(request, "Saved; it holds from the next call on.")
                return redirect("outbound:carriers")
    return show(
        request, "outbound/carrier.html", title=carrier.name, subtitle=carrier.get_kind_display(),
        crumbs=[("Carriers", "/outbound/carriers/")], form=form, carrier=carrier, may_change=may_change,
        may_operate=access.may(user, "operate", carrier), now=timezone.now(), status=422 if form.errors else 200,
    )  # fmt: skip


@page
@require_POST
def clear(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a back-off: it is tried at full pace again."""
    carrier = _carrier_or_404(request, pk)
    try:
        actions.carrier_clear(by=user_of(request), carrier=carrier)
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, f"“{carrier}” is tried at full pace again.")
    return redirect("outbound:carriers")
