"""Stuck and unknown calls, with the evidence: the page of the same name as a list. Acting on them: `recipients.py`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from outbound.models import Attempt
from outbound.queries.stuck import operable_batches, stuck_explained, stuck_list

from .common import OutboundView
from .filters import StuckFilter, StuckPagination, with_place
from .serializers import StuckCallSerializer


class StuckCallsView(OutboundView):
    """Calls of which too little is known, in all batches of the network that the caller may see."""

    queryset = Attempt.objects.none()
    filterset_class = StuckFilter
    pagination_class = StuckPagination

    @extend_schema(
        operation_id="stuck_calls_list", tags=["outbound"], summary="List the stuck and unknown calls",
        description="Oldest first, each with everything that was heard of it. None is dialed again by itself; `can` says what the "
        "caller may do with it over `batches/<batch>/recipients/<recipient>/`: redial.json, or cancel.json (which also hangs up).",
        responses=StuckCallSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = with_place(stuck_list(user=self.user, network=self.network))
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        context = {"operable": operable_batches(user=self.user, attempts=page)}
        return self.get_paginated_response(StuckCallSerializer(stuck_explained(page), many=True, context=context).data)
