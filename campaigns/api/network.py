"""The network itself, as its members read it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.accounts.models import Network
from portal.api.views import ApiView


class NetworkSerializer(serializers.ModelSerializer):
    """One network."""

    timezone = serializers.CharField(source="time_zone", help_text="IANA name.")
    object_url = serializers.SerializerMethodField()

    class Meta:
        model = Network
        fields = (
            "id", "name", "object_url", "timezone", "country", "currency", "auto_generate_ids",
            "concurrent_call_caps_enabled", "created_at",
        )  # fmt: skip

    def get_object_url(self, network: Network) -> str:
        return str(self.context["url"])


class NetworkView(ApiView):
    """The network of the address."""

    @extend_schema(operation_id="network_get", tags=["network"], summary="Get the network", responses=NetworkSerializer)
    def get(self, request: Request, **path: Any) -> Response:
        url = request.build_absolute_uri(f"/api/{request.version}/{self.network.pk}/network.json")
        return self.answer(NetworkSerializer(self.network, context={"url": url}).data)
