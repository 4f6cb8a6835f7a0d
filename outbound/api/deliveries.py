"""Results of a batch on their way to the customer, with replay."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from outbound import actions
from outbound.models import ResultDelivery
from outbound.queries.batches import delivery_list
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.api.permissions import MAX_ID

from .common import OutboundView, unknown
from .filters import DeliveryFilter
from .serializers import DeliverySerializer, ResultSecretSerializer


class DeliveriesView(OutboundView):
    """The results of a batch, newest first."""

    queryset = ResultDelivery.objects.none()
    filterset_class = DeliveryFilter

    @extend_schema(
        operation_id="batch_deliveries_list", tags=["outbound"], summary="List a batch's results",
        responses=DeliverySerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, batch: int, **path: Any) -> Response:
        rows = delivery_list(user=self.user, network=self.network, batch=self.batch(batch).pk)
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)


class DeliveryReplayView(OutboundView):
    @extend_schema(
        operation_id="batch_deliveries_replay", tags=["outbound"], summary="Send a result again",
        description="Under the same webhook-id, from the start of its schedule.",
        parameters=[schema.IDEMPOTENCY_KEY], request=None, responses={202: DeliverySerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, delivery: int, **path: Any) -> Response:
        """Needs the permission `change`."""
        rows = delivery_list(user=self.user, network=self.network, batch=self.batch(batch).pk)
        found = rows.filter(pk=min(delivery, MAX_ID)).first()
        if found is None:
            unknown("delivery")
        return Response(DeliverySerializer(actions.delivery_replay(by=self.user, delivery=found)).data, status=202)


class ResultSecretView(OutboundView):
    @extend_schema(
        operation_id="batches_result_secret", tags=["outbound"], summary="Get a new secret for a batch's results",
        description="Results are signed with it (Standard Webhooks) from now on. It is shown this once; the one before is void.",
        request=None, responses={201: ResultSecretSerializer},
    )  # fmt: skip
    def post(self, request: Request, batch: int, **path: Any) -> Response:
        """Needs the permission `change`."""
        # Not under an Idempotency-Key: its answer would be kept, and a secret is kept nowhere.
        secret = actions.result_secret_renew(by=self.user, batch=self.batch(batch))
        return Response({"result_secret": secret}, status=201, headers={"Cache-Control": "no-store"})
