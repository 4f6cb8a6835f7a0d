"""The Members page: who belongs to the network, with which role."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts import access, actions, queries
from portal.accounts.forms import MemberAddForm, MemberRoleForm
from portal.accounts.models import Membership, Network
from portal.accounts.roles import Role
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show

LIST = "accounts:members"


def site_of(request: HttpRequest) -> str:
    """The portal's address as this browser knows it, for links in mails."""
    return f"{request.scheme}://{request.get_host()}"


def ceiling_of(request: HttpRequest, network: Network) -> int | None:
    """The highest role that the user may give; None for platform staff."""
    user: Any = request.user
    return None if access.stands_above(user) else user.roles.get(network.pk, -1)


def member_or_404(request: HttpRequest, pk: int) -> Membership:
    """A membership that the user may see."""
    found = access.restrict(Membership.objects.select_related("user", "network"), request.user).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such member.")
    return found


@require_GET
@page
def member_list(request: HttpRequest) -> HttpResponse:
    network = network_of(request)
    access.require(request.user, "view_members", network)
    text, role = request.GET.get("q", "").strip(), request.GET.get("role", "")
    wanted = next((value for value in Role.values if str(value) == role), None)
    counts = queries.roles_counted(network)
    return show(
        request, "accounts/members.html", title="Members", subtitle=f"Who belongs to {network}, and with which role",
        members=keyset(queries.members_of(network, text=text, role=wanted), request.GET, order=("-role", "-id")),
        text=text, role=wanted, roles=[(value, label, counts.get(value, 0)) for value, label in Role.choices],
        total=sum(counts.values()), may_manage=access.may(request.user, "manage_members", network),
        who_may=access.who_may("manage_members", Network),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def member_add(request: HttpRequest) -> HttpResponse:
    network = network_of(request)
    user: Any = request.user
    access.require(user, "manage_members", network)
    form = MemberAddForm(request.POST or None, ceiling=ceiling_of(request, network))
    if request.method == "POST" and form.is_valid():
        try:
            member = actions.member_add(by=user, network=network, site=site_of(request), **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            what = (
                "was told by mail"
                if member.user.has_usable_password()
                else "gets a mail with the link to set a password"
            )
            messages.success(request, f"{member.user} is now {member.get_role_display()} and {what}.")
            return redirect(LIST)
    return show(
        request, "accounts/member_add.html", title="Add a member", crumbs=[("Members", reverse(LIST))],
        status=422 if form.errors else 200, form=form,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def member_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One member: his role (to change), groups, and the way out."""
    member = member_or_404(request, pk)
    access.require(request.user, "manage_members", member.network)
    initial = {"role": member.role}
    form = MemberRoleForm(request.POST or None, initial=initial, ceiling=ceiling_of(request, member.network))
    if request.method == "POST" and form.is_valid():
        try:
            member = actions.member_change_role(by=request.user, membership=member, **form.cleaned_data)  # type: ignore[arg-type]
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"{member.user} is now {member.get_role_display()}.")
            return redirect(LIST)
    groups = member.user.groups.filter(networkgroup__network=member.network).select_related("networkgroup")
    return show(
        request, "accounts/member.html", title=str(member.user), subtitle=member.user.email,
        crumbs=[("Members", reverse(LIST))], status=422 if form.errors else 200, form=form, member=member,
        groups=[group.networkgroup for group in groups],
        never_signed_in=not member.user.has_usable_password() and not member.user.last_login,
    )  # fmt: skip


@require_POST
@page
def member_remove(request: HttpRequest, pk: int) -> HttpResponse:
    member = member_or_404(request, pk)
    try:
        actions.member_remove(by=request.user, membership=member, reason=request.POST.get("reason", ""))  # type: ignore[arg-type]
    except Refused as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
        return redirect("accounts:member", pk=pk)
    messages.success(
        request, f"{member.user} no longer belongs to {member.network}; his groups and grants went with him."
    )
    return redirect(LIST if member.user != request.user else "home")


@require_POST
@page
def member_invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    member = member_or_404(request, pk)
    try:
        actions.member_invite_again(by=request.user, membership=member, site=site_of(request))  # type: ignore[arg-type]
    except Refused as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, f"The link to set a password is on its way to {member.user.email}.")
    return redirect("accounts:member", pk=pk)
