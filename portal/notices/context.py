"""The bell in every page."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import queries


def bell(request: HttpRequest) -> dict[str, Any]:
    """`unread`: how many notices the user has not read. Lazy: what draws no bell asks nothing."""
    return {"unread": SimpleLazyObject(lambda: _unread(request))}


def _unread(request: HttpRequest) -> int:
    user: Any = getattr(request, "user", None)
    return queries.unread_count(user) if user is not None and user.is_authenticated else 0
