"""Carriers' accounts of the current network: what brings real phone calls."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from campaigns import actions
from campaigns.models import VoiceAccount
from portal.accounts import access
from portal.api.versioning import CURRENT
from portal.errors import NotAllowed, Refused
from portal.web.forms import PortalForm
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show

from .common import user_of


class AccountForm(PortalForm):
    account_sid = forms.CharField(
        label="Account SID", max_length=64, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    secret = forms.CharField(
        label="Auth token", max_length=200, help_text="Kept encrypted and never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
@page
def voice_accounts(request: HttpRequest) -> HttpResponse:
    """The accounts; a Super adds one or gives one a new secret."""
    network, user = network_of(request), user_of(request)
    rows = access.restrict(VoiceAccount.objects.filter(network=network), user)
    blank = VoiceAccount(network=network)
    if not access.may(user, "view", blank):
        raise NotAllowed(access.who_may("view", VoiceAccount), permission="campaigns.view_voiceaccount")
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account, created = actions.voice_account_set(by=user, network=network, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"{account} {'was added' if created else 'has a new secret'}.")
            return redirect("campaigns:voice")
    hook = reverse("voice-twilio-incoming", args=[CURRENT, network.pk])
    return show(
        request, "campaigns/voice.html", title="Phone carriers", subtitle="Accounts that bring calls to this network",
        status=422 if form.errors else 200, form=form, may_change=access.may(user, "add", blank),
        who_may=access.who_may("add", VoiceAccount), hook=f"{settings.PORTAL_URL.rstrip('/')}{hook}",
        accounts=keyset(rows, request.GET, order=("-id",)),
    )  # fmt: skip


@require_POST
@page
def voice_account_gone(request: HttpRequest, pk: int) -> HttpResponse:
    network, user = network_of(request), user_of(request)
    found: Any = access.restrict(VoiceAccount.objects.filter(network=network, pk=pk), user).first()
    sid = found.account_sid if found else ""
    actions.voice_account_remove(by=user, network=network, account_sid=sid)
    messages.success(request, f"{sid} is forgotten; its webhooks are refused from now on.")
    return redirect("campaigns:voice")
