"""API tokens: make and revoke."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portal.accounts import access, queries, tokens
from portal.accounts.models import ApiToken, User
from portal.audit.actions import record
from portal.errors import Invalid, NotAllowed, NotFound

MAX_LIVE_TOKENS = 50


def _may(by: User | None, user: User) -> None:
    """A token acts as its user with all his rights, so only he himself and platform staff may make or take one."""
    if by is None or by.pk == user.pk or access.stands_above(by):
        return
    raise NotAllowed(
        "Only the user himself and platform staff manage a user's tokens.", permission="accounts.manage_tokens"
    )


def token_create(
    *,
    by: User | None,
    user: User,
    name: str,
    read_only: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token that acts as `user`. Returns it and its key, which nobody can read again.

    name: what uses it, 1 to 100 characters; expires_at: a moment to come, or None for never. Raises Invalid with every
    problem, NotAllowed.
    """
    _may(by, user)
    name = name.strip()
    problems: list[tuple[str | None, str, str]] = []
    if not 1 <= len(name) <= 100 or "\x00" in name:
        problems.append(
            ("name", "required" if not name else "invalid", "Say in 1 to 100 characters what uses the token.")
        )
    if expires_at is not None and timezone.is_naive(expires_at):
        problems.append(("expires_at", "no_time_zone", "Give the moment with its time zone."))
    elif expires_at is not None and expires_at <= timezone.now():
        problems.append(("expires_at", "in_the_past", "The moment at which it expires must be to come."))
    if not user.is_active:
        problems.append(("user", "user_inactive", f"“{user}” is deactivated; a token of his would open nothing."))
    if problems:
        raise Invalid.of(problems)
    key = tokens.key_make()
    with transaction.atomic():
        # One at a time per user, so that the count below holds.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.api_tokens.filter(revoked_at=None).count() >= MAX_LIVE_TOKENS:
            raise Invalid(
                f"“{user}” has {MAX_LIVE_TOKENS} tokens already; revoke those that nothing uses.",
                code="too_many_tokens",
            )
        token = ApiToken.objects.create(
            user=user, name=name, prefix=key[: tokens.SHOWN], digest=tokens.key_digest(key), read_only=read_only,
            expires_at=expires_at,
        )  # fmt: skip
        record(
            event="token.create", obj=token, by=by,
            changes={"user": [None, str(user)], "read_only": [None, read_only], "expires_at": [None, expires_at]},
        )  # fmt: skip
    return token, key


def token_revoke(*, by: User | None, token: ApiToken) -> ApiToken:
    """Close a token for good; again on a revoked one changes nothing.

    For the user himself, a Super of a network that he belongs to, and platform staff; to others it is NotFound.
    This process refuses it from now on, others within API_TOKEN_CACHE_SECONDS.
    """
    if by is not None and not queries.tokens_seen_by(by).filter(pk=token.pk).exists():
        raise NotFound("There is no such token.", field="token")
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().select_related("user").get(pk=token.pk)
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            record(event="token.revoke", obj=token, by=by, changes={"revoked_at": [None, token.revoked_at]})
    tokens.forget(token.digest)
    return token
