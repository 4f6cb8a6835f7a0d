"""For those who run the portal: is it alive, and its metrics."""

import ipaddress
import secrets

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, 503 while it does not. Says nothing else: anybody may ask."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # whatever the reason, the answer to a load balancer is the same
        return JsonResponse({"status": "database unreachable"}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look without being told (Swagger UI, the metrics)."""
    return redirect(static("portal/favicon.svg"))


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for the machine itself or whoever holds METRICS_TOKEN (`Authorization: Bearer ...`)."""
    if not (_is_local(request) or _has_token(request)):
        raise Http404
    return ExportToDjangoView(request)


def _is_local(request: HttpRequest) -> bool:
    # A request that a proxy passed on comes from the proxy's address, not from the asker's.
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_token(request: HttpRequest) -> bool:
    expected = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(expected) and secrets.compare_digest(given.encode(), expected.encode())
