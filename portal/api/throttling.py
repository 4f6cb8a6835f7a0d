"""Rate limits per token, counted in the shared cache in windows of the rate's own length.

A process fetches permits in blocks (a thousandth of the limit), so a hot endpoint asks the cache once in many requests
and a small limit is exact. If the cache cannot be reached, everybody is let through: calls must be routed.
"""

import logging
import threading
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal.accounts.tokens import Identity

from .errors import Throttled

logger = logging.getLogger(__name__)

_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
# After a failure the cache is left alone so long: a dead one must not cost every call a timeout.
_REST_AFTER_FAILURE = 5.0
_LOG_AT_MOST_EVERY = 60.0
_HELD_AT_MOST = 10_000


def rate_read(rate: str) -> tuple[int, int]:
    """(requests, seconds) of a rate such as 600/min; 0 requests means no limit."""
    count, _, per = rate.partition("/")
    return int(count), _SECONDS[per]


class Limiter:
    """Permits of one scope; `setting` names the setting that holds its rate."""

    def __init__(self, scope: str, setting: str) -> None:
        self.scope, self.setting = scope, setting
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}  # key -> (window, permits left of the last block)
        self._rest_until = 0.0
        self._logged_at = 0.0

    def clear(self) -> None:
        """Forget the permits held (tests)."""
        with self._lock:
            self._held.clear()
        self._rest_until = 0.0

    def check(self, identity: Identity) -> None:
        """Take one permit of a token. Raises Throttled with the seconds to wait."""
        self.take(identity.key, "This token")

    def take(self, key: str, who: str) -> None:
        """Take one permit of `key`; `who` begins the sentence of a refusal. Raises Throttled with the seconds to wait."""
        limit, seconds = rate_read(getattr(settings, self.setting))
        if limit <= 0:
            return
        now = time.time()
        window = int(now // seconds)
        with self._lock:
            held_window, left = self._held.get(key, (window, 0))
            if held_window == window and left > 0:
                self._held[key] = (window, left - 1)
                return
        block = max(1, limit // 1000)
        used = self._take(f"rate:{self.scope}:{key}:{window}", block, seconds)
        granted = block if used is None else min(block, limit - (used - block))
        if granted <= 0:
            wait = max(1, int((window + 1) * seconds - now + 0.999))
            raise Throttled(
                f"{who} may send {limit} requests per {seconds} s here; try again in {wait} s.",
                details={"retry_after": wait, "limit": limit, "per_seconds": seconds},
            )
        if granted > 1:
            with self._lock:
                if len(self._held) >= _HELD_AT_MOST:
                    self._held.clear()
                self._held[key] = (window, granted - 1)

    def _take(self, key: str, block: int, seconds: int) -> int | None:
        """Count `block` more; returns the count with them, or None when the cache is away."""
        if time.monotonic() < self._rest_until:
            return None
        try:
            try:
                return cache.incr(key, block)
            except ValueError:
                # The window's first; whoever loses the race to add adds to what the other one added.
                return block if cache.add(key, block, timeout=seconds * 2) else cache.incr(key, block)
        except Exception as error:
            now = time.monotonic()
            self._rest_until = now + _REST_AFTER_FAILURE
            if now - self._logged_at > _LOG_AT_MOST_EVERY or not self._logged_at:
                self._logged_at = now
                logger.warning("rate limits are off while the cache cannot be reached: %s", error)
            return None


requests = Limiter("requests", "API_RATE_LIMIT")
calls = Limiter("calls", "API_CALL_RATE_LIMIT")
pools = Limiter("pools", "API_POOL_RATE_LIMIT")
visitors = Limiter("visitors", "API_VISITOR_RATE_LIMIT")


def client_address(request: HttpRequest) -> str:
    """The caller's network address: as the proxy in front saw it where one is trusted, or else as we see it."""
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT and (given := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        return str(given).rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))


class TokenThrottle(BaseThrottle):
    """Counts every request of a DRF view against its token's API_RATE_LIMIT."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, Identity):
            requests.check(request.auth)
        return True

    def wait(self) -> Any:
        return None
