"""Every request has an id: on the answer, in the logs and in the audit trail."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from portal.audit import context

_SAFE = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class RequestIdMiddleware:
    """Takes a sensible `X-Request-ID` from the caller or makes one; sets it on the answer and for the audit trail."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request.request_id = given if _SAFE.match(given) else uuid4().hex  # type: ignore[attr-defined]
        held = context.request_id.set(request.request_id)  # type: ignore[attr-defined]
        token = context.token_id.set(None)
        try:
            response = self.get_response(request)
        finally:
            context.request_id.reset(held)
            context.token_id.reset(token)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response
