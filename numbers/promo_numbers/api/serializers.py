"""Promo numbers as the API reads and writes them."""

from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.api.call_serializers import NamedSerializer
from campaigns.api.input import Text
from campaigns.api.links import Links
from campaigns.callers import pretty
from promo_numbers.choices import MediaType, NumberState, OrderState, PromoType
from promo_numbers.models import PromoNumber

# How a number was wished for: kept and given back as it was sent.
WISHES = ("local_center", "local_number_preferences", "tn_prefix_whitelist", "promo_number_looks_like")


class NumberLinks(Links):
    """Addresses of promo numbers too."""

    def number(self, number: PromoNumber) -> str:
        """By its digits below its campaign; while it is being bought, or in a RingPool, by our own id."""
        if number.number and number.state != NumberState.RELEASED and number.ring_pool_id is None:
            below = self.campaign(number.campaign).removesuffix(".json")
            return f"{below}/promo_numbers/{quote(number.number)}.json"
        return f"{self.base}promo_numbers/{number.pk}.json"


class OrderSerializer(serializers.Serializer):
    """The purchase of a number."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(
        OrderState.choices, help_text="unknown: its answer never came; it is being looked up."
    )
    error = serializers.CharField(allow_blank=True)


class PromoNumberSerializer(serializers.Serializer):
    """A promo number. Fields that Headroom does not use are kept and given back."""

    id = serializers.IntegerField()
    id_from_network = serializers.CharField(allow_blank=True)
    description = serializers.CharField()
    media_type = serializers.ChoiceField(MediaType.choices)
    promo_number = serializers.SerializerMethodField(help_text="E.164; null while it is being bought.")
    promo_number_formatted = serializers.SerializerMethodField(help_text="As people of its country write it.")
    state = serializers.ChoiceField(NumberState.choices)
    promo_type = serializers.ChoiceField(PromoType.choices)
    object_url = serializers.SerializerMethodField()
    advertiser = NamedSerializer(source="campaign.advertiser")
    campaign = NamedSerializer()
    ring_pool = NamedSerializer(allow_null=True, help_text="Of a dynamic number.")
    custom_data = serializers.DictField()
    supplier = serializers.CharField()
    order = serializers.SerializerMethodField(help_text="Of a number that was bought.")
    last_called_on = serializers.DateField(allow_null=True, help_text="UTC.")
    created_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**instance.extra, **super().to_representation(instance)}

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_promo_number(self, number: PromoNumber) -> str | None:
        return number.number or None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_promo_number_formatted(self, number: PromoNumber) -> str | None:
        return pretty(number.number) if number.number else None

    def get_object_url(self, number: PromoNumber) -> str:
        return self.context["links"].number(number)

    @extend_schema_field(OrderSerializer(allow_null=True))
    def get_order(self, number: PromoNumber) -> dict[str, Any] | None:
        order = getattr(number, "order", None)
        return dict(OrderSerializer(order).data) if order is not None else None


_NOT_OLD = (
    "promo_number_formatted", "state", "advertiser", "campaign", "ring_pool", "supplier", "order", "last_called_on",
    "created_at", "released_at",
)  # fmt: skip


def old_number(body: dict[str, Any]) -> dict[str, Any]:
    """A number in the Network Integration shape."""
    answer = {name: value for name, value in body.items() if name not in _NOT_OLD}
    if body["state"] == NumberState.ORDERED:
        answer["status"] = "Being bought"
    return answer


class PromoNumberInput(serializers.Serializer):
    """A promo number to write; what is left out keeps its value. Any further field is kept and given back."""

    description = Text(max_length=200, required=False, help_text="Required for a new one.")
    media_type = Text(max_length=60, required=False, help_text="Required for a new one; one of the fixed list.")
    id_from_network = Text(max_length=100, required=False, allow_null=True, allow_blank=True, number_too=True)
    promo_number = Text(
        max_length=64, required=False, allow_null=True, allow_blank=True, number_too=True,
        help_text="A certain number, of our stock or your own; left out = any as wished. Fixed once created.",
    )  # fmt: skip
    promo_type = Text(max_length=10, required=False, help_text="Local (by default), Mobile or TollFree.")
    local_center = serializers.DictField(
        required=False, allow_null=True, help_text="Near where: {tn_prefix}, {zipcode}, or {city, state}."
    )
    local_number_preferences = serializers.DictField(
        required=False, allow_null=True, help_text="{search_radius_miles (240), restrict_search_to_state (true)}"
    )
    tn_prefix_whitelist = serializers.ListField(
        required=False, allow_null=True, max_length=200, help_text="Only numbers that begin with one of these."
    )
    promo_number_looks_like = Text(
        max_length=64, required=False, allow_null=True, allow_blank=True, number_too=True,
        help_text="A number to resemble, or digits that it has, * for any.",
    )  # fmt: skip
    custom_data = serializers.DictField(required=False, allow_null=True, help_text="{name: value}")
    destination_advertiser_id_from_network = Text(
        max_length=100, required=False, number_too=True, help_text="To move it: the other campaign's advertiser,"
    )
    destination_advertiser_campaign_id_from_network = Text(
        max_length=100, required=False, number_too=True, help_text="and the other campaign."
    )
