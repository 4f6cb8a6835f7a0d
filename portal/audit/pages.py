"""The audit log: who changed what, when and why; and the history of one object."""

import csv
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.accounts import access
from portal.accounts.models import Network
from portal.web.forms import PortalForm
from portal.web.lists import keyset
from portal.web.pages import network_of, page, show

from . import queries
from .models import AuditEvent

EXPORT_ROWS = 100_000
COLUMNS = (
    "time",
    "who",
    "token",
    "event",
    "object type",
    "object id",
    "object",
    "what",
    "old",
    "new",
    "reason",
    "request id",
)


class FilterForm(PortalForm):
    who = forms.CharField(required=False, max_length=200)
    event = forms.CharField(required=False, max_length=60)
    since = forms.DateTimeField(
        label="From",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    until = forms.DateTimeField(
        required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    text = forms.CharField(required=False, max_length=200)
    request_id = forms.CharField(label="Request", required=False, max_length=64)
    token = forms.CharField(required=False, max_length=12)
    object = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)

    def filters(self, zone: ZoneInfo) -> queries.Filters:
        """What was asked for, times read in `zone`; a field that cannot be read asks nothing (and says so)."""
        with timezone.override(zone):
            self.is_valid()
        values = {name: value for name, value in self.cleaned_data.items() if value and name != "object"}
        kind, _, key = self.cleaned_data.get("object", "").partition(":")
        return queries.Filters(object_type=kind, object_id=key, **values)


def _zone(request: HttpRequest) -> ZoneInfo:
    """The zone of the network that the user looks at, as on every page."""
    network = getattr(request, "network", None)
    return ZoneInfo(network.time_zone if network else "UTC")


def _scope(request: HttpRequest, filters: queries.Filters) -> tuple[Network | None, Any]:
    """Whose events: the object's network for its history, else the current one; None above networks.

    The history of an object is for whoever may view the object; everything else needs `view_audit` on the network.
    """
    user: Any = request.user
    if filters.object_type and filters.object_id:
        obj = queries.object_seen_by(user, filters.object_type, filters.object_id)
        return access.network_of(obj), obj
    if request.GET.get("scope") == "platform" and access.stands_above(user):
        return None, None
    network = network_of(request)
    access.require(user, "view_audit", network)
    return network, None


@require_GET
@page
def audit_list(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    filters = form.filters(_zone(request))
    network, obj = _scope(request, filters)
    events = keyset(queries.events_of(network, filters), request.GET, order=("-id",))
    for event in events:
        event.lines = queries.changes_read(event)
    user: Any = request.user
    asked = {name: value for name, value in request.GET.items() if value and name not in ("after", "before", "scope")}
    return show(
        request, "audit/list.html", title="History" if obj else "Audit log",
        subtitle=str(obj) if obj else f"Who changed what {'above networks' if network is None else f'in {network}'}, when and why",
        events=events, form=form, names=[] if obj else queries.event_names(network), obj=obj,
        filtered=bool(set(asked) - {"object"}), scope=request.GET.get("scope", ""),
        above=access.stands_above(user), may_all=network is None or access.may(user, "view_audit", network),
    )  # fmt: skip


class _Echo:
    """A file that hands back what is written to it, so that rows leave one by one."""

    def write(self, value: str) -> str:
        return value


def _cell(value: str) -> str:
    """A spreadsheet must read a value as text, never as a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _rows(events: Iterator[AuditEvent], zone: ZoneInfo) -> Iterator[list[str]]:
    """One row per changed value; an event without values has one row of its own."""
    for event in events:
        head = [
            event.at.astimezone(zone).isoformat(), event.actor.email if event.actor else "system",
            event.token.prefix if event.token else "", event.event, event.object_type, event.object_id, event.object_label,
        ]  # fmt: skip
        tail = [event.reason, event.request_id]
        for change in queries.changes_read(event) or [("", "", "")]:
            yield [_cell(value) for value in (*head, *change, *tail)]


@require_GET
@page
def audit_export(request: HttpRequest) -> HttpResponse:
    """The same list as a CSV file, newest first, at most EXPORT_ROWS events. For whoever sees the list."""
    zone = _zone(request)
    filters = FilterForm(request.GET).filters(zone)
    network, _ = _scope(request, filters)
    events = queries.events_of(network, filters).order_by("-id")[:EXPORT_ROWS].iterator(chunk_size=1000)
    writer = csv.writer(_Echo())
    lines = (writer.writerow(row) for rows in ([list(COLUMNS)], _rows(events, zone)) for row in rows)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"audit-{timezone.now().astimezone(zone):%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]
