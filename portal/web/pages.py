"""What every page of the portal is made with: the decorator, the render call, live parts.

A live part is a small template of its own inside a page. The page includes it within `{% live "name" %}`; htmx then asks
the same address again with `?part=name`, and the view answers only that template through `fragment`.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from portal.accounts.models import Network
from portal.errors import NotAllowed, NotFound

# htmx stops polling when it is answered with this status.
STOP_POLLING = 286


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page: signed in, and an action's NotFound and NotAllowed become 404 and a readable 403."""

    @wraps(view)
    @login_required
    def signed_in(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _check_texts(request)
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404(error.message) from error
        except NotAllowed as error:
            return not_allowed(request, error)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_fragment(request) and not request.user.is_authenticated:
            # A redirect would swap the sign-in page into the middle of the old one: load the whole page again instead.
            return HttpResponse(status=401, headers={"HX-Refresh": "true"})
        return signed_in(request, *args, **kwargs)

    return wrapped


def _check_texts(request: HttpRequest) -> None:
    """400 for the character NUL: no keyboard has it and no column takes it, so every page would fail on it its own way."""
    # A large file that comes along is for its page to look at, or to refuse unread; a form refuses the character anyway.
    length = request.META.get("CONTENT_LENGTH") or "0"
    large = not length.isdecimal() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for texts in (
        (request.GET,) if large and request.content_type == "multipart/form-data" else (request.GET, request.POST)
    ):
        for name, values in texts.lists():
            if any("\x00" in str(text) for text in (name, *values)):
                raise BadRequest("A text holds the character NUL, which nothing can store.")


def not_allowed(request: HttpRequest, error: NotAllowed) -> HttpResponse:
    """The 403 page: what right is missing and who has it."""
    return show(request, "portal/not_allowed.html", title="Not allowed", status=403, error=error)


def network_of(request: HttpRequest) -> Network:
    """The network that the user is looking at; 404 for someone who belongs to none."""
    network = getattr(request, "network", None)
    if not network:
        raise Http404("You do not belong to any network yet; ask whoever manages members.")
    return network


def show(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    subtitle: str = "",
    crumbs: Sequence[tuple[str, str]] = (),
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render a page on the one base (`templates/portal/page.html`).

    title: the h1 and the window's title. subtitle: one line under it. crumbs: the (label, address) of the pages above.
    """
    return render(request, template, {"title": title, "subtitle": subtitle, "crumbs": crumbs, **context}, status=status)


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a live part of the page only."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def part_of(request: HttpRequest) -> str:
    """The name of the live part that htmx asks for; empty when the whole page is wanted."""
    return request.GET.get("part", "") if is_fragment(request) else ""


def fragment(request: HttpRequest, template: str, *, ended: bool = False, **context: Any) -> HttpResponse:
    """Answer a live part. `ended`: nothing in it changes any more, so the page stops asking."""
    response = render(request, template, context, status=STOP_POLLING if ended else 200)
    response["Cache-Control"] = "no-store"
    return response


def number_in(request: HttpRequest, name: str) -> int | None:
    """The whole number that the address gives as `name`; None for anything else."""
    text = request.GET.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
