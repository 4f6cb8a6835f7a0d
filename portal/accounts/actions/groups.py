"""Groups of a network, to which grants are given: create, rename, delete, and who is in them."""

from django.db import transaction

from portal.accounts import access, queries
from portal.accounts.models import Network, NetworkGroup, User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid, NotFound


def _label(network: Network, label: str, but: int | None = None) -> str:
    label = label.strip()
    if not 1 <= len(label) <= 100:
        raise Invalid(
            "A group's name has 1 to 100 characters.", field="label", code="required" if not label else "too_long"
        )
    if network.groups.filter(label__iexact=label).exclude(pk=but or 0).exists():
        raise Conflict(f"{network} has a group “{label}” already.", field="label", code="name_taken")
    return label


def _locked(by: User | None, group: NetworkGroup) -> NetworkGroup:
    """The group, read again under its network's lock: members and groups of one network change one at a time."""
    access.require(by, "manage_members", group.network)
    Network.objects.select_for_update(no_key=True).get(pk=group.network_id)
    found = queries.group_rows().select_related("network").filter(pk=group.pk).first()
    if found is None:
        raise NotFound("There is no such group any more.", field="group")
    return found


def group_create(*, by: User | None, network: Network, label: str) -> NetworkGroup:
    """Create an empty group; needs `manage_members`. Raises Invalid, or Conflict when the name is taken."""
    access.require(by, "manage_members", network)
    with transaction.atomic():
        network = Network.objects.select_for_update(no_key=True).get(pk=network.pk)
        group = NetworkGroup(network=network, label=_label(network, label))
        group.save()
        record(event="group.create", obj=group, by=by, network=network, changes={"name": [None, group.label]})
    return group


def group_rename(*, by: User | None, group: NetworkGroup, label: str) -> NetworkGroup:
    """Give a group another name; needs `manage_members`."""
    with transaction.atomic():
        group = _locked(by, group)
        before, group.label = group.label, _label(group.network, label, but=group.pk)
        if group.label != before:
            group.save()
            record(
                event="group.rename", obj=group, by=by, network=group.network, changes={"name": [before, group.label]}
            )
    return group


def group_delete(*, by: User | None, group: NetworkGroup, reason: str = "") -> None:
    """Delete a group; what was granted to it goes with it. Needs `manage_members`."""
    with transaction.atomic():
        group = _locked(by, group)
        members = [str(user) for user in group.user_set.order_by("email")]
        record(
            event="group.delete", obj=group, by=by, network=group.network, reason=reason,
            changes={"name": [group.label, None], "members": [members, []]},
        )  # fmt: skip
        group.delete()


def group_member_add(*, by: User | None, group: NetworkGroup, user: User) -> bool:
    """Put a member of the network into one of its groups; needs `manage_members`. False if he was in it already."""
    with transaction.atomic():
        group = _locked(by, group)
        if not group.network.memberships.filter(user=user).exists():
            raise Invalid(
                f"“{user}” does not belong to {group.network}; add the member first.", field="user", code="not_a_member"
            )
        if group.user_set.filter(pk=user.pk).exists():
            return False
        group.user_set.add(user)
        record(event="group.member_add", obj=group, by=by, network=group.network, changes={"member": [None, str(user)]})
    return True


def group_member_remove(*, by: User | None, group: NetworkGroup, user: User) -> bool:
    """Take a user out of a group; needs `manage_members`. False if he was not in it."""
    with transaction.atomic():
        group = _locked(by, group)
        if not group.user_set.filter(pk=user.pk).exists():
            return False
        group.user_set.remove(user)
        record(
            event="group.member_remove", obj=group, by=by, network=group.network, changes={"member": [str(user), None]}
        )
    return True
