"""Object grants on advertisers and campaigns."""

from typing import Any

from django.db import transaction

from campaigns.models import Advertiser, Campaign
from portal.accounts import access
from portal.accounts.models import NetworkGroup, User
from portal.audit.actions import record
from portal.errors import Invalid, NotAllowed


def _check(by: User | None, obj: Advertiser | Campaign, to: User | NetworkGroup, action: str) -> None:
    access.require(by, "manage_access", obj)
    if action not in access.GRANTABLE:
        raise Invalid(
            f"“{action}” is not a permission; use {', '.join(access.GRANTABLE)}.",
            field="permission",
            code="unknown_permission",
        )
    if by is not None and not access.may(by, action, obj):
        name = access.permission_name(action, type(obj))
        raise NotAllowed(f"You cannot give or take {name} on “{obj}”: you do not hold it yourself.", permission=name)
    belongs = to.network_id == obj.network_id if isinstance(to, NetworkGroup) else obj.network_id in to.roles
    if not belongs:
        raise Invalid(f"“{to}” does not belong to this network; add the member first.", field="to", code="not_a_member")


def _row(obj: Advertiser | Campaign, to: User | NetworkGroup, action: str) -> tuple[Any, dict[str, Any]]:
    """The grant's table and its row's fields."""
    users, groups = access.grant_tables(type(obj))
    row = {"content_object": obj, "permission": access.permission_of(action, type(obj))}
    return (groups, {**row, "group_id": to.pk}) if isinstance(to, NetworkGroup) else (users, {**row, "user": to})


def access_grant(*, by: User | None, obj: Advertiser | Campaign, to: User | NetworkGroup, action: str) -> bool:
    """Grant `action` on `obj` to a member or a group of its network. False if it was granted already.

    Needs `manage_access` on the object, and nobody grants what he does not hold (both NotAllowed).
    """
    _check(by, obj, to, action)
    table, row = _row(obj, to, action)
    with transaction.atomic():
        _, created = table.objects.get_or_create(**row)
        if created:
            record(event="access.grant", obj=obj, by=by, changes={"permission": [None, action], "to": [None, str(to)]})
    return created


def access_revoke(*, by: User | None, obj: Advertiser | Campaign, to: User | NetworkGroup, action: str) -> bool:
    """Take a grant away again; the same rights as for granting. False if there was none. A role is not touched."""
    _check(by, obj, to, action)
    table, row = _row(obj, to, action)
    with transaction.atomic():
        count, _ = table.objects.filter(**row).delete()
        if count:
            record(event="access.revoke", obj=obj, by=by, changes={"permission": [action, None], "to": [str(to), None]})
    return bool(count)
