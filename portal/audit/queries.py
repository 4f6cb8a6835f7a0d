"""Reads of the audit trail: a network's events by filters, and the history of one object."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from portal.accounts import access
from portal.accounts.models import Network
from portal.errors import NotFound

from .models import AuditEvent

# Event names offered in the filter are those of the newest events: reading them all would cost more than it tells.
RECENT = 5000


@dataclass(frozen=True)
class Filters:
    """What to look for; an empty field asks nothing. who: part of a name or e-mail, or “system”; text: in the object's
    name, the reason or the values; token: its first characters."""

    who: str = ""
    event: str = ""
    object_type: str = ""
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    request_id: str = ""
    token: str = ""


def events_of(network: Network | None, filters: Filters) -> QuerySet[AuditEvent]:
    """The events of a network (None: those above networks), newest first by id. The right is the caller's to check."""
    events = AuditEvent.objects.select_related("actor", "token").filter(network=network)
    if filters.who.lower() == "system":
        events = events.filter(actor=None)
    elif filters.who:
        events = events.filter(Q(actor__email__icontains=filters.who) | Q(actor__name__icontains=filters.who))
    if filters.event:
        exact = "." in filters.event
        events = events.filter(event=filters.event) if exact else events.filter(event__startswith=f"{filters.event}.")
    if filters.object_type:
        events = events.filter(object_type=filters.object_type)
    if filters.object_id:
        events = events.filter(object_id=filters.object_id)
    if filters.since:
        events = events.filter(at__gte=filters.since)
    if filters.until:
        events = events.filter(at__lte=filters.until)
    if filters.text:
        events = events.annotate(values_text=Cast("changes", TextField())).filter(
            Q(object_label__icontains=filters.text)
            | Q(reason__icontains=filters.text)
            | Q(values_text__icontains=filters.text)
        )
    if filters.request_id:
        events = events.filter(request_id=filters.request_id)
    if filters.token:
        events = events.filter(token__prefix__startswith=filters.token)
    return events


def event_names(network: Network | None) -> list[str]:
    """The names of the network's recent events, for the filter."""
    recent = AuditEvent.objects.filter(network=network).order_by("-id").values("pk")[:RECENT]
    return list(AuditEvent.objects.filter(pk__in=recent).order_by("event").values_list("event", flat=True).distinct())


def history_of(obj: Model, limit: int = 10) -> list[AuditEvent]:
    """The newest events about one object, with who did them; for whoever may view the object. One statement."""
    model: Any = obj._meta.concrete_model or obj.__class__
    events = AuditEvent.objects.filter(object_type=model._meta.label_lower, object_id=str(obj.pk))
    return list(events.select_related("actor", "token").order_by("-id")[:limit])


def object_seen_by(user: Any, object_type: str, object_id: str) -> Model:
    """The object named so, if `user` may view it. NotFound otherwise, or when rights on such objects are not kept."""
    try:
        model = apps.get_model(object_type)
        known = access.is_registered(model)
        found = access.restrict(model._default_manager.filter(pk=object_id), user).first() if known else None
    except (LookupError, ValueError) as error:
        raise NotFound("There is no such object.") from error
    if found is None:
        raise NotFound("There is no such object.")
    return found


def changes_read(event: AuditEvent) -> list[tuple[str, str, str]]:
    """The changes of an event in words: (what, old, new); what was empty and stays so is left out."""
    lines = [(name.replace("_", " "), *_pair(pair)) for name, pair in event.changes.items()]
    return [line for line in lines if line[1] or line[2]]


def _pair(pair: Any) -> tuple[str, str]:
    if isinstance(pair, list) and len(pair) == 2:
        return _words(pair[0]), _words(pair[1])
    return "", _words(pair)


def _words(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {_words(item)}" for name, item in value.items())
    return str(value)
