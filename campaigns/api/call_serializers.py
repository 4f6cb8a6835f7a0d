"""Calls as the API reads and writes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.choices import REPORTED_CAUSES, EndReason, LegKind, Outcome
from campaigns.models import Call, CallLeg

from .input import Text
from .traces import decision_body


class ReasonSerializer(serializers.Serializer):
    """Why a destination was chosen or passed over."""

    code = serializers.CharField()
    text = serializers.CharField()


class TracedDestinationSerializer(serializers.Serializer):
    """One destination as the decision saw it."""

    id = serializers.IntegerField()
    id_from_network = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    priority = serializers.IntegerField()
    weight = serializers.IntegerField()
    verdict = serializers.ChoiceField(["chosen", "available", "passed"])
    reasons = ReasonSerializer(many=True)
    live = serializers.IntegerField(help_text="Live calls before this one.")
    concurrent_call_cap = serializers.IntegerField(allow_null=True)
    free_slots = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField(allow_null=True, help_text="Simulate: its chance to be the next, in percent.")


class TracedOverflowSerializer(serializers.Serializer):
    """The else branch, where it was needed."""

    id = serializers.IntegerField()
    id_from_network = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    verdict = serializers.ChoiceField(["chosen", "available", "passed"])
    reasons = ReasonSerializer(many=True)


class DecisionSerializer(serializers.Serializer):
    """A decision with the reason of each destination."""

    outcome = serializers.ChoiceField(Outcome.choices)
    summary = serializers.CharField(help_text="One sentence.")
    refusal = serializers.CharField(allow_null=True)
    chosen = serializers.CharField(allow_null=True, help_text="id_from_network of the campaign chosen.")
    repeat = serializers.CharField(allow_null=True, help_text="Where a repeat caller was connected before.")
    destinations = TracedDestinationSerializer(many=True)
    overflow = TracedOverflowSerializer(allow_null=True)


class RouteSerializer(serializers.Serializer):
    """A call to route: name the promo number called, or the bundle."""

    promo_number = serializers.CharField(required=False, allow_null=True, max_length=64, help_text="E.164 or national.")
    bundle = serializers.CharField(required=False, allow_null=True, max_length=100, help_text="Its id_from_network.")
    caller = serializers.CharField(allow_null=True, max_length=64, help_text="null or “anonymous” when withheld.")
    external_id = serializers.CharField(
        required=False, allow_null=True, max_length=100, help_text="Your own id of the call."
    )
    trace = serializers.BooleanField(required=False, help_text="Answer with the reason of each destination.")


class RoutedDestinationSerializer(serializers.Serializer):
    """Where to send the call."""

    id = serializers.IntegerField()
    id_from_network = serializers.CharField()
    name = serializers.CharField()
    destination_phone_number = serializers.CharField(allow_blank=True)


class DecidedSerializer(serializers.Serializer):
    """What was decided for a call."""

    call = serializers.CharField(help_text="Its transaction id; events go to calls/<call>/events.json.")
    outcome = serializers.ChoiceField(Outcome.choices)
    destination = RoutedDestinationSerializer(allow_null=True)
    refusal = serializers.CharField(allow_null=True, help_text="Why nobody takes it: capped, closed, out_of_region, …")
    over_cap = serializers.BooleanField(help_text="A repeat caller, sent over the concurrent call cap.")
    lease_expires_at = serializers.DateTimeField(allow_null=True, help_text="Report an event before then.")
    trace = DecisionSerializer(required=False)


class EventSerializer(serializers.Serializer):
    """One event of a call."""

    event = serializers.ChoiceField(["ringing", "answered", "heartbeat", "ended"])
    at = serializers.DateTimeField(required=False, allow_null=True, help_text="By your clock; now if left out.")
    cause = serializers.ChoiceField(
        [(cause.value, cause.label) for cause in REPORTED_CAUSES],
        required=False,
        allow_null=True,
        help_text="Of an end.",
    )
    detail = serializers.CharField(
        required=False, allow_null=True, max_length=250, help_text="Your switch's raw cause."
    )


class EventAnswerSerializer(serializers.Serializer):
    """What became of the event."""

    call = serializers.CharField()
    event = serializers.CharField()
    result = serializers.ChoiceField(["applied", "unchanged"])
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField(allow_null=True)
    lease_expires_at = serializers.DateTimeField(allow_null=True)


class ReleaseSerializer(serializers.Serializer):
    """Why a slot is released by hand."""

    reason = Text(max_length=250, help_text="Kept with the call and in the audit trail.")


class NamedSerializer(serializers.Serializer):
    """A campaign by its ids and name."""

    id = serializers.IntegerField()
    id_from_network = serializers.CharField()
    name = serializers.CharField()


class LegSerializer(serializers.Serializer):
    """One destination that a call reached; while live it is the slot."""

    id = serializers.IntegerField()
    destination = NamedSerializer()
    kind = serializers.ChoiceField(LegKind.choices)
    holds_slot = serializers.BooleanField()
    over_cap = serializers.BooleanField()
    selected_at = serializers.DateTimeField()
    ringing_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    lease_expires_at = serializers.SerializerMethodField()
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.SerializerMethodField()
    end_detail = serializers.CharField(allow_blank=True)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_lease_expires_at(self, leg: CallLeg) -> Any:
        return None if leg.ended_at else serializers.DateTimeField().to_representation(leg.expires_at)

    @extend_schema_field(serializers.ChoiceField(EndReason.choices, allow_null=True))
    def get_end_reason(self, leg: CallLeg) -> str | None:
        return leg.end_reason or None


class CallListSerializer(serializers.Serializer):
    """A call in a list."""

    call = serializers.CharField(source="transaction_id")
    campaign = serializers.SerializerMethodField(help_text="null where you may see a destination of the call only.")
    promo_number = serializers.SerializerMethodField()
    caller = serializers.CharField(allow_null=True)
    external_id = serializers.SerializerMethodField()
    started_at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(Outcome.choices)
    refusal = serializers.SerializerMethodField()
    legs = LegSerializer(many=True)

    def is_whole(self, call: Call) -> bool:
        return call.pk in self.context["whole"]

    @extend_schema_field(NamedSerializer(allow_null=True))
    def get_campaign(self, call: Call) -> dict[str, Any] | None:
        return NamedSerializer(call.campaign).data if self.is_whole(call) else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_promo_number(self, call: Call) -> str | None:
        return call.promo_number or None if self.is_whole(call) else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_external_id(self, call: Call) -> str | None:
        return call.external_id if self.is_whole(call) else None

    @extend_schema_field(serializers.ChoiceField(EndReason.choices, allow_null=True))
    def get_refusal(self, call: Call) -> str | None:
        return call.refusal or None


class CallDetailSerializer(CallListSerializer):
    """A call with the trace of its decision."""

    trace = serializers.SerializerMethodField()

    @extend_schema_field(DecisionSerializer(allow_null=True))
    def get_trace(self, call: Call) -> dict[str, Any] | None:
        return decision_body(self.context["decision"]) if self.context["decision"] else None


class CallInProgressSerializer(serializers.Serializer):
    """A call in progress, in the Network Integration API's own names."""

    transaction_id = serializers.CharField()
    call_record_id = serializers.CharField()
    call_status = serializers.ChoiceField(["connecting", "ringing", "connected"])
    start_time = serializers.DateTimeField()
    bridge_start_time = serializers.DateTimeField(allow_null=True)
    called_phone_number = serializers.CharField(allow_null=True)
    destination_phone_number = serializers.CharField(allow_blank=True)
    calling_phone_number = serializers.CharField(allow_null=True)
    advertiser_campaign_id = serializers.IntegerField()
    advertiser_campaign_id_from_network = serializers.CharField()
    qualified_regions = serializers.ListField(child=serializers.CharField())
    repeat_calling_phone_number = serializers.BooleanField()
    custom_data = serializers.DictField()
