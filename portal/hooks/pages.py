"""Webhooks of the current network: made, switched, deleted; their messages, with replay."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import access
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show

from . import actions
from .forms import WebhookChangeForm, WebhookForm
from .models import Delivery, Webhook


def _webhook(request: HttpRequest, pk: int) -> Webhook:
    found = access.restrict(Webhook.objects.filter(pk=pk), request.user).select_related("network").first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


@never_cache
@require_http_methods(["GET", "POST"])
@page
def webhook_list(request: HttpRequest) -> HttpResponse:
    """The network's webhooks; a POST makes one and shows its secret, in this answer and never again."""
    network = network_of(request)
    user: Any = request.user
    access.require(user, "change", network)
    form = WebhookForm(request.POST or None)
    made = secret = None
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = actions.webhook_create(by=user, network=network, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            form = WebhookForm()
    return show(
        request, "hooks/list.html", title="Webhooks", subtitle="Signed messages to your own systems",
        status=422 if form.errors else 200, form=form, made=made, secret=secret,
        webhooks=Webhook.objects.filter(network=network)[: actions.AT_MOST],
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def webhook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook: what it is told of, and its messages."""
    webhook = _webhook(request, pk)
    user: Any = request.user
    initial = {"kinds": webhook.kinds, "is_active": webhook.is_active}
    form = WebhookChangeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.webhook_update(by=user, webhook=webhook, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect("hooks:detail", pk=pk)
    rows = Delivery.objects.filter(webhook=webhook)
    return show(
        request, "hooks/detail.html", title="Webhook", subtitle=webhook.url, crumbs=[("Webhooks", "/webhooks/")],
        status=422 if form.errors else 200, form=form, webhook=webhook,
        deliveries=keyset(rows, request.GET, order=("-created_at", "-id")),
    )  # fmt: skip


@require_POST
@page
def webhook_gone(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = _webhook(request, pk)
    actions.webhook_delete(by=request.user, webhook=webhook)  # type: ignore[arg-type]
    messages.success(request, f"{webhook.url} is told nothing any more.")
    return redirect("hooks:list")


@require_POST
@page
def delivery_again(request: HttpRequest, pk: int, delivery: str) -> HttpResponse:
    webhook = _webhook(request, pk)
    found = Delivery.objects.filter(webhook=webhook, pk=delivery).select_related("webhook").first()
    if found is None:
        raise NotFound("There is no such message.")
    actions.delivery_replay(by=request.user, delivery=found)  # type: ignore[arg-type]
    messages.success(request, "The message goes out again.")
    return redirect("hooks:detail", pk=pk)
