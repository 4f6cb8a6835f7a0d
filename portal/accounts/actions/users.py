"""Accounts of people: opened and changed by platform staff; everybody may change his own name."""

from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction

from portal.accounts import access, tasks
from portal.accounts.models import User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotAllowed

from .members import email_clean

# Only platform staff set these: they decide who may sign in, as whom, and who stands above networks.
STAFF_FIELDS = ("email", "is_active", "is_platform_staff")


def _refuse(name: str) -> NotAllowed:
    return NotAllowed(f"Only platform staff {name}.", permission="accounts.change_user")


def user_create(
    *, by: User | None, email: str, name: str = "", is_platform_staff: bool = False, site: str = ""
) -> User:
    """Open an account without a password and mail the link to set one; platform staff only."""
    if by is not None and not access.stands_above(by):
        raise _refuse("open accounts outside a network")
    email = email_clean(email)
    with transaction.atomic():
        if User.objects.filter(email__iexact=email).exists():
            raise Conflict(f"There is an account of {email} already.", field="email", code="email_taken")
        user = User.objects.create_user(email, name=name.strip()[:200], is_platform_staff=is_platform_staff)
        record(
            event="user.create", obj=user, by=by,
            changes={"email": [None, email], "is_platform_staff": [None, is_platform_staff]},
        )  # fmt: skip
        transaction.on_commit(lambda: tasks.invitation_send.delay(user.pk, None, site))
    return user


def user_update(*, by: User | None, user: User, reason: str = "", **values: Any) -> User:
    """Change an account: the name one's own, `STAFF_FIELDS` by platform staff.

    Nobody closes his own account or ceases to be platform staff by his own hand, so that one always remains. Closing an
    account ends its sessions at once, and its tokens within API_TOKEN_CACHE_SECONDS. Raises NotAllowed, Invalid, Conflict (email taken).
    """
    above = by is None or access.stands_above(by)
    if not above and (by != user or set(values) - {"name"}):
        raise _refuse("change accounts; everybody may change his own name")
    problems: list[tuple[str | None, str, str]] = []
    for field in values:
        if field not in ("name", *STAFF_FIELDS):
            problems.append((field, "unknown_field", f"“{field}” cannot be set here."))
    if problems:
        raise Invalid.of(problems)
    gives_up = values.get("is_platform_staff") is False and user.is_platform_staff
    if by == user and (gives_up or values.get("is_active") is False):
        raise Conflict("Another of the platform staff must do this for you.", field="is_active", code="own_account")
    if "email" in values:
        values["email"] = email_clean(values["email"])
    if "name" in values:
        values["name"] = values["name"].strip()[:200]
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        before = {field: getattr(user, field) for field in values}
        changes = changes_between(before, values)
        if not changes:
            return user
        if "email" in changes:
            if User.objects.filter(email__iexact=values["email"]).exclude(pk=user.pk).exists():
                raise Conflict(f"There is an account of {values['email']} already.", field="email", code="email_taken")
            # allauth's own list of addresses: an old one must not open the account any more.
            EmailAddress.objects.filter(user=user).delete()
        for field, value in values.items():
            setattr(user, field, value)
        if values.get("is_platform_staff") is False:
            user.is_superuser = False
        user.save(update_fields=[*sorted(values), "is_superuser"])
        record(event="user.update", obj=user, by=by, changes=changes, reason=reason)
    return user
