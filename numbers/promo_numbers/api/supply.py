"""Purchases of numbers, and numbers that will be reclaimed. Only in the current version."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.call_serializers import NamedSerializer
from campaigns.api.input import Text, cleaned
from campaigns.callers import pretty
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.api.views import ApiView
from portal.errors import NotFound
from promo_numbers.actions.reclaim import reclaim_keep, reclaim_now
from promo_numbers.choices import OrderState, ReclaimState
from promo_numbers.models import NumberOrder, ReclaimProposal
from promo_numbers.queries.orders import orders_visible
from promo_numbers.queries.reclaim import proposals_all

MAX_ID = 2**63 - 1


class NumberOrderSerializer(serializers.Serializer):
    """One purchase. unknown: the supplier's answer never came; it is looked up, never bought again."""

    id = serializers.UUIDField()
    promo_number_id = serializers.IntegerField(help_text="Our id of the number that it is for.")
    campaign = NamedSerializer(source="promo_number.campaign")
    supplier = serializers.CharField()
    state = serializers.ChoiceField(OrderState.choices)
    promo_number = serializers.CharField(source="number", allow_blank=True, help_text="What was bought.")
    error = serializers.CharField(allow_blank=True)
    looked_up = serializers.IntegerField()
    look_up_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class OrderFilter(filters.FilterSet):
    """Orders by state."""

    state = filters.ChoiceFilter(choices=OrderState.choices)

    class Meta:
        model = NumberOrder
        fields: list[str] = []


class NumberOrdersView(ApiView):
    """The network's purchases of numbers."""

    current_only = True
    queryset = NumberOrder.objects.none()
    filterset_class = OrderFilter

    @extend_schema(
        operation_id="number_orders_list", tags=["promo numbers"], summary="List purchases of numbers",
        description="Newest first.", responses=NumberOrderSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = orders_visible(self.user, self.network)
        # The id of an order is no order; its number's is.
        paginator: Any = self.paginator
        paginator.ordering = "-promo_number_id"
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(NumberOrderSerializer(page, many=True).data)


class ReclaimProposalSerializer(serializers.Serializer):
    """A number without calls that will be reclaimed, or was."""

    id = serializers.IntegerField()
    promo_number = serializers.CharField(source="promo_number.number")
    promo_number_formatted = serializers.SerializerMethodField()
    promo_number_id = serializers.IntegerField()
    description = serializers.CharField(source="promo_number.description")
    campaign = NamedSerializer(source="promo_number.campaign")
    last_called_on = serializers.DateField(source="promo_number.last_called_on", allow_null=True)
    proposed_on = serializers.DateField()
    reclaim_on = serializers.DateField()
    reminded_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(ReclaimState.choices)
    note = serializers.CharField(allow_blank=True)

    def get_promo_number_formatted(self, proposal: ReclaimProposal) -> str:
        return pretty(proposal.promo_number.number)


class NoteInput(serializers.Serializer):
    """Why."""

    note = Text(required=False, allow_blank=True, max_length=250)


class ProposalFilter(filters.FilterSet):
    """Proposals by state and campaign."""

    state = filters.ChoiceFilter(choices=ReclaimState.choices)
    campaign = filters.CharFilter(
        field_name="promo_number__campaign__id_from_network", label="id_from_network of the campaign."
    )

    class Meta:
        model = ReclaimProposal
        fields: list[str] = []


class _ProposalsView(ApiView):
    current_only = True
    queryset = ReclaimProposal.objects.none()

    def rows(self) -> QuerySet[ReclaimProposal]:
        return proposals_all(self.user, self.network)

    def row(self, pk: int) -> ReclaimProposal:
        found = self.rows().filter(pk=pk).first() if pk <= MAX_ID else None
        if found is None:
            raise NotFound("There is no such proposal.", field="reclaim_proposal")
        return found


class ReclaimProposalsView(_ProposalsView):
    """Numbers without calls that will be reclaimed, and those that were."""

    filterset_class = ProposalFilter

    @extend_schema(
        operation_id="reclaim_proposals_list", tags=["promo numbers"], summary="List numbers to be reclaimed",
        description="Newest first; those of `state=proposed` are open.",
        responses=ReclaimProposalSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.rows())) or []
        return self.get_paginated_response(ReclaimProposalSerializer(page, many=True).data)


class ReclaimKeepView(_ProposalsView):
    """Keep one."""

    @extend_schema(
        operation_id="reclaim_proposals_keep", tags=["promo numbers"], summary="Keep a number that would be reclaimed",
        description="Needs manage_numbers. It is not proposed again for 45 days.", parameters=[schema.IDEMPOTENCY_KEY],
        request=NoteInput, responses=ReclaimProposalSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, proposal: int, **path: Any) -> Response:
        note = cleaned(NoteInput, self.sent).get("note", "")
        done = reclaim_keep(by=self.user, proposal=self.row(proposal), note=note)
        return self.answer(ReclaimProposalSerializer(self.row(done.pk)).data)


class ReclaimReleaseView(_ProposalsView):
    """Release one now."""

    @extend_schema(
        operation_id="reclaim_proposals_release", tags=["promo numbers"], summary="Release a proposed number now",
        description="Needs manage_numbers.", parameters=[schema.IDEMPOTENCY_KEY], request=NoteInput,
        responses=ReclaimProposalSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, proposal: int, **path: Any) -> Response:
        note = cleaned(NoteInput, self.sent).get("note", "")
        done = reclaim_now(by=self.user, proposal=self.row(proposal), note=note)
        return self.answer(ReclaimProposalSerializer(self.row(done.pk)).data)
