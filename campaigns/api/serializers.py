"""Advertisers, campaigns and bundles as the API reads and writes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.choices import CampaignStatus, CampaignType, Distribution, RegionType
from campaigns.models import Advertiser, Campaign

from .call_serializers import NamedSerializer, ReasonSerializer
from .caps import BudgetActivitiesSerializer, caps_body
from .input import Flag, Text, Whole


class WithExtra(serializers.Serializer):
    """Gives back the fields that were kept without being used; one of ours wins over them."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {**instance.extra, **super().to_representation(instance)}


class AdvertiserSerializer(WithExtra):
    """A client of the network. Fields that Headroom does not know are kept and given back."""

    id = serializers.IntegerField()
    id_from_network = serializers.CharField()
    name = serializers.CharField()
    object_url = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_object_url(self, advertiser: Advertiser) -> str:
        return self.context["links"].advertiser(advertiser)


class AdvertiserInput(serializers.Serializer):
    """An advertiser to write. Any further field is kept and given back."""

    name = Text(max_length=200, required=False)
    id_from_network = Text(max_length=100, required=False, allow_null=True, number_too=True)


class RegionSerializer(serializers.Serializer):
    """One region."""

    region_type = serializers.ChoiceField(RegionType.choices)
    value = serializers.CharField(help_text="Such as CO, “Denver, CO”, Pacific, US, or 805, 720-555.")
    text = serializers.CharField(required=False)


class NamedRegionSerializer(serializers.Serializer):
    """Regions under one name."""

    name = serializers.CharField()
    regions = RegionSerializer(many=True)


class PolicySerializer(serializers.Serializer):
    """An amount of money, and when it is due."""

    type = serializers.ChoiceField(
        ["Base", "Bonus"], help_text="The first Base that holds, plus every Bonus that does."
    )
    currency = serializers.CharField(required=False, help_text="The campaign's.")
    amount = serializers.FloatField()
    condition = serializers.CharField(
        allow_null=True, required=False, help_text="Such as duration >= 90 and not repeat; null = always."
    )


class PoliciesSerializer(serializers.Serializer):
    """What is received or paid per call; one Base without a condition at most."""

    policies = PolicySerializer(many=True)
    min = serializers.FloatField(read_only=True)
    max = serializers.FloatField(read_only=True)
    range = serializers.CharField(read_only=True)
    pricing = serializers.CharField(read_only=True, help_text="In words.")


