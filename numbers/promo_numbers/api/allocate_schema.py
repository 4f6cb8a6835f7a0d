"""What the schema says of `allocate_number.json` and `bulk.json`; the views themselves are in `allocate`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.views import ApiView

_KEY = OpenApiParameter("ring_pool_key", str, required=True, description="The pool's api_key; it may stand in a page.")
_VISITOR = OpenApiParameter(
    "visitor", str,
    description="Who he is. Without it all parameters together are; any further one says something of the visit.",
)  # fmt: skip
_TEXT = "From any origin, without a token. One visitor has one number for the pool's lifetime after his last request."


class AllocatedSerializer(serializers.Serializer):
    """A visitor's number. Network Integration versions have the first three fields alone."""

    promo_number = serializers.CharField(allow_null=True, help_text="null: leave the number that stands on the page.")
    promo_number_formatted = serializers.CharField(allow_null=True)
    tracking_url = serializers.CharField(allow_null=True, help_text="The number as a link: tel:+18055550123.")
    assignment = serializers.ChoiceField(
        ["visitor", "overflow", "destination"],
        help_text="His own; the overflow number (tracked, not attributed); the destination number (not tracked).",
    )
    expires_at = serializers.DateTimeField(allow_null=True)


class AllocateInput(serializers.Serializer):
    """The parameters as JSON; any further text says something of the visit."""

    ring_pool_key = serializers.CharField()
    visitor = serializers.CharField(required=False)


@extend_schema_field({"type": ["string", "integer", "null"]})
class Echo(serializers.JSONField):
    """What the caller names his request by; it comes back as it was sent."""


class BulkOneInput(serializers.Serializer):
    """One request of a bulk."""

    api_suffix = serializers.CharField(help_text="ring_pools/<id>/allocate_number.json?ring_pool_key=…&…")
    request_id = Echo(required=False)


class BulkInput(serializers.Serializer):
    """1 to 20 requests."""

    requests = BulkOneInput(many=True)


class BulkOneSerializer(serializers.Serializer):
    """One answer of a bulk, with the status that it would have had alone."""

    request_id = Echo(allow_null=True)
    status = serializers.IntegerField()
    response = serializers.DictField(help_text="As allocate_number.json answers, or an error.")


class BulkSerializer(serializers.Serializer):
    """The answers, in the order of the requests."""

    responses = BulkOneSerializer(many=True)


class _Open(ApiView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class AllocateDescribed(_Open):
    @extend_schema(
        operation_id="allocate_number", tags=["ring_pools"], summary="Give a visitor his number", description=_TEXT,
        parameters=[_KEY, _VISITOR], responses=AllocatedSerializer, auth=[],
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        raise NotImplementedError

    @extend_schema(
        operation_id="allocate_number_post", tags=["ring_pools"], summary="Give a visitor his number", description=_TEXT,
        request=AllocateInput, responses=AllocatedSerializer, auth=[],
    )  # fmt: skip
    def post(self, request: Request, **path: Any) -> Response:
        raise NotImplementedError


class BulkDescribed(_Open):
    @extend_schema(
        operation_id="bulk_get", tags=["ring_pools"], summary="Numbers of several pools or visitors",
        parameters=[OpenApiParameter("requests", str, required=True, description="The list as JSON.")],
        responses=BulkSerializer, auth=[],
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        raise NotImplementedError

    @extend_schema(
        operation_id="bulk_post", tags=["ring_pools"], summary="Numbers of several pools or visitors", request=BulkInput,
        responses=BulkSerializer, auth=[],
    )  # fmt: skip
    def post(self, request: Request, **path: Any) -> Response:
        raise NotImplementedError
