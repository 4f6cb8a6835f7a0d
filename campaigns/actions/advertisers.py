"""Advertisers: create, change, delete."""

from typing import Any
from uuid import uuid4

from django.db import transaction

from campaigns.models import Advertiser
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotAllowed, NotFound

Problem = tuple[str | None, str, str]


def may_add(by: User | None, network: Network) -> None:
    """Creating anything in a network needs Member or above there: there is no object yet that a grant could be on."""
    if by is None or access.stands_above(by):
        return
    role = by.roles.get(network.pk)
    if role is None:
        raise NotFound("There is no such network.", field="network")
    if role < Role.MEMBER:
        raise NotAllowed(f"Creating in {network} needs the role Member or above.", permission="campaigns.add_campaign")


def own_id(network: Network, given: str | None, problems: list[Problem], prefix: str) -> str:
    """The customer's own id: as given, or made up where the network has auto-generation on."""
    text = (given or "").strip()
    if not text and network.auto_generate_ids:
        return f"{prefix}-{uuid4().hex[:10]}"
    if not text:
        problems.append(("id_from_network", "required", "Give your own id: this network does not make them up."))
    elif len(text) > 100 or "/" in text:
        problems.append(("id_from_network", "invalid", "An id has at most 100 characters and no “/”."))
    return text


def _name(name: str, problems: list[Problem]) -> str:
    name = name.strip()
    if not name or len(name) > 200:
        problems.append(("name", "required" if not name else "too_long", "A name has 1 to 200 characters."))
    return name


def advertiser_create(
    *,
    by: User | None,
    network: Network,
    name: str,
    id_from_network: str | None = None,
    extra: dict[str, Any] | None = None,
) -> Advertiser:
    """Create an advertiser. Raises Invalid (name, id_from_network), NotAllowed, Conflict when the id is taken."""
    may_add(by, network)
    problems: list[Problem] = []
    name = _name(name, problems)
    own = own_id(network, id_from_network, problems, "adv")
    if problems:
        raise Invalid.of(problems)
    with transaction.atomic():
        advertiser, created = Advertiser.objects.get_or_create(
            network=network, id_from_network=own, defaults={"name": name, "extra": extra or {}}
        )
        if not created:
            raise Conflict(
                f"The id “{own}” is taken by the advertiser “{advertiser}”.", field="id_from_network", code="id_taken"
            )
        record(
            event="advertiser.create",
            obj=advertiser,
            by=by,
            changes={"name": [None, name], "id_from_network": [None, own]},
        )
    return advertiser


def advertiser_update(
    *, by: User | None, advertiser: Advertiser, name: str | None = None, extra: dict[str, Any] | None = None
) -> Advertiser:
    """Change an advertiser's name or kept fields; needs `change`."""
    access.require(by, "change", advertiser)
    problems: list[Problem] = []
    with transaction.atomic():
        advertiser = Advertiser.objects.select_for_update(no_key=True).get(pk=advertiser.pk)
        before = {"name": advertiser.name}
        if name is not None:
            advertiser.name = _name(name, problems)
        if problems:
            raise Invalid.of(problems)
        if extra:
            advertiser.extra = {**advertiser.extra, **extra}
        advertiser.save()
        changes = changes_between(before, {"name": advertiser.name})
        if changes:
            record(event="advertiser.update", obj=advertiser, by=by, changes=changes)
    return advertiser


def advertiser_delete(*, by: User | None, advertiser: Advertiser) -> None:
    """Delete an advertiser that has no campaigns; needs `delete`. Raises Conflict while it has any."""
    access.require(by, "delete", advertiser)
    with transaction.atomic():
        advertiser = Advertiser.objects.select_for_update().get(pk=advertiser.pk)
        count = advertiser.campaigns.count()
        if count:
            raise Conflict(
                f"“{advertiser}” still has {count} campaign{'s' if count > 1 else ''}; only an advertiser without any can be deleted.",
                code="has_campaigns",
            )
        record(event="advertiser.delete", obj=advertiser, by=by, changes={"name": [advertiser.name, None]})
        advertiser.delete()