class CampaignSerializer(WithExtra):
    """A campaign with its terms. Fields that Headroom does not know are kept and given back."""

    id = serializers.IntegerField()
    id_from_network = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(CampaignStatus.choices)
    object_url = serializers.SerializerMethodField()
    advertiser = NamedSerializer()
    campaign_type = serializers.ChoiceField(CampaignType.choices)
    description = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)
    timezone = serializers.CharField(source="time_zone", help_text="IANA name.")
    operating_24_7 = serializers.BooleanField()
    hours = serializers.DictField(
        child=serializers.IntegerField(), help_text="monday_open, monday_closed, …: seconds past local midnight."
    )
    named_regions = NamedRegionSerializer(many=True)
    destination_phone_number = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    payin = serializers.FloatField(help_text="Received per connected call.")
    payout = serializers.FloatField(help_text="Paid per connected call.")
    distribution = serializers.ChoiceField(Distribution.choices, allow_null=True, help_text="Of a bundle.")
    overflow = serializers.SerializerMethodField(help_text="Of a bundle: its else branch.")
    repeat_caller = serializers.BooleanField(allow_null=True, help_text="Of a bundle.")
    repeat_window_days = serializers.IntegerField(allow_null=True, help_text="Of a bundle.")
    advertiser_payin = PoliciesSerializer(read_only=True)
    affiliate_payout = PoliciesSerializer(read_only=True)
    ivr_tree = serializers.JSONField(read_only=True, help_text="The call treatment: {record_calls, root}.")
    pause_date = serializers.DateField(allow_null=True)
    expiration_date = serializers.DateField(allow_null=True, read_only=True, help_text="The same as pause_date.")
    has_draft = serializers.BooleanField(read_only=True, help_text="Whether going live will change terms.")
    draft = serializers.DictField(
        read_only=True, allow_null=True, help_text="The fields that going live will change; null = none."
    )
    budget_activities = serializers.SerializerMethodField()
    live = serializers.SerializerMethodField(help_text="Live calls that came through a bundle; null on a bundle.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_object_url(self, campaign: Campaign) -> str:
        return self.context["links"].campaign(campaign)

    @extend_schema_field(NamedSerializer(allow_null=True))
    def get_overflow(self, campaign: Campaign) -> dict[str, Any] | None:
        return NamedSerializer(campaign.overflow).data if campaign.overflow else None

    @extend_schema_field(BudgetActivitiesSerializer)
    def get_budget_activities(self, campaign: Campaign) -> dict[str, Any]:
        return caps_body(campaign)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_live(self, campaign: Campaign) -> int | None:
        state = getattr(campaign, "state", None)
        return state.live if state else None


class WarningSerializer(serializers.Serializer):
    """What was accepted, but may surprise."""

    code = serializers.CharField()
    field = serializers.CharField()
    detail = serializers.CharField()


class CampaignWrittenSerializer(CampaignSerializer):
    """A campaign just written."""

    warnings = WarningSerializer(many=True)


class CampaignInput(serializers.Serializer):
    """A campaign to write; what is left out keeps its value. Any further field is kept and given back."""

    name = Text(max_length=200, required=False)
    id_from_network = Text(max_length=100, required=False, allow_null=True, number_too=True)
    campaign_type = Text(required=False, max_length=40, help_text="Fixed once created.")
    description = Text(required=False, allow_blank=True, allow_null=True, max_length=20_000)
    url = serializers.URLField(required=False, allow_blank=True, allow_null=True, max_length=200)
    timezone = Text(
        required=False, max_length=100, help_text="IANA, or a Rails name such as Pacific Time (US & Canada)."
    )
    operating_24_7 = Flag(required=False)
    hours = serializers.DictField(
        child=Whole(allow_null=True), required=False, allow_null=True,
        help_text="monday_open, monday_closed, …: seconds past local midnight; overnight counts on past 86400.",
    )  # fmt: skip
    named_regions = NamedRegionSerializer(many=True, required=False, allow_null=True)
    destination_phone_number = Text(required=False, allow_blank=True, allow_null=True, max_length=64)
    currency = Text(required=False, max_length=3)
    payin = serializers.DecimalField(10, 4, required=False, min_value=0)
    payout = serializers.DecimalField(10, 4, required=False, min_value=0)
    distribution = Text(required=False, allow_null=True, max_length=20)
    overflow = Text(
        required=False, allow_null=True, max_length=100, number_too=True, help_text="id_from_network, or null."
    )
    repeat_caller = Flag(required=False, allow_null=True)
    repeat_window_days = Whole(required=False, allow_null=True, min_value=1, max_value=365)
    advertiser_payin = PoliciesSerializer(required=False, allow_null=True)
    affiliate_payout = PoliciesSerializer(required=False, allow_null=True)
    ivr_tree = serializers.JSONField(
        required=False, allow_null=True, help_text="The call treatment: {record_calls, root}."
    )
    pause_date = serializers.DateField(required=False, allow_null=True, help_text="Paused when this day begins.")
    budget_activities = BudgetActivitiesSerializer(required=False, allow_null=True)


class BundleInput(CampaignInput):
    """A bundle to write."""

    advertiser = Text(
        required=False, max_length=100, number_too=True, help_text="id_from_network; of a new bundle only."
    )


class DestinationSerializer(serializers.Serializer):
    """A destination of a bundle, as routing sees it now."""

    id = serializers.IntegerField(source="destination.id")
    id_from_network = serializers.CharField(source="destination.id_from_network")
    name = serializers.CharField(source="destination.name")
    status = serializers.ChoiceField(CampaignStatus.choices, source="destination.status")
    destination_phone_number = serializers.CharField(source="destination.destination_phone_number", allow_blank=True)
    priority = serializers.IntegerField()
    weight = serializers.IntegerField()
    concurrent_call_cap = serializers.IntegerField(source="slots.cap", allow_null=True, help_text="null = no cap.")
    live = serializers.IntegerField(source="slots.live")
    free_slots = serializers.IntegerField(source="slots.free", allow_null=True)
    state = serializers.SerializerMethodField(help_text="A caller's region is left out: it differs from call to call.")
    reasons = ReasonSerializer(many=True, help_text="What speaks against it now; empty when available.")
    regions = serializers.CharField(source="where")
    share = serializers.FloatField(allow_null=True, help_text="Of the bundle's last calls, in percent.")

    @extend_schema_field(serializers.ChoiceField(["available", "unavailable"]))
    def get_state(self, row: Any) -> str:
        return "available" if row.is_open else "unavailable"


class DestinationsSerializer(serializers.Serializer):
    """The destinations of a bundle, in order of priority."""

    results = DestinationSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class DestinationInput(serializers.Serializer):
    """A destination's place in a bundle."""

    id_from_network = Text(required=False, max_length=100, number_too=True, help_text="Of the destination campaign.")
    priority = Whole(required=False, min_value=1, max_value=1000, help_text="1 comes first.")
    weight = Whole(required=False, min_value=0, max_value=10000, help_text="Share among equals; 0 = no calls.")


class SimulateSerializer(serializers.Serializer):
    """A call to imagine."""

    caller = Text(required=False, allow_null=True, allow_blank=True, max_length=64, help_text="null when withheld.")
    at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Within a year from now; now if left out."
    )


class MoveSerializer(serializers.Serializer):
    """Why the status changes."""

    reason = Text(required=False, allow_blank=True, max_length=1000, help_text="Kept in the audit trail.")
    timeout = Whole(
        required=False, min_value=2, max_value=60,
        help_text="Seconds that a Network Integration client would wait; going live is done with the answer.",
    )  # fmt: skip
