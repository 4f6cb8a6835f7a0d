"""The API tokens page: one's own, and for a Super those of the network's members (never their keys)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import access, queries
from portal.accounts.actions.tokens import token_create, token_revoke
from portal.accounts.forms import TokenForm
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show


@never_cache
@require_http_methods(["GET", "POST"])
@page
def token_list(request: HttpRequest) -> HttpResponse:
    """The user's tokens; a POST makes one and shows its key, in this answer and never again."""
    user: Any = request.user
    network = getattr(request, "network", None)
    form = TokenForm(request.POST or None)
    made = key = None
    if request.method == "POST" and form.is_valid():
        try:
            made, key = token_create(
                by=user, user=user, name=form.cleaned_data["name"], read_only=form.cleaned_data["read_only"],
                expires_at=form.expires_at(network.time_zone if network else "UTC"),
            )  # fmt: skip
        except Refused as error:
            form.refuse(error)
        else:
            form = TokenForm()
    others = None
    if network and access.may(user, "manage_members", network):
        others = keyset(queries.tokens_of_members(network, but=user), request.GET, order=("-id",))
    return show(
        request, "accounts/tokens.html", title="API tokens", subtitle="A token acts as you, with your rights",
        status=422 if form.errors else 200, form=form, made=made, key=key, others=others,
        # A user holds at most MAX_LIVE_TOKENS; revoked ones are listed as far as they are recent.
        tokens=user.api_tokens.all()[:100],
    )  # fmt: skip


@require_POST
@page
def token_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    token = queries.tokens_seen_by(user).filter(pk=pk).first()
    if token is None:
        raise NotFound("There is no such token.")
    token_revoke(by=user, token=token)
    messages.success(request, f"“{token.name}” is revoked; within seconds nothing accepts it any more.")
    return redirect("accounts:tokens")
