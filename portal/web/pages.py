"""What every page of the portal is made with."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from portal.accounts.models import Network
from portal.errors import NotAllowed, NotFound


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page: signed in, and an action's NotFound and NotAllowed become 404 and a readable 403."""

    @wraps(view)
    @login_required
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404(error.message) from error
        except NotAllowed as error:
            return show(request, "portal/not_allowed.html", title="Not allowed", status=403, error=error)

    return wrapped


def network_of(request: HttpRequest) -> Network:
    """The network that the user is looking at; 404 for someone who belongs to none."""
    network = getattr(request, "network", None)
    if not network:
        raise Http404("You do not belong to any network yet; ask whoever manages members.")
    return network


def show(request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page on the one base (`templates/portal/page.html`) with Unfold's own context (sidebar, theme)."""
    return render(request, template, {**admin.site.each_context(request), "title": title, **context}, status=status)


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a live part of the page only."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"
