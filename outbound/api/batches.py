"""Batches: making, changing, starting, pausing, stopping."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.input import cleaned
from outbound import actions
from outbound.actions.common import locked
from outbound.models import Batch
from outbound.queries.batches import batches_visible
from outbound.queries.preview import batch_preview
from portal.accounts import access
from portal.api import etags, schema
from portal.api.idempotency import idempotent
from portal.errors import NotFound

from .common import OutboundView, batch_state, committing, told
from .filters import BatchFilter
from .serializers import (
    BatchInput,
    BatchSerializer,
    HaltedSerializer,
    HaltInput,
    HungUpSerializer,
    PreviewSerializer,
    StartedSerializer,
)

KNOWN = set(BatchInput().fields)


class BatchBodies(OutboundView):
    """Answers with a batch as it stands in the database now."""

    def batches(self) -> QuerySet[Batch]:
        rows = batches_visible(self.user, self.network).select_related("state", "campaign")
        return rows.prefetch_related("do_not_call_lists")

    def batch_answer(self, pk: int, status: int = 200, **more: Any) -> Response:
        batch = self.batches().filter(pk=pk).first()
        if batch is None:
            raise NotFound("There is no such batch.", field="batch", code="unknown_batch")
        return self.answer({**BatchSerializer(batch).data, **more}, state=batch_state(batch), status=status)

    def values(self) -> dict[str, Any]:
        """The fields sent, each of its type; an unknown one is refused by name."""
        told(self.sent, KNOWN)
        given = cleaned(BatchInput, self.sent)
        for name in ("hours", "retries"):
            if name in given and not isinstance(given[name], dict):
                given[name] = {}
        return given


class BatchesView(BatchBodies):
    """The batches of a network, newest first."""

    queryset = Batch.objects.none()
    filterset_class = BatchFilter

    @extend_schema(
        operation_id="batches_list", tags=["outbound"], summary="List batches", responses=BatchSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.batches())) or []
        return self.get_paginated_response(BatchSerializer(rows, many=True).data)

    @extend_schema(
        operation_id="batches_create", tags=["outbound"], summary="Make a draft",
        description="name and ani are needed. Add people with recipients or imports, then start it.",
        parameters=[schema.IDEMPOTENCY_KEY], request=BatchInput, responses={201: BatchSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, **path: Any) -> Response:
        made = actions.batch_create(by=self.user, network=self.network, **self.values())
        return self.batch_answer(made.pk, 201)


class BatchView(BatchBodies):
    """One batch."""

    @extend_schema(
        operation_id="batches_get", tags=["outbound"], summary="Get a batch", parameters=[schema.IF_NONE_MATCH],
        responses={200: BatchSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, batch: int, **path: Any) -> Response:
        return self.batch_answer(self.batch(batch).pk)

    @extend_schema(
        operation_id="batches_patch", tags=["outbound"], summary="Change a batch",
        description="A draft or scheduled one entirely; later pace, hours, expiry, retries and the like.",
        parameters=[schema.IF_MATCH], request=BatchInput, responses=BatchSerializer,
    )  # fmt: skip
    def patch(self, request: Request, batch: int, **path: Any) -> Response:
        found, values = self.batch(batch), self.values()
        access.require(self.user, "change", found)
        with locked(found) as now:
            etags.check_match(request._request, batch_state(now))
            actions.batch_update(by=self.user, batch=now, **values)
        return self.batch_answer(found.pk)

    @extend_schema(
        operation_id="batches_delete", tags=["outbound"], summary="Delete a draft", responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, batch: int, **path: Any) -> Response:
        actions.batch_delete(by=self.user, batch=self.batch(batch))
        return Response(status=204)


class PreviewView(OutboundView):
    """Before the start."""

    @extend_schema(
        operation_id="batches_preview", tags=["outbound"], summary="Foresee a batch",
        description="How many will be called, who will not and why, in which zones, first and last likely call.",
        responses=PreviewSerializer,
    )  # fmt: skip
    def get(self, request: Request, batch: int, **path: Any) -> Response:
        return Response(PreviewSerializer(batch_preview(batch=self.batch(batch))).data)


class StartView(BatchBodies):
    @extend_schema(
        operation_id="batches_start", tags=["outbound"], summary="Start a draft",
        description="Checks people, ani, windows and that both addresses answer 200. A start near the full hour is warned of.",
        parameters=[schema.IDEMPOTENCY_KEY], request=None, responses=StartedSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        started = actions.batch_start(by=self.user, batch=self.batch(batch))
        return self.batch_answer(started.batch.pk, warnings=started.warnings, alternatives=started.alternatives)


class UnscheduleView(BatchBodies):
    @extend_schema(
        operation_id="batches_unschedule", tags=["outbound"], summary="Make a scheduled batch a draft again",
        parameters=[schema.IDEMPOTENCY_KEY], request=None, responses=BatchSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        return self.batch_answer(actions.batch_unschedule(by=self.user, batch=self.batch(batch)).pk)


class ResumeView(BatchBodies):
    @extend_schema(
        operation_id="batches_resume", tags=["outbound"], summary="Resume a paused batch",
        parameters=[schema.IDEMPOTENCY_KEY], request=None, responses=BatchSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        return self.batch_answer(actions.batch_resume(by=self.user, batch=self.batch(batch)).pk)


class _HaltView(BatchBodies):
    halt: Any

    def halted(self, request: Request, batch: int) -> Any:
        given = cleaned(HaltInput, self.sent)

        def run() -> Response:
            done = type(self).halt(by=self.user, batch=self.batch(batch), reason=given["reason"])
            told = {name: getattr(done, name) for name in ("never_started", "live", "taking_back", "quiet")}
            return self.batch_answer(done.batch.pk, **told)

        return committing(self, request, run)


class PauseView(_HaltView):
    halt = staticmethod(actions.batch_pause)

    @extend_schema(
        operation_id="batches_pause", tags=["outbound"], summary="Pause a batch",
        description="From the moment of the answer nothing is dialed until it is resumed; live calls go on.",
        parameters=[schema.IDEMPOTENCY_KEY], request=HaltInput, responses=HaltedSerializer,
    )  # fmt: skip
    def post(self, request: Request, batch: int, **path: Any) -> Any:
        """Needs the permission `operate`."""
        return self.halted(request, batch)


class StopView(_HaltView):
    halt = staticmethod(actions.batch_stop)

    @extend_schema(
        operation_id="batches_stop", tags=["outbound"], summary="Stop a batch for good",
        description="From the moment of the answer nothing is dialed. Says how many will never start and how many are live.",
        parameters=[schema.IDEMPOTENCY_KEY], request=HaltInput, responses=HaltedSerializer,
    )  # fmt: skip
    def post(self, request: Request, batch: int, **path: Any) -> Any:
        """Needs the permission `operate`."""
        return self.halted(request, batch)


class HangUpView(OutboundView):
    @extend_schema(
        operation_id="batches_hang_up", tags=["outbound"], summary="Hang up the live calls of a batch",
        parameters=[schema.IDEMPOTENCY_KEY], request=None, responses={202: HungUpSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, batch: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        return Response({"asked": actions.batch_hang_up(by=self.user, batch=self.batch(batch))}, status=202)


MOVE_VIEWS: dict[str, type[OutboundView]] = {
    "start": StartView, "unschedule": UnscheduleView, "pause": PauseView, "resume": ResumeView, "stop": StopView,
    "hang_up": HangUpView,
}  # fmt: skip
