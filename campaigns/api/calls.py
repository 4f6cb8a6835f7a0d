"""Calls: routing one, its events, the list, one call with legs and trace, manual release, and those in progress."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import actions
from campaigns.models import Call, CallLeg
from campaigns.queries import decision_of
from campaigns.queries.calls import calls_seen, campaigns_seen, legs_seen, sees_all
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.api import schema
from portal.api.fast import with_fast_post
from portal.api.idempotency import idempotent
from portal.api.views import ApiView
from portal.errors import Conflict, NotFound

from . import hot
from .call_serializers import (
    CallDetailSerializer,
    CallInProgressSerializer,
    CallListSerializer,
    DecidedSerializer,
    EventAnswerSerializer,
    EventSerializer,
    LegSerializer,
    ReleaseSerializer,
    RouteSerializer,
)
from .filters import CallFilter
from .in_progress import live_legs, rows_in_progress
from .input import cleaned


def visible_calls(user: User, network: Network) -> QuerySet[Call]:
    """The calls that `user` may see, by the campaign called or by a destination, each with the legs that he may see."""
    legs = CallLeg.objects.filter(legs_seen(user, network)).select_related("destination").order_by("id")
    rows = Call.objects.filter(calls_seen(user, network)).select_related("campaign")
    return rows.prefetch_related(Prefetch("legs", legs))


def whole_calls(user: User, network: Network, calls: list[Call]) -> set[int]:
    """Ids of those calls whose called campaign `user` may see: of the others he sees his leg only."""
    if sees_all(user, network):
        return {call.pk for call in calls}
    called = {call.campaign_id for call in calls}
    seen = set(campaigns_seen(user, network).filter(pk__in=called).values_list("pk", flat=True))
    return {call.pk for call in calls if call.campaign_id in seen}


class CallsView(ApiView):
    """The calls of a network, newest first; a POST routes a new one."""

    current_only = True
    serializer_class = CallListSerializer
    filterset_class = CallFilter
    queryset = Call.objects.none()

    def get_queryset(self) -> QuerySet[Call]:
        if getattr(self, "swagger_fake_view", False):
            return Call.objects.none()
        return visible_calls(self.user, self.network)

    @extend_schema(
        operation_id="calls_list", tags=["calls"], summary="List calls", responses=CallListSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        whole = whole_calls(self.user, self.network, rows)
        return self.get_paginated_response(CallListSerializer(rows, many=True, context={"whole": whole}).data)

    @extend_schema(
        operation_id="calls_route",
        tags=["calls"],
        summary="Route a call",
        description="Decides which destination takes the call and takes its slot. A refused call is answered 201 too: it is "
        "a decision. The same external_id again answers 200 with what was decided the first time.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=RouteSerializer,
        responses={201: DecidedSerializer, 200: DecidedSerializer},
    )
    def post(self, request: Request, **path: Any) -> Any:
        return hot.route_call(request._request, **path)


class CallView(ApiView):
    """One call with its legs and the trace of its decision."""

    current_only = True

    @extend_schema(
        operation_id="calls_get", tags=["calls"], summary="Get a call", responses=CallDetailSerializer,
    )  # fmt: skip
    def get(self, request: Request, call: str, **path: Any) -> Response:
        found = visible_calls(self.user, self.network).filter(pk=hot.call_pk(call)).first()
        if found is None:
            raise NotFound("There is no such call in this network.", field="call", code="unknown_call")
        whole = whole_calls(self.user, self.network, [found])
        legs = list(found.legs.all())
        decision = decision_of(found, legs[0] if legs else None) if found.pk in whole else None
        return Response(CallDetailSerializer(found, context={"whole": whole, "decision": decision}).data)


class CallEventsView(ApiView):
    """What becomes of a call."""

    current_only = True

    @extend_schema(
        operation_id="calls_event",
        tags=["calls"],
        summary="Report an event of a call",
        description="ringing, answered, heartbeat, ended. Safe to repeat and in any order. A sign of life for a call that the "
        "portal has ended is 409 call_finished: it holds no slot any more.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=EventSerializer,
        responses={200: EventAnswerSerializer},
    )
    def post(self, request: Request, **path: Any) -> Any:
        return hot.call_event(request._request, **path)


class CallReleaseView(ApiView):
    """Giving a slot back by hand."""

    current_only = True

    @extend_schema(
        operation_id="calls_release",
        tags=["calls"],
        summary="Release a call's slot by hand",
        description="For a call whose hang-up was lost. Needs the permission `operate` on the destination; kept with its reason.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=ReleaseSerializer,
        responses={200: LegSerializer},
    )
    @idempotent
    def post(self, request: Request, call: str, **path: Any) -> Response:
        given = cleaned(ReleaseSerializer, request.data)
        legs = access.restrict(
            CallLeg.objects.filter(call_id=hot.call_pk(call), call__network=self.network), self.user
        )  # fmt: skip
        leg = legs.order_by("-id").first()
        if leg is None:
            raise NotFound("There is no such call in this network.", field="call", code="unknown_call")
        if leg.ended_at is not None:
            access.require(self.user, "operate", leg)
            raise Conflict("The call has ended; nothing was left to release.", code="call_finished")
        return Response(LegSerializer(actions.slot_release(by=self.user, leg=leg.pk, reason=given["reason"])).data)


class CallsInProgressView(ApiView):
    """Calls that a destination has now, newest first; a call disappears from the list at its end."""

    queryset = CallLeg.objects.none()

    def _answer(self, legs: QuerySet[CallLeg]) -> Response:
        rows = self.paginate_queryset(legs)
        return self.get_paginated_response(rows_in_progress(rows or [], self.user))

    @extend_schema(
        operation_id="calls_in_progress", tags=["calls"], summary="List the calls in progress",
        responses=CallInProgressSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        return self._answer(live_legs(self.user).filter(call__network=self.network))


class AllCallsInProgressView(CallsInProgressView):
    """The same over every network of the user: the address of the Network Integration API."""

    @extend_schema(
        operation_id="calls_in_progress_everywhere", tags=["calls"], summary="List the calls in progress of all networks",
        responses=CallInProgressSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        return self._answer(live_legs(self.user))


calls = with_fast_post(CallsView, hot.route_call)
call_events = with_fast_post(CallEventsView, hot.call_event)

__all__ = ["AllCallsInProgressView", "CallReleaseView", "CallView", "CallsInProgressView", "call_events", "calls"]
