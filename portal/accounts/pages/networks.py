"""Switching between networks, and a network's settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts import access, actions, queries
from portal.accounts.forms import NetworkForm
from portal.accounts.middleware import SESSION_KEY
from portal.accounts.models import Network
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show


def network_or_404(request: HttpRequest, pk: int) -> Network:
    """A network that the user may look at."""
    found = access.restrict(Network.objects.filter(pk=pk), request.user).first()
    if found is None:
        raise NotFound("There is no such network.")
    return found


@require_GET
@page
def network_list(request: HttpRequest) -> HttpResponse:
    """All networks that the user may switch to, searchable."""
    text = request.GET.get("q", "").strip()
    return show(
        request, "accounts/networks.html", title="Networks", subtitle="Choose which one to look at", text=text,
        rows=keyset(queries.networks_found(request.user, text), request.GET, order=("name", "id")),
        may_create=access.stands_above(request.user),  # type: ignore[arg-type]
    )  # fmt: skip


@require_POST
@page
def network_switch(request: HttpRequest) -> HttpResponse:
    """Look at another network from now on (kept in the session), then go to `next` within the portal."""
    chosen = request.POST.get("network", "")
    network = network_or_404(request, int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else 0)
    request.session[SESSION_KEY] = network.pk
    wanted = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if inside else "/")


@require_http_methods(["GET", "POST"])
@page
def network_settings(request: HttpRequest, pk: int) -> HttpResponse:
    """A network's settings; its package and prices only for platform staff."""
    network = network_or_404(request, pk)
    user: Any = request.user
    staff = access.stands_above(user)
    may_change = access.may(user, "change", network)
    if request.method == "POST":
        access.require(user, "change", network)
    form = NetworkForm(request.POST or None, network=network, staff=staff)
    if not may_change:
        form.freeze()
    if request.method == "POST" and form.is_valid():
        try:
            actions.network_update(by=user, network=network, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect("accounts:network", pk=pk)
    return show(
        request, "accounts/network.html", title="Network settings", subtitle=network.name,
        status=422 if form.errors else 200, form=form, settings_of=network, may_change=may_change,
        who_may=access.who_may("change", Network),
    )  # fmt: skip
