"""The network that a signed-in user is looking at."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from . import access
from .models import Network

SESSION_KEY = "network_id"
LISTED = 200


def networks_of(user: object) -> list[Network]:
    """The networks that `user` may look at, by name: those he belongs to; for platform staff all. At most `LISTED`."""
    return list(access.restrict(Network.objects.all(), user)[:LISTED])


def _current(request: HttpRequest) -> Network | None:
    networks = request.networks  # type: ignore[attr-defined]
    chosen = request.session.get(SESSION_KEY)
    found = next((network for network in networks if network.pk == chosen), None)
    if found is None and chosen and len(networks) == LISTED:
        found = access.restrict(Network.objects.filter(pk=chosen), request.user).first()
    return found or (networks[0] if networks else None)


class CurrentNetworkMiddleware:
    """Sets `request.networks` and `request.network`, both lazily: what a page does not use costs no query.

    A network that the user lost meanwhile falls back to one that he still has.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.networks = SimpleLazyObject(lambda: networks_of(request.user))  # type: ignore[attr-defined]
        request.network = SimpleLazyObject(lambda: _current(request))  # type: ignore[attr-defined]
        return self.get_response(request)
