"""Who is calling: a token in the Authorization header, or a signed-in user's session (Swagger UI)."""

from typing import Any

from django.http import HttpRequest
from rest_framework import authentication
from rest_framework.request import Request

from portal.accounts.models import User
from portal.accounts.tokens import Identity, TokenRefused, identify
from portal.audit import context
from portal.errors import Refused

from .errors import CHALLENGE, Unauthenticated
from .versioning import is_old

_SCHEMES = ("bearer", "token")
SAFE = ("GET", "HEAD", "OPTIONS")


class ReadOnlyToken(Refused):
    """A read-only token was used to write (403)."""

    status = 403
    code = "token_read_only"


def key_in_header(request: HttpRequest) -> str | None:
    """The key in `Authorization: <key>`, also after the word Bearer or Token; None without the header."""
    header = request.META.get("HTTP_AUTHORIZATION", "").strip()
    if not header:
        return None
    first, _, rest = header.partition(" ")
    if rest and first.lower() in _SCHEMES:
        return rest.strip()
    if rest:
        raise TokenRefused(
            "invalid_token", f"“{first[:20]}” is not a way to sign in here; send Authorization: <token>."
        )
    return header


def identity_of_token(key: str) -> Identity:
    """Who the key belongs to; the audit trail of this request names the token from now on. Raises TokenRefused."""
    identity = identify(key)
    context.token_id.set(identity.token_id)
    return identity


def check_csrf(request: HttpRequest) -> None:
    """A session's write must come from our own pages."""
    check = authentication.CSRFCheck(lambda request: None)  # type: ignore[arg-type,return-value]
    check.process_request(request)
    reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    if reason:
        raise CsrfFailed(f"The CSRF token is missing or wrong ({reason}); with a session send X-CSRFToken.")


class CsrfFailed(Refused):
    status = 403
    code = "csrf_failed"


def check_write(identity: Identity, method: str | None) -> None:
    """Raises ReadOnlyToken when a read-only token is used for anything but reading."""
    if identity.read_only and method not in SAFE:
        raise ReadOnlyToken("This token may only read; use one that may write.")


def authenticate_plain(request: HttpRequest) -> Identity:
    """Authentication of a plain (non-DRF) view of the current version: token or session. Raises Unauthenticated."""
    key = key_in_header(request)
    if key is not None:
        return identity_of_token(key)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        if not user.is_active:
            raise TokenRefused("user_inactive", "This user is deactivated.")
        check_csrf(request)
        return Identity(user)
    raise Unauthenticated("Send a token: Authorization: <token>.")


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: <key>`; in Network Integration versions also `oauth_token` in the query or the body."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        key = key_in_header(request._request)
        if key is None and is_old(request.version):
            given: Any = request.query_params.get("oauth_token")
            if given is None and request.method not in SAFE and isinstance(request.data, dict):
                given = request.data.get("oauth_token")
            key = given if isinstance(given, str) else None
        if not key:
            return None
        identity = identity_of_token(key)
        return identity.user, identity

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """A signed-in user, with CSRF: what Swagger UI uses."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        user = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated or not user.is_active:
            return None
        self.enforce_csrf(request)
        return user, Identity(user)

    def enforce_csrf(self, request: Request) -> None:
        check_csrf(request._request if isinstance(request, Request) else request)
