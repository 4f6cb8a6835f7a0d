"""The bell's list, all notices, and which of them come by mail."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.errors import NotFound
from portal.web.lists import keyset
from portal.web.pages import fragment, page, part_of, show

from . import actions, queries


@require_GET
@page
def notice_list(request: HttpRequest) -> HttpResponse:
    """All notices of the user, newest first; the bell asks for the newest as a part."""
    user: Any = request.user
    if part_of(request) == "newest":
        return fragment(request, "notices/parts/newest.html", notices=queries.newest(user))
    unread_only = request.GET.get("show") == "unread"
    rows = queries.notices_of(user)
    if unread_only:
        rows = rows.filter(read_at=None)
    return show(
        request, "notices/list.html", title="Notices", page=keyset(rows, request.GET, order=("-id",)), unread_only=unread_only,
    )  # fmt: skip


def _inside(request: HttpRequest, address: str) -> bool:
    return url_has_allowed_host_and_scheme(address, None) and address.startswith("/")


@require_POST
@page
def notice_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one as read and, with `open`, go on to what it is about."""
    user: Any = request.user
    notice = queries.notices_of(user).filter(pk=pk).first()
    if notice is None:
        raise NotFound("There is no such notice.")
    actions.notices_read(by=user, notice=pk)
    wanted = notice.link if "open" in request.POST else request.POST.get("next", "")
    return redirect(wanted if wanted and _inside(request, wanted) else "notices:list")


@require_POST
@page
def notices_all_read(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    count = actions.notices_read(by=user)
    messages.success(request, "All notices are marked as read." if count else "There was nothing unread.")
    return redirect("notices:list")


@require_http_methods(["GET", "POST"])
@page
def notice_settings(request: HttpRequest) -> HttpResponse:
    """Which notices come by mail too."""
    user: Any = request.user
    switches = queries.switches_of(user)
    if request.method == "POST":
        wanted = set(request.POST.getlist("by_mail"))
        actions.preferences_set(by=user, by_mail={kind.prefix: (kind.prefix or "*") in wanted for kind, _ in switches})
        messages.success(request, "Saved.")
        return redirect("notices:settings")
    return show(
        request, "notices/settings.html", title="Notices by mail", crumbs=[("Notices", "/notices/")], switches=switches,
        subtitle=user.email,
    )  # fmt: skip
