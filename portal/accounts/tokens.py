"""API keys: making them, recognising them, and remembering a verified one for a few seconds.

A key is 256 random bits, so a plain SHA-256 keeps it safe at rest: there is nothing to guess, and a slow hash would only
slow down every call. Reading a token from the database costs more than routing a call, hence the memory.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from portal.memory import Memory

from .models import ApiToken, User

# Recognisable in logs and to secret scanners.
PREFIX = "hr_"
# As many characters as a token's row may show of its key.
SHOWN = 10
REMEMBERED_AT_MOST = 10_000
USED_AT_MOST_EVERY = timedelta(minutes=1)


class TokenRefused(Exception):
    """The key opens nothing: `code` is invalid_token, token_revoked, token_expired or user_inactive."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Identity:
    """Who is calling: the user that a token acts as (with his roles read), and what the token may."""

    user: User
    token_id: int | None = None
    read_only: bool = False
    expires_at: datetime | None = None

    @property
    def key(self) -> str:
        """One per token, or per signed-in user: what rate limits count by."""
        return f"t{self.token_id}" if self.token_id else f"u{self.user.pk}"


def key_make() -> str:
    """A new key: the prefix and 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def key_digest(key: str) -> str:
    """What the database keeps of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


_known: Memory[str, Identity] = Memory(lambda: settings.API_TOKEN_CACHE_SECONDS, REMEMBERED_AT_MOST)


def forget(digest: str) -> None:
    """Drop a verified token from this process's memory; other processes forget it by themselves in seconds."""
    _known.forget(digest)


def identify(key: str) -> Identity:
    """Who `key` belongs to. Raises TokenRefused.

    Two queries (token with user, roles) at most every API_TOKEN_CACHE_SECONDS per process, none in between: so long at
    most does a revoked token, a changed role or a deactivated user still count. Expiry counts to the second.
    """
    digest = key_digest(key)
    identity = _known.get(digest)
    if identity is None:
        identity = _read(digest)
        _known.put(digest, identity)
    if identity.expires_at is not None and identity.expires_at <= timezone.now():
        raise TokenRefused("token_expired", f"This token expired on {identity.expires_at:%Y-%m-%d %H:%M} UTC.")
    return identity


def _read(digest: str) -> Identity:
    token = ApiToken.objects.select_related("user").filter(digest=digest).first()
    if token is None:
        raise TokenRefused("invalid_token", "This token is not known; send a key made under API tokens.")
    if token.revoked_at is not None:
        raise TokenRefused("token_revoked", f"This token was revoked on {token.revoked_at:%Y-%m-%d %H:%M} UTC.")
    if not token.user.is_active:
        raise TokenRefused("user_inactive", "The user of this token is deactivated.")
    assert token.user.roles is not None  # read now, so that it stays with the remembered user
    _note_use(token)
    return Identity(token.user, token.pk, token.read_only, token.expires_at)


def _note_use(token: ApiToken) -> None:
    """Write `last_used_at`, at most once a minute; the condition settles it between processes."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - USED_AT_MOST_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_AT_MOST_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
