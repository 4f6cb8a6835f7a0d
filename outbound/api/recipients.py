"""The people of a batch and their calls: cursor pages over millions, adding, canceling, redialing."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.input import cleaned
from outbound import actions
from outbound.models import Attempt, Batch, Recipient
from outbound.queries.batches import recipient_history, recipient_list
from outbound.secrets import dial_string_shown
from portal.api import schema
from portal.api.idempotency import idempotent

from .common import OutboundView
from .filters import AttemptFilter, AttemptPagination, RecipientFilter, RecipientPagination
from .serializers import (
    AddCallsInput,
    AddedSerializer,
    AttemptSerializer,
    DeliverySerializer,
    EventSerializer,
    HaltInput,
    ReasonInput,
    RecipientDetailSerializer,
    RecipientSerializer,
)


def recipient_detail(batch: Batch, recipient: Recipient) -> dict[str, Any]:
    """One person with attempts, events and results."""
    row = recipient_list(batch=batch).get(pk=recipient.pk)
    history = recipient_history(recipient=row)
    for attempt, _ in history.attempts:
        attempt.recipient = row
    return {
        **RecipientSerializer(row, context={"batch": batch}).data,
        "history": [
            {**AttemptSerializer(attempt).data, "events": EventSerializer(events, many=True).data}
            for attempt, events in history.attempts
        ],
        "deliveries": DeliverySerializer(history.deliveries, many=True).data,
    }


class RecipientsView(OutboundView):
    """Everybody on a batch's list."""

    queryset = Recipient.objects.none()
    filterset_class = RecipientFilter
    pagination_class = RecipientPagination

    @extend_schema(
        operation_id="batch_recipients_list", tags=["outbound"], summary="List a batch's people",
        description="By number; with a status other than pending newest first. Made for millions of rows.",
        responses=RecipientSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, batch: int, **path: Any) -> Response:
        found = self.batch(batch)
        rows = self.paginate_queryset(self.filter_queryset(recipient_list(batch=found))) or []
        return self.get_paginated_response(RecipientSerializer(rows, many=True, context={"batch": found}).data)

    @extend_schema(
        operation_id="batch_recipients_add", tags=["outbound"], summary="Add calls to a draft or a live batch",
        description="Up to 1000 at once; what cannot be taken is refused with its reason, the rest is added. For more, import a list.",
        parameters=[schema.IDEMPOTENCY_KEY], request=AddCallsInput, responses={201: AddedSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, **path: Any) -> Response:
        given = cleaned(AddCallsInput, self.sent)
        added = actions.recipients_add(by=self.user, batch=self.batch(batch), calls=given["calls"])
        refused = [{**one, "value": dial_string_shown(str(one["value"]))} for one in added.refused]
        return Response({"added": added.added, "suppressed": added.suppressed, "refused": refused}, status=201)


class RecipientView(OutboundView):
    @extend_schema(
        operation_id="batch_recipients_get", tags=["outbound"], summary="Get one person with the whole history",
        responses=RecipientDetailSerializer,
    )  # fmt: skip
    def get(self, request: Request, batch: int, recipient: int, **path: Any) -> Response:
        found = self.batch(batch)
        return Response(recipient_detail(found, self.recipient(found, recipient)))


class RecipientCancelView(OutboundView):
    @extend_schema(
        operation_id="batch_recipients_cancel", tags=["outbound"], summary="Cancel one call",
        description="Never dialed if it waits, hung up if it lives; 409 call_ended when it has ended.",
        parameters=[schema.IDEMPOTENCY_KEY], request=HaltInput, responses={202: RecipientDetailSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, recipient: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        found = self.batch(batch)
        one = self.recipient(found, recipient)
        actions.recipient_cancel(by=self.user, recipient=one, reason=cleaned(HaltInput, self.sent)["reason"])
        return Response(recipient_detail(found, one), status=202)


class RecipientRedialView(OutboundView):
    @extend_schema(
        operation_id="batch_recipients_redial", tags=["outbound"], summary="Dial an unknown call again",
        description="A person's decision after seeing the evidence; the reason is kept.",
        parameters=[schema.IDEMPOTENCY_KEY], request=ReasonInput, responses={202: RecipientDetailSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, recipient: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        found = self.batch(batch)
        one = self.recipient(found, recipient)
        actions.recipient_redial(by=self.user, recipient=one, reason=cleaned(ReasonInput, self.sent)["reason"])
        return Response(recipient_detail(found, one), status=202)


class RecipientOptOutView(OutboundView):
    @extend_schema(
        operation_id="batch_recipients_opt_out", tags=["outbound"], summary="Never call this person again",
        description="What the application behind `start_url` says when the callee opts out. The number goes on the network's list of "
        "opt-outs, which binds every batch; whoever waits under it is suppressed at once. A live call goes on.",
        parameters=[schema.IDEMPOTENCY_KEY], request=HaltInput, responses={202: RecipientDetailSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, recipient: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        found = self.batch(batch)
        one = self.recipient(found, recipient)
        actions.recipient_opt_out(by=self.user, recipient=one, reason=cleaned(HaltInput, self.sent)["reason"])
        return Response(recipient_detail(found, one), status=202)


class AttemptsView(OutboundView):
    """Every dialing of a batch."""

    queryset = Attempt.objects.none()
    filterset_class = AttemptFilter
    pagination_class = AttemptPagination

    @extend_schema(
        operation_id="batch_attempts_list", tags=["outbound"], summary="List a batch's attempts",
        responses=AttemptSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, batch: int, **path: Any) -> Response:
        rows = Attempt.objects.filter(batch=self.batch(batch)).select_related("recipient")
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(AttemptSerializer(page, many=True).data)
