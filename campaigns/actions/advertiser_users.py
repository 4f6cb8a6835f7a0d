"""An advertiser's own users: members of the network whose rights are grants on that advertiser."""

from typing import Any

from django.db import transaction

from campaigns.models import Advertiser, AdvertiserUser
from portal.accounts import access
from portal.accounts.actions.members import email_clean, member_add
from portal.accounts.models import Membership, User
from portal.accounts.roles import Role
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid

from .access import access_grant, access_revoke
from .advertisers import Problem, own_id

ROLE_NAMES = {role.name.title(): role for role in Role if role != Role.LIMITED}


def actions_of(role: int) -> list[str]:
    """What a role gives on a whole network, and so here on one advertiser."""
    roles = access.access_of(Advertiser).roles
    return [action for action in access.GRANTABLE if (least := roles.get(action)) is not None and role >= least]


def _member(by: User | None, advertiser: Advertiser, email: str, name: str) -> User:
    """The person of that address in the network; who does not belong to it comes in as a Limited member."""
    found = (
        Membership.objects.select_related("user").filter(network=advertiser.network, user__email__iexact=email).first()
    )
    return (
        found.user
        if found
        else member_add(by=by, network=advertiser.network, email=email, role=Role.LIMITED, name=name).user
    )


def _grants_set(by: User | None, advertiser: Advertiser, user: User, role: int | None) -> None:
    """Make the user's grants on the advertiser those of the role; None takes all of them."""
    users, _groups = access.grant_tables(Advertiser)
    rows = users.objects.filter(user=user, content_object=advertiser).select_related("permission")
    held = {access.action_of(row.permission.codename, Advertiser) for row in rows}
    wanted = set(actions_of(role)) if role is not None else set()
    for action in sorted(wanted - held):
        access_grant(by=by, obj=advertiser, to=user, action=action)
    for action in sorted(held - wanted):
        access_revoke(by=by, obj=advertiser, to=user, action=action)


def _shown(person: AdvertiserUser) -> dict[str, Any]:
    return {
        "id_from_network": person.id_from_network, "user": person.user.email, "first_name": person.first_name,
        "last_name": person.last_name, "role": person.get_role_display(),
    }  # fmt: skip


def advertiser_user_set(
    *,
    by: User | None,
    advertiser: Advertiser,
    id_from_network: str | None,
    email: str | None = None,
    role: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    extra: dict[str, Any] | None = None,
) -> tuple[AdvertiserUser, bool]:
    """Add a user to an advertiser, or change him; needs `manage_members` of the network. Returns (row, whether new).

    role: Observer, Member, Manager or Super: on this advertiser he may do what that role may on the network, by grants; his
    role in the network is not touched. A person new to the network becomes a Limited member and is invited by mail. His
    address is how he signs in and belongs to him alone, so it does not change here. extra: kept and given back.
    Raises Invalid with every problem, Conflict when he works here under another id.
    """
    network = advertiser.network
    access.require(by, "manage_members", network)
    problems: list[Problem] = []
    if role is not None and role not in ROLE_NAMES:
        problems.append(("role", "unknown_role", f"“{role}” is not a role; use {', '.join(ROLE_NAMES)}."))
    with transaction.atomic():
        advertiser = Advertiser.objects.select_for_update(no_key=True).select_related("network").get(pk=advertiser.pk)
        rows = AdvertiserUser.objects.select_related("user").filter(advertiser=advertiser)
        person = rows.filter(id_from_network=id_from_network).first() if id_from_network else None
        created = person is None
        if person is None:
            own = own_id(network, id_from_network, problems, "user")
            if not email:
                text = "Give the e-mail address in email_settings: the user signs in with it."
                problems.append(("email_settings", "required", text))
            if problems:
                raise Invalid.of(problems)
            user = _member(by, advertiser, email_clean(str(email)), f"{first_name or ''} {last_name or ''}".strip())
            if other := rows.filter(user=user).first():
                text = f"{user.email} works for “{advertiser}” already, under the id “{other.id_from_network}”."
                raise Conflict(text, field="email_settings", code="already_there")
            person = AdvertiserUser(advertiser=advertiser, user=user, id_from_network=own, role=Role.OBSERVER)
        elif email and email_clean(email) != person.user.email:
            text = f"The address of “{person.id_from_network}” is {person.user.email}; it is his own to change."
            problems.append(("email_settings", "fixed", text))
        if problems:
            raise Invalid.of(problems)
        before = {} if created else _shown(person)
        person.role = ROLE_NAMES[role] if role is not None else person.role
        person.first_name = person.first_name if first_name is None else first_name
        person.last_name = person.last_name if last_name is None else last_name
        person.extra = {**person.extra, **(extra or {})}
        person.save()
        _grants_set(by, advertiser, person.user, person.role)
        if changes := changes_between(before, _shown(person)):
            record(event="advertiser.user_set", obj=advertiser, by=by, changes=changes)
    return person, created


def advertiser_user_remove(*, by: User | None, advertiser: Advertiser, id_from_network: str) -> bool:
    """Take a user from an advertiser, with his grants on it; needs `manage_members`. False if there is none of that id.

    He stays a member of the network: what he may do elsewhere is not this advertiser's to take.
    """
    access.require(by, "manage_members", advertiser.network)
    with transaction.atomic():
        Advertiser.objects.select_for_update(no_key=True).get(pk=advertiser.pk)
        rows = AdvertiserUser.objects.select_related("user")
        person = rows.filter(advertiser=advertiser, id_from_network=id_from_network).first()
        if person is None:
            return False
        _grants_set(by, advertiser, person.user, None)
        record(event="advertiser.user_remove", obj=advertiser, by=by, changes=changes_between(_shown(person), {}))
        person.delete()
    return True
