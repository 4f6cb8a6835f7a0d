"""The Groups page: groups of a network, to which access is granted at once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import access, actions, queries
from portal.accounts.forms import GroupForm, GroupMemberForm
from portal.accounts.models import Network, NetworkGroup, User
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show

LIST = "accounts:groups"
# Beyond this the list of members to choose from is cut; the page says so.
CHOICES = 500


def group_or_404(request: HttpRequest, pk: int) -> NetworkGroup:
    """A group that the user may see."""
    found = access.restrict(queries.group_rows().select_related("network"), request.user).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such group.")
    return found


@require_http_methods(["GET", "POST"])
@page
def group_list(request: HttpRequest) -> HttpResponse:
    """The groups; a POST creates one."""
    network = network_of(request)
    access.require(request.user, "manage_members" if request.method == "POST" else "view_members", network)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            group = actions.group_create(by=request.user, network=network, **form.cleaned_data)  # type: ignore[arg-type]
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"The group “{group}” is there; now put members into it.")
            return redirect("accounts:group", pk=group.pk)
    return show(
        request, "accounts/groups.html", title="Groups", subtitle="What is granted to a group, everybody in it has",
        status=422 if form.errors else 200, form=form,
        groups=keyset(queries.groups_of(network), request.GET, order=("label", "id")),
        may_manage=access.may(request.user, "manage_members", network),
        who_may=access.who_may("manage_members", Network),
    )  # fmt: skip


def _people_outside(group: NetworkGroup) -> list[tuple[int, str]]:
    """Members of the network who are not in the group, to choose from."""
    members = group.network.memberships.exclude(user__groups=group.pk).select_related("user").order_by("user__email")
    return [(member.user_id, f"{member.user} ({member.user.email})") for member in members[:CHOICES]]


@require_http_methods(["GET", "POST"])
@page
def group_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One group: its name (a POST renames it) and who is in it."""
    group = group_or_404(request, pk)
    may_manage = access.may(request.user, "manage_members", group.network)
    form = GroupForm(request.POST or None, initial={"label": group.label})
    if request.method == "POST":
        access.require(request.user, "manage_members", group.network)
        if form.is_valid():
            try:
                actions.group_rename(by=request.user, group=group, **form.cleaned_data)  # type: ignore[arg-type]
            except Refused as error:
                form.refuse(error)
            else:
                messages.success(request, "Renamed.")
                return redirect("accounts:group", pk=pk)
    people = _people_outside(group) if may_manage else []
    return show(
        request, "accounts/group.html", title=group.label, subtitle=f"A group of {group.network}",
        crumbs=[("Groups", reverse(LIST))], status=422 if form.errors else 200, group=group, form=form,
        add_form=GroupMemberForm(people=people), may_manage=may_manage, people_left=len(people), choices=CHOICES,
        who_may=access.who_may("manage_members", Network),
        people=keyset(group.user_set.all(), request.GET, order=("email", "id")),
    )  # fmt: skip


@require_POST
@page
def group_delete(request: HttpRequest, pk: int) -> HttpResponse:
    group = group_or_404(request, pk)
    label = group.label
    actions.group_delete(by=request.user, group=group, reason=request.POST.get("reason", ""))  # type: ignore[arg-type]
    messages.success(request, f"The group “{label}” and what was granted to it are gone.")
    return redirect(LIST)


@require_POST
@page
def group_member_add(request: HttpRequest, pk: int) -> HttpResponse:
    group = group_or_404(request, pk)
    user = User.objects.filter(pk=_number(request.POST.get("user"))).first()
    try:
        if user is None:
            access.require(request.user, "manage_members", group.network)
            messages.error(request, "Choose a member of the network.")
        elif actions.group_member_add(by=request.user, group=group, user=user):  # type: ignore[arg-type]
            messages.success(request, f"{user} is in the group.")
    except Refused as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
    return redirect("accounts:group", pk=pk)


@require_POST
@page
def group_member_remove(request: HttpRequest, pk: int) -> HttpResponse:
    group = group_or_404(request, pk)
    access.require(request.user, "manage_members", group.network)
    user = group.user_set.filter(pk=_number(request.POST.get("user"))).first()
    if user is not None and actions.group_member_remove(by=request.user, group=group, user=user):  # type: ignore[arg-type]
        messages.success(request, f"{user} is no longer in the group.")
    return redirect("accounts:group", pk=pk)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
