"""Members of a network: add, change of role, remove."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from portal.accounts import access, tasks
from portal.accounts.models import Membership, Network, User
from portal.accounts.roles import Role
from portal.audit.actions import record
from portal.errors import Conflict, Invalid, NotAllowed, NotFound


def email_clean(email: str) -> str:
    """The address in the one form in which it is stored; Invalid when it is none."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(f"“{email}” is not an e-mail address.", field="email", code="invalid_email") from error
    return email


def _role(by: User | None, network: Network, value: int) -> Role:
    """A role that exists and does not stand above the giver's own."""
    try:
        role = Role(value)
    except ValueError as error:
        raise Invalid(f"“{value}” is not a role.", field="role", code="unknown_role") from error
    if by is not None and not access.stands_above(by) and role > by.roles.get(network.pk, -1):
        raise NotAllowed(
            f"You cannot give the role {role.label}: it stands above your own.", permission="accounts.manage_members"
        )
    return role


def _lock(network: Network) -> Network:
    """Who changes the members of one network does it one at a time: so two Supers cannot demote each other at once."""
    return Network.objects.select_for_update(no_key=True).get(pk=network.pk)


def _keep_a_super(membership: Membership) -> None:
    """Refuse what would leave the network without a Super who can sign in. Called under the lock."""
    if membership.role != Role.SUPER:
        return
    others = membership.network.memberships.filter(role=Role.SUPER, user__is_active=True).exclude(pk=membership.pk)
    if not others.exists():
        raise Conflict(
            f"“{membership.user}” is the last Super of {membership.network}; make somebody else Super first.",
            field="role", code="last_super",
        )  # fmt: skip


def _locked(by: User | None, membership: Membership) -> Membership:
    """The membership, read again under the network's lock; NotFound when it is gone."""
    access.require(by, "manage_members", membership.network)
    _lock(membership.network)
    found = Membership.objects.select_related("user", "network").filter(pk=membership.pk).first()
    if found is None:
        raise NotFound("There is no such member any more.", field="member")
    return found


def member_add(
    *, by: User | None, network: Network, email: str, role: int, name: str = "", reason: str = "", site: str = ""
) -> Membership:
    """Add a member by e-mail; needs `manage_members`, and nobody gives a role above his own.

    A person new to the portal gets an account without a password and a mail with the link to set one; somebody known is
    told by mail. site: the portal's address as the mail should name it, such as https://portal.example.
    Raises Invalid (email, role), Conflict when he belongs already or the account is closed.
    """
    access.require(by, "manage_members", network)
    given = _role(by, network, role)
    email = email_clean(email)
    with transaction.atomic():
        network = _lock(network)
        user = User.objects.filter(email__iexact=email).first()
        if user is not None and not user.is_active:
            raise Conflict(
                f"The account of {email} is closed; ask platform staff to open it again.",
                field="email", code="account_closed",
            )  # fmt: skip
        if user is None:
            user = User.objects.create_user(email, name=name.strip()[:200])
        membership, created = Membership.objects.get_or_create(user=user, network=network, defaults={"role": given})
        if not created:
            raise Conflict(
                f"{email} belongs to {network} already, as {membership.get_role_display()}.",
                field="email", code="already_member",
            )  # fmt: skip
        record(
            event="member.add", obj=user, by=by, network=network, reason=reason,
            changes={"role": [None, given.label]},
        )  # fmt: skip
        transaction.on_commit(lambda: tasks.invitation_send.delay(user.pk, network.pk, site))
    return membership


def member_invite_again(*, by: User | None, membership: Membership, site: str = "") -> None:
    """Send the link to set a password once more; needs `manage_members`. Conflict once the member has signed in."""
    access.require(by, "manage_members", membership.network)
    if membership.user.has_usable_password() or membership.user.last_login:
        raise Conflict(
            f"“{membership.user}” has a password already and can reset it from the sign-in page.", code="has_password"
        )
    user_id, network_id = membership.user_id, membership.network_id
    transaction.on_commit(lambda: tasks.invitation_send.delay(user_id, network_id, site))


def member_change_role(*, by: User | None, membership: Membership, role: int, reason: str = "") -> Membership:
    """Give a member another role; needs `manage_members`, and neither role may stand above one's own.

    Raises Conflict when it would leave the network without a Super.
    """
    with transaction.atomic():
        membership = _locked(by, membership)
        given = _role(by, membership.network, role)
        before = _role(by, membership.network, membership.role)
        if given == before:
            return membership
        _keep_a_super(membership)
        membership.role = given
        membership.save(update_fields=["role"])
        record(
            event="member.change_role", obj=membership.user, by=by, network=membership.network, reason=reason,
            changes={"role": [before.label, given.label]},
        )  # fmt: skip
    return membership


def member_remove(*, by: User | None, membership: Membership, reason: str = "") -> None:
    """Take a member out of the network, with his groups and grants there; needs `manage_members`.

    The account itself stays (other networks, the audit trail). Raises Conflict for the last Super.
    """
    with transaction.atomic():
        membership = _locked(by, membership)
        _role(by, membership.network, membership.role)
        _keep_a_super(membership)
        user, network = membership.user, membership.network
        user.groups.remove(*user.groups.filter(networkgroup__network=network))
        # They would lapse by themselves (`access.restrict`) but must not come back when he is added again.
        for table, network_path in access.grant_tables_of_users():
            table.objects.filter(user=user, **{network_path: network.pk}).delete()
        record(
            event="member.remove", obj=user, by=by, network=network, reason=reason,
            changes={"role": [membership.get_role_display(), None]},
        )  # fmt: skip
        membership.delete()
