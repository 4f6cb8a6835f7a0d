"""RingPools as the API reads and writes them (domain/api-shapes.md)."""

from typing import Any

from rest_framework import serializers

from campaigns.api.input import Flag, Text, Whole
from campaigns.api.serializers import WithExtra
from promo_numbers.actions.pool_fields import MAX_SIZE, MIN_LIFETIME
from promo_numbers.choices import PromoType
from promo_numbers.models import RingPool
from promo_numbers.models.pools import MAX_LIFETIME


class RingPoolSerializer(WithExtra):
    """A RingPool. Fields that Headroom does not know are kept and given back."""

    id = serializers.IntegerField(help_text="In the address of allocate_number.json.")
    id_from_network = serializers.CharField()
    name = serializers.CharField()
    object_url = serializers.SerializerMethodField()
    lifetime_seconds = serializers.IntegerField()
    max_pool_size = serializers.IntegerField()
    preferred = serializers.BooleanField()
    destination_phone_number = serializers.CharField(allow_blank=True)
    fill_immediately = serializers.BooleanField()
    allow_overflow = serializers.BooleanField()
    promo_type = serializers.ChoiceField(PromoType.choices)
    local_center = serializers.DictField()
    local_number_preferences = serializers.DictField()
    tn_prefix_whitelist = serializers.ListField(child=serializers.CharField())
    customer_phone_numbers = serializers.ListField(child=serializers.CharField())
    api_key = serializers.CharField(help_text="The ring_pool_key of allocate_number.json.")

    def get_object_url(self, pool: RingPool) -> str:
        return str(self.context["url"](pool))


class RingPoolCurrentSerializer(RingPoolSerializer):
    """A RingPool with its use now and how it grows."""

    auto_scale = serializers.BooleanField()
    growth_percent = serializers.IntegerField()
    growth_ceiling = serializers.IntegerField()
    scale_max = serializers.IntegerField(allow_null=True)
    scale_refusal = serializers.CharField(allow_blank=True, help_text="Why it could not grow by itself.")
    size = serializers.SerializerMethodField(help_text="Numbers that visitors share now.")
    in_use = serializers.SerializerMethodField(help_text="Of them, those that a visitor holds now.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def _figures(self, pool: RingPool) -> Any:
        return self.context["figures"][pool.pk]

    def get_size(self, pool: RingPool) -> int:
        return int(self._figures(pool).size)

    def get_in_use(self, pool: RingPool) -> int:
        return int(self._figures(pool).held)


class RingPoolWrittenSerializer(RingPoolCurrentSerializer):
    """A RingPool just written, with what a user should know of it."""

    remarks = serializers.ListField(child=serializers.CharField())


class RingPoolInput(serializers.Serializer):
    """A RingPool to write; what is left out keeps its value. Any further field is kept and given back."""

    name = Text(max_length=200, required=False)
    id_from_network = Text(max_length=100, required=False, allow_null=True, number_too=True)
    lifetime_seconds = Whole(required=False, min_value=MIN_LIFETIME, max_value=MAX_LIFETIME)
    max_pool_size = Whole(required=False, min_value=1, max_value=MAX_SIZE, help_text="2 if left out.")
    preferred = Flag(required=False)
    destination_phone_number = Text(required=False, allow_blank=True, allow_null=True, max_length=64, number_too=True)
    fill_immediately = Flag(required=False, help_text="false: begins with 10 %, at least one.")
    allow_overflow = Flag(required=False, help_text="Fixed once created.")
    promo_type = Text(required=False, max_length=20)
    local_center = serializers.DictField(required=False, help_text="tn_prefix, or city and state.")
    local_number_preferences = serializers.DictField(
        required=False, help_text="allocation_fallback_strategy UseTollFree or Wait; restrict_search_to_state."
    )
    tn_prefix_whitelist = serializers.ListField(
        child=Text(max_length=20, number_too=True), required=False, max_length=100
    )
    customer_phone_numbers = serializers.ListField(
        child=Text(max_length=64, number_too=True), required=False, max_length=1000
    )
    auto_scale = Flag(required=False)
    growth_percent = Whole(required=False, min_value=1, max_value=100)
    growth_ceiling = Whole(required=False, min_value=1, max_value=10_000)
    scale_max = Whole(required=False, allow_null=True, min_value=1, max_value=MAX_SIZE)
