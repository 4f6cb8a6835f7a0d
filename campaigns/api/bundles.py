"""Bundles: settings, destinations, and Simulate."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import actions
from campaigns.callers import NotANumber, caller_read
from campaigns.models import BundleDestination, Campaign
from campaigns.queries import simulate
from campaigns.queries.summaries import bundle_rows
from portal.accounts import access
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.errors import Conflict, Invalid, NotFound

from .call_serializers import DecisionSerializer
from .filters import BundleFilter
from .input import cleaned
from .resources import ResourceView
from .serializers import (
    BundleInput,
    CampaignSerializer,
    CampaignWrittenSerializer,
    DestinationInput,
    DestinationSerializer,
    DestinationsSerializer,
    SimulateSerializer,
)
from .traces import decision_body
from .writes import CREATE, UPDATE, UPSERT, Mode, campaign_write


class _Writes(ResourceView):
    current_only = True

    def write(self, request: Request, mode: Mode, path_id: str | None = None) -> Response:
        return self.written(
            campaign_write(
                request=request._request, by=self.user, network=self.network, advertiser_id=None, path_id=path_id,
                data=self.sent, mode=mode, serializer=BundleInput, bundles_only=True,
            )
        )  # fmt: skip


class BundlesView(_Writes):
    """The network's bundles, newest first."""

    queryset = Campaign.objects.none()
    filterset_class = BundleFilter

    @extend_schema(
        operation_id="bundles_list", tags=["bundles"], summary="List bundles", responses=CampaignSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = self.campaigns().filter(campaign_type="Bundled")
        return self.get_paginated_response(
            self.campaign_bodies(self.paginate_queryset(self.filter_queryset(rows)) or [])
        )  # fmt: skip

    @extend_schema(
        operation_id="bundles_create", tags=["bundles"], summary="Create a bundle",
        parameters=[schema.IDEMPOTENCY_KEY], request=BundleInput, responses={201: CampaignWrittenSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, **path: Any) -> Response:
        return self.write(request, CREATE)


class BundleView(_Writes):
    """One bundle with its settings: distribution, overflow, repeat_caller, repeat_window_days."""

    @extend_schema(
        operation_id="bundles_get", tags=["bundles"], summary="Get a bundle",
        parameters=[schema.IF_NONE_MATCH], responses={200: CampaignSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, bundle: str, **path: Any) -> Response:
        return self.campaign_answer(self.campaign_at(bundle, bundle=True))

    @extend_schema(
        operation_id="bundles_put", tags=["bundles"], summary="Create or change a bundle",
        parameters=[schema.IF_MATCH], request=BundleInput,
        responses={200: CampaignWrittenSerializer, 201: CampaignWrittenSerializer},
    )  # fmt: skip
    def put(self, request: Request, bundle: str, **path: Any) -> Response:
        return self.write(request, UPSERT, bundle)

    @extend_schema(
        operation_id="bundles_patch", tags=["bundles"], summary="Change a bundle",
        parameters=[schema.IF_MATCH], request=BundleInput, responses=CampaignWrittenSerializer,
    )  # fmt: skip
    def patch(self, request: Request, bundle: str, **path: Any) -> Response:
        return self.write(request, UPDATE, bundle)


class _DestinationsView(ResourceView):
    current_only = True

    def bodies(self, bundle: Campaign) -> list[dict[str, Any]]:
        return list(DestinationSerializer(bundle_rows(bundle=bundle, user=self.user), many=True).data)

    def body(self, bundle: Campaign, destination: Campaign) -> dict[str, Any]:
        for row in self.bodies(bundle):
            if row["id"] == destination.pk:
                return row
        raise NotFound("This campaign does not stand in the bundle.", field="destination")

    def standing(self, bundle: Campaign, own: str) -> Campaign | None:
        """The destination of that id in the bundle; seeing the bundle is enough to see who stands in it."""
        row = (
            BundleDestination.objects.select_related("destination__advertiser")
            .filter(bundle=bundle, destination__id_from_network=own)
            .first()
        )
        return row.destination if row else None

    def add(self, bundle: Campaign, own: str | None, given: dict[str, Any]) -> Response:
        if not own:
            raise Invalid("Name the campaign: its id_from_network.", field="id_from_network", code="required")
        access.require(self.user, "change", bundle)
        destination = self.campaigns().filter(id_from_network=own).first()
        if destination is None:
            raise Invalid(
                f"There is no campaign “{own}” in this network.", field="id_from_network", code="unknown_campaign"
            )
        actions.destination_add(
            by=self.user, bundle=bundle, destination=destination, priority=given.get("priority", 1),
            weight=given.get("weight", 1),
        )  # fmt: skip
        return Response(self.body(bundle, destination), status=201)


class DestinationsView(_DestinationsView):
    """The destinations of a bundle with cap, live calls, free slots and what speaks against each now."""

    @extend_schema(
        operation_id="bundle_destinations_list", tags=["bundles"], summary="List a bundle's destinations",
        description="All of them on one page, in order of priority: they are evaluated together.",
        responses=DestinationsSerializer,
    )  # fmt: skip
    def get(self, request: Request, bundle: str, **path: Any) -> Response:
        rows = self.bodies(self.campaign_at(bundle, bundle=True))
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(
        operation_id="bundle_destinations_create", tags=["bundles"], summary="Put a campaign into a bundle",
        parameters=[schema.IDEMPOTENCY_KEY], request=DestinationInput, responses={201: DestinationSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, bundle: str, **path: Any) -> Response:
        found = self.campaign_at(bundle, bundle=True)
        given = cleaned(DestinationInput, request.data)
        return self.add(found, given.get("id_from_network"), given)


class DestinationView(_DestinationsView):
    """One destination's place in a bundle."""

    @extend_schema(
        operation_id="bundle_destinations_get", tags=["bundles"], summary="Get a destination of a bundle",
        responses=DestinationSerializer,
    )  # fmt: skip
    def get(self, request: Request, bundle: str, destination: str, **path: Any) -> Response:
        found = self.campaign_at(bundle, bundle=True)
        standing = self.standing(found, destination)
        if standing is None:
            raise NotFound("This campaign does not stand in the bundle.", field="destination")
        return Response(self.body(found, standing))

    def _write(self, request: Request, bundle: str, destination: str, *, create: bool) -> Response:
        found = self.campaign_at(bundle, bundle=True)
        given = cleaned(DestinationInput, request.data)
        if given.get("id_from_network", destination) != destination:
            raise Invalid("The address and the body name two campaigns.", field="id_from_network", code="id_mismatch")
        standing = self.standing(found, destination)
        if standing is None and create:
            try:
                return self.add(found, destination, given)
            except Conflict:
                standing = self.standing(found, destination)  # Another request put it there meanwhile.
        if standing is None:
            raise NotFound("This campaign does not stand in the bundle.", field="destination")
        actions.destination_update(
            by=self.user, bundle=found, destination=standing, priority=given.get("priority"), weight=given.get("weight")
        )
        return Response(self.body(found, standing))

    @extend_schema(
        operation_id="bundle_destinations_put", tags=["bundles"], summary="Put a campaign into a bundle, or move it",
        request=DestinationInput, responses={200: DestinationSerializer, 201: DestinationSerializer},
    )  # fmt: skip
    def put(self, request: Request, bundle: str, destination: str, **path: Any) -> Response:
        return self._write(request, bundle, destination, create=True)

    @extend_schema(
        operation_id="bundle_destinations_patch", tags=["bundles"], summary="Change a destination's place",
        request=DestinationInput, responses=DestinationSerializer,
    )  # fmt: skip
    def patch(self, request: Request, bundle: str, destination: str, **path: Any) -> Response:
        return self._write(request, bundle, destination, create=False)

    @extend_schema(
        operation_id="bundle_destinations_delete", tags=["bundles"], summary="Take a campaign out of a bundle",
        description="Its calls in progress go on. Of what is missing it is a no-op.", responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, bundle: str, destination: str, **path: Any) -> Response:
        found = self.campaign_at(bundle, bundle=True)
        standing = self.standing(found, destination)
        if standing is None:
            access.require(self.user, "change", found)
        else:
            actions.destination_remove(by=self.user, bundle=found, destination=standing)
        return Response(status=204)


class SimulateView(ResourceView):
    """What would happen to a call, without placing one."""

    current_only = True
    reads_only = True

    @extend_schema(
        operation_id="bundles_simulate", tags=["bundles"], summary="Simulate a call",
        description="The same rules as routing, with the reason of each destination. Nothing is written.",
        request=SimulateSerializer, responses={200: DecisionSerializer},
    )  # fmt: skip
    def post(self, request: Request, bundle: str, **path: Any) -> Response:
        found = self.campaign_at(bundle, bundle=True)
        given = cleaned(SimulateSerializer, request.data)
        try:
            caller = caller_read(given.get("caller"), self.network.country)
        except NotANumber as error:
            raise Invalid(
                "The caller is not a phone number; send E.164 such as +18055550123, or null when it is withheld.",
                field="caller", code="invalid_phone_number",
            ) from error  # fmt: skip
        at = given.get("at")
        if at is not None and abs(at - timezone.now()) > timedelta(days=366):
            raise Invalid("Simulate looks at most a year ahead or back.", field="at", code="out_of_range")
        return Response(decision_body(simulate(bundle=found, caller=caller, at=at)))
