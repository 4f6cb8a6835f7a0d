"""Filters of the lists of outbound, and cursors over millions of people."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework.pagination import Cursor
from rest_framework.pagination import CursorPagination as DrfCursorPagination
from rest_framework.request import Request

from outbound.choices import BatchStatus, DeliveryState, Outcome, RecipientState
from outbound.models import Attempt, Batch, Recipient, ResultDelivery
from portal.api.filters import MomentFilter
from portal.api.pagination import CursorPagination


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


class AttemptPagination(CursorPagination):
    """By person, newest first, and within one the latest attempt first."""

    ordering = ("-recipient_id", "-number")  # type: ignore[assignment]
