"""Filters of the lists of outbound, and cursors over millions of people."""

import re
from typing import Any

from django.db.models import CharField, F, Func, QuerySet
from django.db.models.functions import Cast, Concat
from django_filters import rest_framework as filters
from rest_framework.pagination import Cursor
from rest_framework.pagination import CursorPagination as DrfCursorPagination
from rest_framework.request import Request

from outbound.choices import BatchStatus, DeliveryState, Outcome, RecipientState, StuckKind
from outbound.models import Attempt, Batch, Recipient, ResultDelivery
from portal.api.filters import MomentFilter
from portal.api.pagination import CursorPagination

_PLACE = re.compile(r"[0-9]{20}[0-9a-f-]{36}")


class BatchFilter(filters.FilterSet):
    """Batches by status, words of the name, and time of creation."""

    status = filters.CharFilter(method="with_status", label=f"active, or one of {', '.join(BatchStatus.values)}.")
    q = filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Batch
        fields: list[str] = []

    def with_status(self, queryset: QuerySet[Batch], name: str, value: str) -> QuerySet[Batch]:
        if value == "active":
            return queryset.filter(status__in=["scheduled", "running", "paused", "stopping"])
        return queryset.filter(status=value) if value in BatchStatus.values else queryset.none()


class RecipientFilter(filters.FilterSet):
    """People by status, outcome, and the beginning of their number."""

    status = filters.CharFilter(field_name="state", label=f"One of {', '.join(RecipientState.values)}.")
    outcome = filters.CharFilter(label=f"Of the last attempt: one of {', '.join(Outcome.values)}.")
    phone_number = filters.CharFilter(method="that_begins", label="The beginning of a number, such as +1805.")

    class Meta:
        model = Recipient
        fields: list[str] = []

    def that_begins(self, queryset: QuerySet[Recipient], name: str, value: str) -> QuerySet[Recipient]:
        digits = "+" + "".join(char for char in value if char.isdigit() and char.isascii())
        return queryset.filter(number__gte=digits, number__lt=digits + ":")


class AttemptFilter(filters.FilterSet):
    """Attempts by status, outcome and time of the claim."""

    status = filters.CharFilter(field_name="state")
    outcome = filters.CharFilter()
    queued_after = MomentFilter(field_name="claimed_at", lookup_expr="gte")
    queued_before = MomentFilter(field_name="claimed_at", lookup_expr="lt")

    class Meta:
        model = Attempt
        fields: list[str] = []


class DeliveryFilter(filters.FilterSet):
    """Results by state and recipient."""

    state = filters.CharFilter(label=f"One of {', '.join(DeliveryState.values)}.")
    recipient = filters.NumberFilter(field_name="recipient_id")

    class Meta:
        model = ResultDelivery
        fields: list[str] = []


class StuckFilter(filters.FilterSet):
    """Stuck calls by batch and by why they are stuck."""

    batch = filters.NumberFilter(field_name="batch_id")
    kind = filters.ChoiceFilter(
        field_name="stuck", choices=StuckKind.choices, label=f"One of {', '.join(StuckKind.values)}."
    )

    class Meta:
        model = Attempt
        fields: list[str] = []


def with_place(rows: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Each row with `place`: the moment of its claim and its id as one text, so that no two stand at the same one.

    Stuck calls leave the list while somebody reads it: a cursor that counts rows from a moment would pass over others.
    """
    moment = Func(
        F("claimed_at"),
        template="to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')",
        output_field=CharField(),
    )
    return rows.annotate(place=Concat(moment, Cast("id", CharField()), output_field=CharField()))


class RecipientPagination(CursorPagination):
    """In the order of the numbers, which an index holds for each batch; newest first within a status."""

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        state = request.query_params.get("status", "")
        by_id = state in RecipientState.values and state != RecipientState.PENDING
        return ("-id",) if by_id else ("number",)

    def decode_cursor(self, request: Request) -> Cursor | None:
        given = request.query_params.get(self.cursor_query_param)
        if given is None:
            return None
        try:
            cursor = DrfCursorPagination.decode_cursor(self, request)
        except Exception as error:
            raise self._invalid() from error
        assert cursor is not None
        position = str(cursor.position or "0").removeprefix("+")
        if not (position.isascii() and position.isdigit() and len(position) < 19):
            raise self._invalid()
        by_id = self.get_ordering(request, None, None) == ("-id",)
        if cursor.position and str(cursor.position).startswith("+") == by_id:
            # Made under another filter: it points nowhere in this order.
            raise self._invalid()
        return cursor


class StuckPagination(CursorPagination):
    """Oldest first (`with_place`)."""

    ordering = ("place",)  # type: ignore[assignment]

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = DrfCursorPagination.decode_cursor(self, request)
        except Exception as error:
            raise self._invalid() from error
        if cursor is not None and cursor.position and not _PLACE.fullmatch(str(cursor.position)):
            raise self._invalid()
        return cursor


class AttemptPagination(CursorPagination):
    """By person, newest first, and within one the latest attempt first."""

    ordering = ("-recipient_id", "-number")  # type: ignore[assignment]
