"""Advertisers."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import actions
from campaigns.models import Advertiser
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.errors import NotFound

from .resources import ResourceView
from .serializers import AdvertiserInput, AdvertiserSerializer
from .writes import UPDATE, UPSERT, Mode, advertiser_write


class _Writes(ResourceView):
    def write(self, request: Request, mode: Mode, path_id: str | None = None) -> Response:
        return self.written(
            advertiser_write(
                request=request._request,
                by=self.user,
                network=self.network,
                path_id=path_id,
                data=self.sent,
                mode=mode,
            )
        )


class AdvertisersView(_Writes):
    """The network's advertisers, newest first."""

    queryset = Advertiser.objects.none()

    @extend_schema(
        operation_id="advertisers_list", tags=["advertisers"], summary="List advertisers",
        responses=AdvertiserSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = self.paginate_queryset(self.advertisers()) or []
        return self.get_paginated_response(self.advertiser_bodies(rows))

    @extend_schema(
        operation_id="advertisers_create", tags=["advertisers"], summary="Create an advertiser",
        parameters=[schema.IDEMPOTENCY_KEY], request=AdvertiserInput, responses={201: AdvertiserSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, **path: Any) -> Response:
        return self.write(request, self.post_mode(request))


class AdvertiserView(_Writes):
    """One advertiser."""

    @extend_schema(
        operation_id="advertisers_get", tags=["advertisers"], summary="Get an advertiser",
        parameters=[schema.IF_NONE_MATCH], responses={200: AdvertiserSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, **path: Any) -> Response:
        found = self.advertisers().filter(id_from_network=advertiser).first()
        if found is None:
            raise NotFound("There is no such advertiser.", field="advertiser")
        return self.advertiser_answer(found)

    @extend_schema(
        operation_id="advertisers_put", tags=["advertisers"], summary="Create or change an advertiser",
        parameters=[schema.IF_MATCH], request=AdvertiserInput,
        responses={200: AdvertiserSerializer, 201: AdvertiserSerializer},
    )  # fmt: skip
    def put(self, request: Request, advertiser: str, **path: Any) -> Response:
        return self.write(request, UPSERT, advertiser)

    @extend_schema(
        operation_id="advertisers_patch", tags=["advertisers"], summary="Change an advertiser",
        parameters=[schema.IF_MATCH], request=AdvertiserInput, responses=AdvertiserSerializer,
    )  # fmt: skip
    def patch(self, request: Request, advertiser: str, **path: Any) -> Response:
        return self.write(request, UPDATE, advertiser)

    @extend_schema(
        operation_id="advertisers_delete", tags=["advertisers"], summary="Delete an advertiser",
        description="Refused (409 has_campaigns) while it has campaigns. Of what is missing it is a no-op.",
        responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, advertiser: str, **path: Any) -> Response:
        found = self.advertisers().filter(id_from_network=advertiser).first()
        if found is not None:
            actions.advertiser_delete(by=self.user, advertiser=found)
        return Response(status=204)


class OldAdvertiserView(AdvertiserView):
    """The same with POST as an upsert: the Network Integration versions."""

    @extend_schema(exclude=True)
    @idempotent
    def post(self, request: Request, advertiser: str, **path: Any) -> Response:
        return self.write(request, UPSERT, advertiser)
