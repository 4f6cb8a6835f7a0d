"""ETag, If-Match and If-None-Match.

A tag has two parts, `"<state>-<answer>"`. The first stands for what a user edits, the second for the whole answer with
its live counts. If-None-Match compares both (304 only when nothing differs); If-Match compares the first alone, so that
a call that comes in between reading and writing is not a lost update.
"""

import hashlib
import json
import re
from typing import Any

from django.http import HttpRequest

from .errors import PreconditionFailed

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def state_of(*parts: Any) -> str:
    """The first half of a tag, from whatever changes whenever the object is edited."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def etag(state: str, body: Any) -> str:
    """The tag of an answer."""
    answer = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()[:16]
    return f'"{state}-{answer}"'


def _tags(header: str) -> list[str]:
    return _TAG.findall(header)


def unchanged(request: HttpRequest, tag: str) -> bool:
    """Whether If-None-Match names the present answer (then 304)."""
    header = request.META.get("HTTP_IF_NONE_MATCH", "").strip()
    return header == "*" or tag.strip('"') in _tags(header)


def check_match(request: HttpRequest, state: str | None) -> None:
    """Raise PreconditionFailed when If-Match names another state, or If-None-Match: * meets an existing object.

    state: of the object under its lock; None when there is none yet.
    """
    wanted = request.META.get("HTTP_IF_MATCH", "").strip()
    if wanted:
        states = [tag.partition("-")[0] for tag in _tags(wanted)]
        if state is None or (wanted != "*" and state not in states):
            raise PreconditionFailed(
                "Somebody changed this since you read it; read it again before you write.", field="If-Match"
            )
    if state is not None and request.META.get("HTTP_IF_NONE_MATCH", "").strip() == "*":
        raise PreconditionFailed("It exists already.", field="If-None-Match")
