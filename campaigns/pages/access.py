"""The Access pages of advertisers and campaigns: who may do what, and why; grants are given and taken here."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from campaigns import actions
from campaigns.models import Advertiser, Campaign
from campaigns.queries import access as access_queries
from portal.accounts import access
from portal.accounts.models import NetworkGroup, User
from portal.accounts.queries import group_rows
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show

PAGE_SIZE = 25


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _subject(obj: Advertiser | Campaign, named: str) -> User | NetworkGroup:
    """Who `member:7` or `group:3` is, in the object's network; NotFound for anybody else."""
    kind, _, key = named.partition(":")
    found: User | NetworkGroup | None
    if kind == "group":
        found = group_rows().filter(network_id=obj.network_id, pk=_number(key)).first()
    else:
        found = User.objects.filter(memberships__network_id=obj.network_id, pk=_number(key)).first()
    if found is None:
        raise NotFound("There is no such member or group in this network.")
    return found


def _write(request: HttpRequest, obj: Advertiser | Campaign) -> None:
    """Give or take one permission, as the posted `to`, `permission` and `do` say."""
    user: Any = request.user
    access.require(user, "manage_access", obj)
    to = _subject(obj, request.POST.get("to", ""))
    action = request.POST.get("permission", "")
    write = actions.access_revoke if request.POST.get("do") == "revoke" else actions.access_grant
    label = access_queries.LABELS.get(action, action)
    try:
        changed = write(by=user, obj=obj, to=to, action=action)
    except Refused as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
        return
    if not changed:
        messages.info(request, "Nothing changed: it was so already.")
    elif write is actions.access_revoke:
        messages.success(request, f"“{label}” is taken from {to}.")
    else:
        messages.success(request, f"“{label}” is granted to {to}.")


def _access(request: HttpRequest, obj: Advertiser | Campaign, here: str, crumbs: list[tuple[str, str]]) -> HttpResponse:
    if request.method == "POST":
        _write(request, obj)
        return redirect(request.get_full_path())
    user: Any = request.user
    # The list names the network's people: for whoever may see them, and for whoever manages access here.
    manages = access.may(user, "manage_access", obj)
    if not manages:
        access.require(user, "view_members", obj.network)
    text = request.GET.get("q", "").strip()
    members, groups = obj.network.memberships.select_related("user"), obj.network.groups.all()
    if text:
        members = members.filter(Q(user__email__icontains=text) | Q(user__name__icontains=text))
        groups = groups.filter(label__icontains=text)
    shows_groups = request.GET.get("show") == "groups"
    rows: Any
    if shows_groups:
        rows = keyset(groups, request.GET, order=("label", "id"), size=PAGE_SIZE)
        table = access_queries.access_of_groups(obj, rows)
    else:
        rows = keyset(members, request.GET, order=("-role", "-id"), size=PAGE_SIZE)
        table = access_queries.access_of_members(obj, rows)
    return show(
        request, "campaigns/access.html", title="Access", subtitle=f"Who may do what on “{obj}”, and why", crumbs=crumbs,
        obj=obj, here=here, table=table, rows=rows, text=text, shows_groups=shows_groups, manages=manages,
        grantable=access_queries.grantable_by(user, obj) if manages else [],
        labels=[access_queries.LABELS[action] for action in access.GRANTABLE],
        who_may=access.who_may("manage_access", type(obj)),
        kind=type(obj)._meta.verbose_name,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def campaign_access(request: HttpRequest, pk: int) -> HttpResponse:
    """The Access page of a campaign; a POST grants or takes away."""
    campaigns = access.restrict(Campaign.objects.select_related("network", "advertiser"), request.user)
    campaign = campaigns.filter(pk=pk).first()
    if campaign is None:
        raise NotFound("There is no such campaign.")
    crumbs = [("Campaigns", reverse("campaigns:list")), (campaign.name, reverse("campaigns:detail", args=[pk]))]
    return _access(request, campaign, reverse("campaigns:access", args=[pk]), crumbs)


@require_http_methods(["GET", "POST"])
@page
def advertiser_access(request: HttpRequest, pk: int) -> HttpResponse:
    """The Access page of an advertiser: what is granted here holds for all its campaigns."""
    advertiser = access.restrict(Advertiser.objects.select_related("network"), request.user).filter(pk=pk).first()
    if advertiser is None:
        raise NotFound("There is no such advertiser.")
    crumbs = [
        ("Advertisers", reverse("campaigns:advertisers")), (advertiser.name, reverse("campaigns:advertiser", args=[pk]))
    ]  # fmt: skip
    return _access(request, advertiser, reverse("campaigns:advertiser-access", args=[pk]), crumbs)
