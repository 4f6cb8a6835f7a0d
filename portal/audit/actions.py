"""Recording audit events. Called by every action inside its own transaction: the change and its record stand or fall together."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import models

from portal.accounts.models import Network, User
from portal.bulk import rows_insert

from . import context
from .models import AuditEvent


def _plain(value: Any) -> Any:
    """A JSON value that reads well in a year: decimals and dates as text, objects by name."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    return str(value)


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{field: [old, new]} of what differs."""
    return {
        name: [_plain(before.get(name)), _plain(after.get(name))]
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


def record(
    *,
    event: str,
    obj: models.Model,
    by: User | None,
    network: Network | None = None,
    changes: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Write one audit event about `obj`.

    `event` is noun.verb; `by` the user (None for the system); `changes` {field: [old, new]}. The network defaults to
    the object's own. Secrets must not stand in `changes`.
    """
    made = event_of(event=event, obj=obj, by=by, network=network, changes=changes, reason=reason)
    made.save(force_insert=True)
    return made


def record_all(
    *, event: str, by: User | None, network: Network | None, of: Iterable[tuple[models.Model, Mapping[str, Any]]]
) -> None:
    """`record` of many (object, changes), in their order, in one statement."""
    heads: dict[int, dict[str, Any]] = {}
    rows = []
    for obj, changes in of:
        if (head := heads.get(id(obj))) is None:
            made = event_of(event=event, obj=obj, by=by, network=network)
            names = (field.attname for field in made._meta.concrete_fields if not field.primary_key)
            head = heads[id(obj)] = {name: getattr(made, name) for name in names}
        rows.append({**head, "changes": _plain(changes)})
    rows_insert(AuditEvent, rows)


def event_of(
    *,
    event: str,
    obj: models.Model,
    by: User | None,
    network: Network | None = None,
    changes: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """What `record` writes, not written yet: for `record_all`."""
    from portal.accounts import access

    if network is None and access.is_registered(obj.__class__):
        network = access.network_of(obj)
    return AuditEvent(
        network=network,
        actor=by,
        token_id=context.token_id.get(),
        event=event,
        object_type=(obj._meta.concrete_model or obj.__class__)._meta.label_lower,
        object_id=str(obj.pk),
        object_label=str(obj)[:250],
        changes=_plain(changes or {}),
        reason=reason,
        request_id=context.request_id.get(),
    )
