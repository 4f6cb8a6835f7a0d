"""Limit requests over the API: ask, follow, decide. Only in the current version."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.roles import Role
from portal.api import etags, schema
from portal.api.idempotency import idempotent
from portal.api.views import ApiView
from portal.errors import Invalid, NotFound
from promo_numbers.actions.requests import limit_request_create, limit_request_decide, limit_request_withdraw
from promo_numbers.choices import Ceiling, RequestState
from promo_numbers.models import LimitRequest
from promo_numbers.queries.requests import may_decide, request_advice, requests_visible

from .agreement_serializers import (
    ApproveInput,
    ChangeInput,
    DeclineInput,
    LimitRequestDetailSerializer,
    LimitRequestInput,
    LimitRequestSerializer,
)
from .agreements import known

MAX_ID = 2**63 - 1


class LimitRequestFilter(filters.FilterSet):
    """Requests by state and limit."""

    state = filters.ChoiceFilter(choices=RequestState.choices)
    ceiling = filters.ChoiceFilter(choices=Ceiling.choices)

    class Meta:
        model = LimitRequest
        fields: list[str] = []


def _body(row: LimitRequest) -> dict[str, Any]:
    plain = (
        "id", "ceiling", "asked_at", "more", "reason", "visitors_per_hour", "lifetime_seconds", "limit_then", "used_then",
        "state", "decided_at", "granted", "note",
    )  # fmt: skip
    return dict(
        LimitRequestSerializer(
            {
                **{name: getattr(row, name) for name in plain},
                "campaign": row.campaign.id_from_network if row.campaign else None,
                "asked_by": row.asked_by.email,
                "decided_by": row.decided_by.email if row.decided_by else None,
            }
        ).data
    )


class _RequestsView(ApiView):
    current_only = True

    def rows(self) -> QuerySet[LimitRequest]:
        return requests_visible(self.user, self.network)

    def row(self, pk: int) -> LimitRequest:
        found = self.rows().filter(pk=pk).first() if pk <= MAX_ID else None
        if found is None:
            raise NotFound("There is no such limit request.", field="limit_request")
        return found

    def detail(self, row: LimitRequest, status: int = 200) -> Response:
        """One request with its sum, if the network's use is the caller's to see."""
        working: dict[str, Any] | None = None
        if access.stands_above(self.user) or self.user.roles.get(self.network.pk, -1) >= Role.MANAGER:
            if row.state == RequestState.OPEN:
                advice = request_advice(row)
                working = advice.body() if advice else None
            else:
                working = row.working or None
        decides = row.state == RequestState.OPEN and may_decide(self.user, row)
        body = {**_body(row), "may_decide": decides, "working": working}
        return self.answer(body, state=etags.state_of(row.pk, row.state), status=status)


class LimitRequestsView(_RequestsView):
    """The network's limit requests, newest first: one's own, and from Manager on all."""

    queryset = LimitRequest.objects.none()
    filterset_class = LimitRequestFilter

    @extend_schema(
        operation_id="limit_requests_list", tags=["limits"], summary="List limit requests",
        responses=LimitRequestSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        found = self.paginate_queryset(self.filter_queryset(self.rows())) or []
        return self.get_paginated_response([_body(row) for row in found])

    @extend_schema(
        operation_id="limit_requests_create", tags=["limits"], summary="Ask for more numbers",
        description="Whoever may add numbers may ask; one open request for a limit each (409 already_asked).",
        parameters=[schema.IDEMPOTENCY_KEY], request=LimitRequestInput, responses={201: LimitRequestDetailSerializer},
        filters=False,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, **path: Any) -> Response:
        given = known(LimitRequestInput, self.sent)
        own = given.pop("campaign", None)
        campaign = self.campaign(own) if own is not None else None
        row = limit_request_create(by=self.user, network=self.network, campaign=campaign, **given)
        return self.detail(self.row(row.pk), 201)

    def campaign(self, own: str) -> Campaign:
        rows = Campaign.objects.select_related("network").filter(network=self.network, id_from_network=own)
        found = access.restrict(rows, self.user).first()
        if found is None:
            raise Invalid(f"There is no campaign “{own}” in this network.", field="campaign", code="unknown_campaign")
        return found


class LimitRequestView(_RequestsView):
    """One limit request."""

    @extend_schema(
        operation_id="limit_requests_get", tags=["limits"], summary="Get a limit request",
        parameters=[schema.IF_NONE_MATCH], responses={200: LimitRequestDetailSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, limit_request: int, **path: Any) -> Response:
        return self.detail(self.row(limit_request))


class _DecisionView(_RequestsView):
    """A decision is a POST on the request; one decides once (409 already_decided)."""

    reader: type[serializers.Serializer]
    decision = ""

    def decide(self, pk: int) -> Response:
        given = known(self.reader, self.sent)
        row = limit_request_decide(
            by=self.user, request=self.row(pk), decision=self.decision, granted=given.get("granted"),
            note=given.get("note", ""), confirmed=given.get("confirm", False),
        )  # fmt: skip
        return self.detail(self.row(row.pk))


class ApproveView(_DecisionView):
    """Grant what was asked for."""

    reader, decision = ApproveInput, "approve"

    @extend_schema(
        operation_id="limit_requests_approve", tags=["limits"], summary="Approve a limit request",
        description="The limit is raised in the same transaction. Network limits: platform staff; a campaign's: its"
        " network's Supers too.", parameters=[schema.IDEMPOTENCY_KEY], request=ApproveInput,
        responses=LimitRequestDetailSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, limit_request: int, **path: Any) -> Response:
        return self.decide(limit_request)


class ChangeView(_DecisionView):
    """Grant another figure."""

    reader, decision = ChangeInput, "change"

    @extend_schema(
        operation_id="limit_requests_change", tags=["limits"], summary="Grant another figure than was asked for",
        parameters=[schema.IDEMPOTENCY_KEY], request=ChangeInput, responses=LimitRequestDetailSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, limit_request: int, **path: Any) -> Response:
        return self.decide(limit_request)


class DeclineView(_DecisionView):
    """Say no, and why."""

    reader, decision = DeclineInput, "decline"

    @extend_schema(
        operation_id="limit_requests_decline", tags=["limits"], summary="Decline a limit request",
        parameters=[schema.IDEMPOTENCY_KEY], request=DeclineInput, responses=LimitRequestDetailSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, limit_request: int, **path: Any) -> Response:
        return self.decide(limit_request)


class WithdrawView(_RequestsView):
    """Take it back; whoever asked."""

    @extend_schema(
        operation_id="limit_requests_withdraw", tags=["limits"], summary="Withdraw a limit request",
        parameters=[schema.IDEMPOTENCY_KEY], request=None, responses=LimitRequestDetailSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, limit_request: int, **path: Any) -> Response:
        row = limit_request_withdraw(by=self.user, request=self.row(limit_request))
        return self.detail(self.row(row.pk))


DECISION_VIEWS = {"approve": ApproveView, "change": ChangeView, "decline": DeclineView, "withdraw": WithdrawView}
