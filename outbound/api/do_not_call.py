"""Do-not-call lists and their entries."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.input import cleaned
from outbound import actions
from outbound.models import DoNotCallEntry, DoNotCallList
from outbound.queries.batches import do_not_call_lists
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.api.permissions import MAX_ID

from .common import OutboundView, unknown
from .serializers import (
    DoNotCallEntrySerializer,
    DoNotCallListInput,
    DoNotCallListSerializer,
    EntriesCountSerializer,
    EntriesInput,
    EntriesRemoveInput,
)


class _DoNotCallView(OutboundView):
    def list_at(self, pk: int) -> DoNotCallList:
        rows = do_not_call_lists(user=self.user, network=self.network).select_related("network")
        found = rows.filter(pk=min(pk, MAX_ID)).first()
        if found is None:
            unknown("do_not_call_list")
        return found


class ListsView(_DoNotCallView):
    """The network's do-not-call lists, newest first."""

    queryset = DoNotCallList.objects.none()

    @extend_schema(
        operation_id="do_not_call_lists_list", tags=["outbound"], summary="List the do-not-call lists",
        responses=DoNotCallListSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = self.paginate_queryset(do_not_call_lists(user=self.user, network=self.network)) or []
        return self.get_paginated_response(DoNotCallListSerializer(rows, many=True).data)

    @extend_schema(
        operation_id="do_not_call_lists_create", tags=["outbound"], summary="Make a do-not-call list",
        parameters=[schema.IDEMPOTENCY_KEY], request=DoNotCallListInput, responses={201: DoNotCallListSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, **path: Any) -> Response:
        given = cleaned(DoNotCallListInput, self.sent)
        made = actions.do_not_call_list_create(by=self.user, network=self.network, **given)
        return Response(DoNotCallListSerializer(made).data, status=201)


class ListView(_DoNotCallView):
    @extend_schema(
        operation_id="do_not_call_lists_get", tags=["outbound"], summary="Get a do-not-call list",
        responses=DoNotCallListSerializer,
    )  # fmt: skip
    def get(self, request: Request, list: int, **path: Any) -> Response:
        return Response(DoNotCallListSerializer(self.list_at(list)).data)

    @extend_schema(
        operation_id="do_not_call_lists_delete", tags=["outbound"], summary="Delete a do-not-call list", responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, list: int, **path: Any) -> Response:
        """Refused while a batch names it."""
        actions.do_not_call_list_delete(by=self.user, to=self.list_at(list))
        return Response(status=204)


class EntriesView(_DoNotCallView):
    """Numbers and prefixes of a list, newest first."""

    queryset = DoNotCallEntry.objects.none()

    @extend_schema(
        operation_id="do_not_call_entries_list", tags=["outbound"], summary="List a do-not-call list's entries",
        responses=DoNotCallEntrySerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, list: int, **path: Any) -> Response:
        rows = self.paginate_queryset(DoNotCallEntry.objects.filter(list=self.list_at(list))) or []
        return self.get_paginated_response(DoNotCallEntrySerializer(rows, many=True).data)

    @extend_schema(
        operation_id="do_not_call_entries_add", tags=["outbound"], summary="Put numbers on a do-not-call list",
        description="All of them, or none when one is neither a number nor a prefix. Binding with the next call.",
        parameters=[schema.IDEMPOTENCY_KEY], request=EntriesInput, responses={201: EntriesCountSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, list: int, **path: Any) -> Response:
        given = cleaned(EntriesInput, self.sent)
        count = actions.do_not_call_add(
            by=self.user, to=self.list_at(list), patterns=given["patterns"], note=given["note"]
        )
        return Response({"count": count}, status=201)


class EntriesRemoveView(_DoNotCallView):
    @extend_schema(
        operation_id="do_not_call_entries_remove", tags=["outbound"], summary="Take numbers off a do-not-call list",
        parameters=[schema.IDEMPOTENCY_KEY], request=EntriesRemoveInput, responses=EntriesCountSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, list: int, **path: Any) -> Response:
        given = cleaned(EntriesRemoveInput, self.sent)
        count = actions.do_not_call_remove(
            by=self.user, to=self.list_at(list), patterns=given["patterns"], reason=given["reason"]
        )
        return Response({"count": count})
