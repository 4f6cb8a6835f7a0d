"""Idempotency-Key: a POST that is sent twice happens once, and its second answer is the first one again.

A key belongs to its user and path, with a fingerprint of the body; it is kept for a day. While the first request is
being served a second one is answered 409. Of an atomic request the row's lock says so, and the answer is committed with
the change itself: a process that dies leaves either both or nothing. Routing a call commits by itself; there the key
becomes the call's `external_id` if it has none of its own, which the database keeps unique.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from portal.accounts.models import User
from portal.errors import Conflict, Invalid

from .models import IdempotencyKey

KEPT_FOR = timedelta(hours=24)
# A request that is not atomic and has no answer after so long was cut off; the next one with its key takes over.
CUT_OFF_AFTER = timedelta(seconds=60)
_KEPT_HEADERS = ("ETag", "Location")


def key_of(request: HttpRequest) -> str | None:
    """The Idempotency-Key sent, or None. Raises Invalid for one that is none."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise Invalid(
            "An Idempotency-Key has 1 to 255 printable ASCII characters.", code="invalid_idempotency_key",
            field="Idempotency-Key",
        )  # fmt: skip
    return key


def key_digest(key: str) -> str:
    """A key's stand-in as a call's `external_id`."""
    return "idempotency-key:" + hashlib.sha256(key.encode()).hexdigest()[:40]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def _claim(user: User, path: str, key: str, data: Any) -> IdempotencyKey:
    """The key's row, made now or before. Raises Invalid when it was used with another body."""
    fingerprint = _digest(json.dumps(data, sort_keys=True, default=str))
    lookup = _digest(path, key)
    expired = timezone.now() - KEPT_FOR
    IdempotencyKey.objects.filter(user=user, lookup=lookup, started_at__lt=expired).delete()
    row, _ = IdempotencyKey.objects.get_or_create(
        user=user, lookup=lookup, defaults={"path": path, "key": key, "fingerprint": fingerprint}
    )
    if row.fingerprint != fingerprint:
        raise Invalid(
            "This Idempotency-Key was used with another body within the last day; use a new key for a new request.",
            code="idempotency_key_reused", field="Idempotency-Key",
        )  # fmt: skip
    return row


def _in_flight() -> Conflict:
    return Conflict(
        "The first request with this Idempotency-Key is still being served; try again shortly.",
        code="idempotency_in_flight", field="Idempotency-Key", details={"retry_after": 1},
    )  # fmt: skip


def _replay(row: IdempotencyKey) -> HttpResponse:
    headers = {**row.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(row.body, status=row.status, content_type="application/json", headers=headers)


def _keep(row: IdempotencyKey, response: HttpResponse) -> None:
    body = JSONRenderer().render(response.data) if isinstance(response, Response) else response.content
    row.status, row.body = response.status_code, body.decode()
    row.headers = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
    row.save(update_fields=["status", "body", "headers"])


def idempotent(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a DRF view's method: with an Idempotency-Key it runs in one transaction with the keeping of its answer."""

    @wraps(handler)
    def wrapped(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = key_of(request._request)
        if key is None:
            return handler(view, request, *args, **kwargs)
        row = _claim(view.user, f"{request.method} {request.path}", key, request.data)
        try:
            with transaction.atomic():
                held = IdempotencyKey.objects.select_for_update(skip_locked=True).filter(pk=row.pk).first()
                if held is None:
                    raise _in_flight()
                if held.status is not None:
                    return _replay(held)
                response = handler(view, request, *args, **kwargs)
                _keep(held, response)
                return response
        except Conflict as error:
            if error.code != "idempotency_in_flight":
                _forget(row)
            raise
        except Exception:
            _forget(row)
            raise

    return wrapped


def _forget(row: IdempotencyKey) -> None:
    """Drop the key of a request that failed: it wrote nothing, so the same key may try again, corrected."""
    IdempotencyKey.objects.filter(pk=row.pk, status=None).delete()


def amend(user: User, request: Request, response: Response | None) -> None:
    """Keep another answer for the request's key than the one committed with it; None = forget the key: the change was taken
    back, so the same key may try again. For what is done after the commit, such as a purchase."""
    key = key_of(request._request)
    if key is None:
        return
    lookup = _digest(f"{request.method} {request.path}", key)
    row = IdempotencyKey.objects.filter(user=user, lookup=lookup).first()
    if row is None:
        return
    if response is None:
        row.delete()
    else:
        _keep(row, response)


def once(user: User, path: str, key: str, data: Any, run: Callable[[], HttpResponse]) -> HttpResponse:
    """The same for a request that commits by itself and is safe to run again after a crash (routing, events)."""
    row = _claim(user, path, key, data)
    if row.status is not None:
        return _replay(row)
    now = timezone.now()
    mine = IdempotencyKey.objects.filter(pk=row.pk, status=None, served=False).update(served=True, started_at=now)
    if not mine:
        mine = IdempotencyKey.objects.filter(
            pk=row.pk, status=None, started_at__lt=now - CUT_OFF_AFTER
        ).update(started_at=now)  # fmt: skip
    if not mine:
        fresh = IdempotencyKey.objects.filter(pk=row.pk).first()
        if fresh is not None and fresh.status is not None:
            return _replay(fresh)
        raise _in_flight()
    try:
        response = run()
    except Exception:
        _forget(row)
        raise
    _keep(row, response)
    return response


def keys_clear() -> int:
    """Delete keys older than a day. Returns how many."""
    count, _ = IdempotencyKey.objects.filter(started_at__lt=timezone.now() - KEPT_FOR).delete()
    return count
