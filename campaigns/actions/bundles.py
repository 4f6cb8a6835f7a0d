"""The destinations of a bundle: add, change, remove."""

from typing import Any

from django.db import transaction

from campaigns.models import BundleDestination, Campaign
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotFound

from .advertisers import Problem


def _place(value: Any, field: str, low: int, high: int, problems: list[Problem]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        problems.append(
            (field, "out_of_range", f"{field.title()} is a whole number from {low} to {high}; it is {value}.")
        )
        return low
    return value


def _check(priority: Any, weight: Any) -> tuple[int, int]:
    problems: list[Problem] = []
    placed = _place(priority, "priority", 1, 1000, problems), _place(weight, "weight", 0, 10000, problems)
    if problems:
        raise Invalid.of(problems)
    return placed


def destination_add(
    *, by: User | None, bundle: Campaign, destination: Campaign, priority: int = 1, weight: int = 1
) -> BundleDestination:
    """Put a campaign into a bundle; needs `change` on the bundle and sight of the destination.

    priority: 1 comes first; weight: its share among equals, 0 = no calls. Raises Invalid (bundle in a bundle, other
    network, numbers out of range), Conflict when it already stands there.
    """
    access.require(by, "change", bundle)
    if by is not None and not access.may(by, "view", destination):
        raise NotFound("There is no such campaign.", field="destination")
    priority, weight = _check(priority, weight)
    if not bundle.is_bundle:
        raise Invalid(
            f"“{bundle}” is {bundle.campaign_type}; only a Bundled campaign has destinations.",
            field="bundle",
            code="not_a_bundle",
        )
    if destination.is_bundle:
        raise Invalid(
            f"“{destination}” is itself a bundle; a bundle cannot stand in a bundle.",
            field="destination",
            code="bundle_in_bundle",
        )
    if destination.network_id != bundle.network_id:
        raise Invalid(f"“{destination}” belongs to another network.", field="destination", code="other_network")
    with transaction.atomic():
        Campaign.objects.select_for_update(no_key=True).get(pk=bundle.pk)
        row, created = BundleDestination.objects.get_or_create(
            bundle=bundle, destination=destination, defaults={"priority": priority, "weight": weight}
        )
        if not created:
            raise Conflict(f"“{destination}” already stands in “{bundle}”.", field="destination", code="already_there")
        record(
            event="bundle.destination_add", obj=bundle, by=by,
            changes={"destination": [None, str(destination)], "priority": [None, priority], "weight": [None, weight]},
        )  # fmt: skip
    return row


def destination_update(
    *, by: User | None, bundle: Campaign, destination: Campaign, priority: int | None = None, weight: int | None = None
) -> BundleDestination:
    """Change a destination's priority or weight in a bundle; needs `change` on the bundle."""
    access.require(by, "change", bundle)
    with transaction.atomic():
        row = (
            BundleDestination.objects.select_for_update(no_key=True)
            .filter(bundle=bundle, destination=destination)
            .first()
        )
        if row is None:
            raise NotFound(f"“{destination}” does not stand in “{bundle}”.", field="destination")
        before = {"priority": row.priority, "weight": row.weight}
        row.priority, row.weight = _check(
            row.priority if priority is None else priority, row.weight if weight is None else weight
        )
        row.save()
        changes = changes_between(before, {"priority": row.priority, "weight": row.weight})
        if changes:
            record(
                event="bundle.destination_update",
                obj=bundle,
                by=by,
                changes={**changes, "destination": [str(destination)] * 2},
            )
    return row


def destination_remove(*, by: User | None, bundle: Campaign, destination: Campaign) -> None:
    """Take a campaign out of a bundle; needs `change` on the bundle. Its calls in progress go on and keep their slots."""
    access.require(by, "change", bundle)
    with transaction.atomic():
        row = BundleDestination.objects.select_for_update().filter(bundle=bundle, destination=destination).first()
        if row is None:
            raise NotFound(f"“{destination}” does not stand in “{bundle}”.", field="destination")
        row.delete()
        record(event="bundle.destination_remove", obj=bundle, by=by, changes={"destination": [str(destination), None]})
