"""The short way for the hot endpoints: calls, their events and visitors' numbers skip the middleware that only pages need."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve


class FastPathMiddleware:
    """Hands a request under /api/ straight to its view, where the view has a short way.

    Sessions, messages, allauth and CSRF have nothing to do there. `fast_post` takes a POST that carries a token, which
    the view checks itself; without an Authorization header (a session, as Swagger UI uses) the same view is reached
    through the whole stack. `fast_public` takes whatever a web page of any origin sends.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            try:
                match = resolve(request.path_info)
            except Resolver404:
                return self.get_response(request)
            fast = getattr(match.func, "fast_public", None)
            if fast is None and request.method == "POST" and request.META.get("HTTP_AUTHORIZATION"):
                fast = getattr(match.func, "fast_post", None)
            if fast is not None:
                request.resolver_match = match
                response = fast(request, *match.args, **match.kwargs)
                # Elsewhere CommonMiddleware says it; without it the answer would go out in chunks.
                response.headers["Content-Length"] = str(len(response.content))
                return response
        return self.get_response(request)
