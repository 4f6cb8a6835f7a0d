"""Plain views for the endpoints that every call passes: everything the API promises, nothing else.

Authentication, errors, limits and idempotency are those of the DRF views; what is left out is serializers, content
negotiation and the middleware for pages (see `middleware.FastPathMiddleware`). `public_view` is for what web pages ask.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from portal.accounts.models import Network
from portal.accounts.tokens import Identity
from portal.errors import NotFound
from portal.memory import Memory

from .authentication import authenticate_plain, check_write
from .body import check_content_type, check_size, json_object, read_json
from .errors import respond
from .idempotency import key_of, once
from .permissions import check_network, network_get
from .throttling import Limiter
from .versioning import CURRENT, check_version, is_old

FastView = Callable[..., HttpResponse]
_networks: Memory[int, Network] = Memory(lambda: settings.API_ROUTING_CACHE_SECONDS, 1000)


def network_remembered(identity: Identity, network_id: int) -> Network:
    """The network as it was within the last API_ROUTING_CACHE_SECONDS; the user's role in it is checked each time."""
    check_network(identity.user, network_id)
    network = _networks.get(network_id)
    if network is None:
        network = network_get(identity.user, network_id)
        _networks.put(network_id, network)
    return network


def json_response(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(
        json.dumps(body, separators=(",", ":"), ensure_ascii=False), status=status, content_type="application/json"
    )


def only_in_current(version: str) -> None:
    """NotFound `not_in_version` for what the Network Integration versions do not have."""
    check_version(version)
    if is_old(version):
        raise NotFound(f"This exists in version {CURRENT} only, not in {version}.", code="not_in_version")


def fast_view(limiter: Limiter) -> Callable[[Callable[..., HttpResponse]], FastView]:
    """Decorate `view(identity, network, data, key, **path)`: data is the JSON object sent, key the Idempotency-Key or
    None. Whatever it raises is answered in the API's one error shape."""

    def decorate(view: Callable[..., HttpResponse]) -> FastView:
        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, version: str, network_id: int, **path: Any) -> HttpResponse:
            try:
                only_in_current(version)
                identity = authenticate_plain(request)
                limiter.check(identity)
                check_write(identity, request.method)
                network = network_remembered(identity, network_id)
                if check_size(request):
                    check_content_type(request)
                data = json_object(read_json(request.body))
                key = key_of(request)
                if key is None:
                    return view(identity, network, data, None, **path)
                return once(
                    identity.user, f"POST {request.path}", key, data,
                    lambda: view(identity, network, data, key, **path),
                )  # fmt: skip
            except Exception as error:
                return respond(error, request, version)

        return wrapped

    return decorate


# Any web page may ask, and read the answer; no cookie goes along, and no proxy keeps it.
_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store", "Vary": "Origin"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}


def public_view(view: Callable[..., HttpResponse]) -> FastView:
    """Decorate `view(request, version, **path)` for web pages of any origin: GET, POST and the browser's OPTIONS.

    Nobody is signed in here: the view itself asks for a key that may stand in a page. Errors have the API's one shape.
    """

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, version: str, **path: Any) -> HttpResponse:
        try:
            check_version(version)
            if request.method == "OPTIONS":
                response = HttpResponse(status=204, headers=_PREFLIGHT)
            elif request.method in ("GET", "HEAD", "POST"):
                check_size(request)
                response = view(request, version, **path)
            else:
                raise MethodNotAllowed(request.method or "")
        except Exception as error:
            response = respond(error, request, version)
            if isinstance(error, MethodNotAllowed):
                response.headers["Allow"] = _PREFLIGHT["Access-Control-Allow-Methods"]
        for name, value in _OPEN.items():
            response.headers[name] = value
        return response

    wrapped.fast_public = wrapped  # type: ignore[attr-defined]
    return wrapped


def documented(view: FastView, view_class: Any) -> FastView:
    """`view`, described to the schema by a DRF view class that never serves a request."""
    described = view_class.as_view()
    view.cls, view.initkwargs = described.cls, described.initkwargs  # type: ignore[attr-defined]
    return view


def with_fast_post(view_class: Any, fast: FastView) -> Callable[..., Any]:
    """A DRF view whose POST is served by `fast`, also by the short way; to the schema it is one view."""
    view = view_class.as_view()

    @csrf_exempt
    @wraps(view)
    def entry(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return fast(request, *args, **kwargs) if request.method == "POST" else view(request, *args, **kwargs)

    entry.fast_post = fast  # type: ignore[attr-defined]
    return entry
