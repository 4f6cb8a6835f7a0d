"""Batches, their people and results as the API reads and writes them."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.api.input import Flag, Text, Whole
from outbound.bodies import attempt_data
from outbound.choices import BatchStatus, DeliveryState, ImportState, RecipientState, StuckKind
from outbound.models import (
    Attempt,
    AttemptEvent,
    Batch,
    BatchImport,
    DoNotCallEntry,
    DoNotCallList,
    Recipient,
    ResultDelivery,
)
from outbound.queries.stuck import Stuck
from outbound.secrets import shown

_STATUSES = ", ".join(BatchStatus.values)
_STATES = ", ".join(RecipientState.values)


class CountsSerializer(serializers.Serializer):
    """People of a batch by state; `live` hold a line now."""

    total = serializers.IntegerField()
    live = serializers.IntegerField()
    pending = serializers.IntegerField()
    queued = serializers.IntegerField()
    dialing = serializers.IntegerField()
    connected = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    canceled = serializers.IntegerField()
    expired = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    unknown = serializers.IntegerField()
    attempts = serializers.IntegerField(help_text="Attempts ever claimed.")


class BatchSerializer(serializers.ModelSerializer):
    """A batch with its counters, exact at this moment."""

    status = serializers.CharField(help_text=f"One of {_STATUSES}.")
    carrier = serializers.IntegerField(source="carrier_id")
    campaign = serializers.CharField(
        source="campaign.id_from_network", help_text="id_from_network of the ani's campaign."
    )
    result_format = serializers.CharField(help_text="json, call_details or form.")
    catch_up = serializers.CharField(help_text="continue or pause.")
    parameters = serializers.SerializerMethodField(help_text="Values of PINs, passwords and the like are hidden.")
    calls_per_second = serializers.FloatField(allow_null=True)
    hours = serializers.DictField(child=serializers.IntegerField())
    holidays = serializers.ListField(child=serializers.DateField())
    retries = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    do_not_call_lists = serializers.SerializerMethodField()
    counts = CountsSerializer(source="state")

    class Meta:
        model = Batch
        fields = (
            "id", "name", "status", "pause_reason", "carrier", "campaign", "ani", "priority", "start_url", "result_url",
            "result_format", "result_each_attempt", "result_disabled_at", "message_reference", "parameters", "starts_at",
            "expires_at", "hours", "holidays", "catch_up", "calls_per_second", "lines", "max_attempts", "retry_interval",
            "retries", "do_not_call_lists", "created_at", "started_at", "finished_at", "counts",
        )  # fmt: skip

    def get_parameters(self, batch: Batch) -> dict[str, Any]:
        return shown(batch.parameters)

    def get_do_not_call_lists(self, batch: Batch) -> list[int]:
        return sorted(one.pk for one in batch.do_not_call_lists.all())


class Anything(serializers.Field):
    """A value of JSON as it came: the action says what is wrong with it."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class Hours(Anything):
    """{monday_open: 28800, monday_closed: 75600, ...}"""


@extend_schema_field({"type": "object", "additionalProperties": True})
class Mapping(serializers.DictField):
    """An object of JSON."""


class BatchInput(serializers.Serializer):
    """A batch to be made or changed. Once it has started, only what the pace, the hours and retries need can change."""

    name = Text(required=False)
    ani = Text(required=False, help_text="One of the network's promo numbers.")
    carrier = Whole(required=False, help_text="Default: the network's first.")
    priority = Whole(required=False, help_text="1 to 10.")
    start_url = Text(required=False, allow_blank=True)
    result_url = Text(required=False, allow_blank=True)
    result_format = Text(required=False, help_text="json, call_details or form.")
    result_each_attempt = Flag(required=False)
    message_reference = Text(required=False, allow_blank=True)
    parameters = Mapping(required=False)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    hours = Hours(required=False, help_text="Seconds past midnight on the callee's clock; a day left out is closed.")
    holidays = serializers.ListField(child=Text(), required=False, help_text="Dates such as 2026-12-25.")
    catch_up = Text(required=False, help_text="continue or pause.")
    calls_per_second = serializers.FloatField(required=False, allow_null=True)
    lines = Whole(required=False, allow_null=True)
    max_attempts = Whole(required=False)
    retry_interval = Whole(required=False, help_text="Seconds from dispatch, 60 to 172800.")
    retries = Mapping(required=False, help_text="{busy: {delay: seconds, count: times}, ...}")
    do_not_call_lists = serializers.ListField(child=Whole(), required=False)


class HaltInput(serializers.Serializer):
    reason = Text(required=False, allow_blank=True, max_length=250, default="")


class ReasonInput(serializers.Serializer):
    reason = Text(max_length=250, help_text="Why; it is kept.")


class StartedSerializer(BatchSerializer):
    """A batch that was started, with what one should know."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)
    alternatives = serializers.ListField(
        child=serializers.DateTimeField(), read_only=True, help_text="Better starts when it begins near the full hour."
    )

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "warnings", "alternatives")  # type: ignore[assignment]


class HaltedSerializer(BatchSerializer):
    """What a stop or a pause left behind at the moment of its answer."""

    never_started = serializers.IntegerField(read_only=True, help_text="Who will not be called (any more).")
    live = serializers.IntegerField(read_only=True, help_text="Calls that live; hang_up ends them.")
    taking_back = serializers.IntegerField(
        read_only=True,
        help_text="Claimed by a worker and not heard of in time: each is taken back, or is live after all. Usually 0.",
    )
    quiet = serializers.BooleanField(read_only=True, help_text="No request is on its way to a carrier any more.")

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "never_started", "live", "taking_back", "quiet")  # type: ignore[assignment]


class ResultSecretSerializer(serializers.Serializer):
    result_secret = serializers.CharField(help_text="whsec_… of Standard Webhooks; never shown again.")


class HungUpSerializer(serializers.Serializer):
    asked = serializers.IntegerField(help_text="Calls that the carrier is asked to end.")


class ZoneLineSerializer(serializers.Serializer):
    zones = serializers.ListField(child=serializers.CharField())
    count = serializers.IntegerField()
    opens = serializers.DateTimeField(allow_null=True, help_text="null: it never opens before the expiry.")
    closes = serializers.DateTimeField(allow_null=True)


class PreviewSerializer(serializers.Serializer):
    """What a batch will do when it starts now."""

    total = serializers.IntegerField()
    to_call = serializers.IntegerField()
    suppressed = serializers.DictField(child=serializers.IntegerField(), help_text="{reason: people}")
    zones = ZoneLineSerializer(many=True)
    never = serializers.IntegerField(help_text="People whose window never opens before the expiry.")
    pace = serializers.FloatField(help_text="Calls per second, first attempts.")
    first_call = serializers.DateTimeField(allow_null=True)
    last_call = serializers.DateTimeField(allow_null=True, help_text="Last first attempt; retries come after it.")
    left_at_expiry = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())
    alternatives = serializers.ListField(child=serializers.DateTimeField())


class RecipientSerializer(serializers.ModelSerializer):
    """One person of a batch, with what the last attempt said."""

    phone_number = serializers.CharField(source="number")
    ani = serializers.SerializerMethodField()
    status = serializers.CharField(source="state", help_text=f"One of {_STATES}.")
    reason = serializers.CharField(help_text="Why suppressed, canceled or expired.")
    outcome = serializers.CharField(help_text="Of the last attempt.")
    attempts = serializers.IntegerField(source="dialed")
    callee_type = serializers.CharField(allow_null=True)
    cause = serializers.CharField(allow_null=True, help_text="The carrier's own code.")
    dialed_at = serializers.DateTimeField(source="placed_at", allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True, help_text="Seconds of talk.")
    parameters = serializers.SerializerMethodField(help_text="The person's own; values of secrets are hidden.")

    class Meta:
        model = Recipient
        fields = (
            "id", "phone_number", "ani", "status", "reason", "outcome", "attempts", "due_at", "callee_type", "cause",
            "dialed_at", "ended_at", "duration", "parameters",
        )  # fmt: skip

    def get_ani(self, one: Recipient) -> str:
        return one.ani or self.context["batch"].ani

    def get_parameters(self, one: Recipient) -> dict[str, Any]:
        return shown(one.parameters)


class EventSerializer(serializers.ModelSerializer):
    """Something heard about an attempt; `heard` counts repetitions."""

    kind = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]

    class Meta:
        model = AttemptEvent
        fields = ("kind", "source", "at", "heard_at", "heard")
        ref_name = "AttemptEvent"


class AttemptSerializer(serializers.Serializer):
    """One dialing."""

    id = serializers.UUIDField()
    recipient = serializers.IntegerField()
    phone_number = serializers.CharField()
    attempt = serializers.IntegerField()
    status = serializers.CharField()
    outcome = serializers.CharField()
    cause = serializers.CharField()
    callee_type = serializers.CharField()
    carrier_call_id = serializers.CharField()
    queued_at = serializers.DateTimeField()
    dialed_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    duration = serializers.IntegerField(allow_null=True)

    def to_representation(self, one: Attempt) -> dict[str, Any]:
        data = attempt_data(one)
        return {"id": data.pop("id"), "recipient": one.recipient_id, "phone_number": one.recipient.number, **data}


class AttemptWithEventsSerializer(AttemptSerializer):
    events = EventSerializer(many=True)


class StuckCallSerializer(serializers.Serializer):
    """A call of which too little is known, with the evidence."""

    id = serializers.UUIDField(help_text="Of the attempt.")
    kind = serializers.CharField(help_text=f"One of {', '.join(StuckKind.values)}.")
    known = serializers.CharField(help_text="The same for people.")
    can = serializers.ListField(
        child=serializers.ChoiceField(choices=["redial", "cancel", "hang_up"]),
        help_text="What the caller may do: redial.json; cancel.json; cancel.json, which hangs up.",
    )
    batch = serializers.IntegerField()
    batch_name = serializers.CharField()
    recipient = serializers.IntegerField()
    phone_number = serializers.CharField()
    attempt = serializers.IntegerField()
    status = serializers.CharField()
    carrier = serializers.IntegerField()
    carrier_call_id = serializers.CharField()
    queued_at = serializers.DateTimeField()
    dialed_at = serializers.DateTimeField(allow_null=True)
    asked = serializers.IntegerField(help_text="How often the carrier had no record of it.")
    ask_at = serializers.DateTimeField(allow_null=True, help_text="When the carrier is asked next; null: not any more.")
    events = EventSerializer(many=True)

    def to_representation(self, one: Stuck) -> dict[str, Any]:
        call = one.attempt
        return {
            "id": str(call.pk), "kind": one.kind, "known": one.words,
            "can": list(one.can) if call.batch_id in self.context["operable"] else [],
            "batch": call.batch_id, "batch_name": call.batch.name, "recipient": call.recipient_id,
            "phone_number": call.recipient.number, "attempt": call.number, "status": call.state, "carrier": call.carrier_id,
            "carrier_call_id": call.carrier_call_id, "queued_at": moment(call.claimed_at),
            "dialed_at": moment(call.placed_at), "asked": call.looks, "ask_at": moment(call.look_at),
            "events": EventSerializer(one.events, many=True).data,
        }  # fmt: skip


class DeliverySerializer(serializers.ModelSerializer):
    """A result on its way; `message_id` is the webhook-id."""

    recipient = serializers.IntegerField(source="recipient_id")
    attempt = serializers.UUIDField(source="attempt_id", allow_null=True, help_text="null: the final outcome.")
    state = serializers.CharField(help_text=f"One of {', '.join(DeliveryState.values)}.")

    class Meta:
        model = ResultDelivery
        fields = (
            "id", "message_id", "recipient", "attempt", "state", "tries", "next_at", "last_status", "last_error", "created_at",
            "delivered_at",
        )  # fmt: skip


class RecipientDetailSerializer(RecipientSerializer):
    """One person with the whole history."""

    history = AttemptWithEventsSerializer(many=True, read_only=True)
    deliveries = DeliverySerializer(many=True, read_only=True)

    class Meta(RecipientSerializer.Meta):
        fields = (*RecipientSerializer.Meta.fields, "history", "deliveries")  # type: ignore[assignment]


class AddCallsInput(serializers.Serializer):
    calls = serializers.ListField(
        child=Mapping(), help_text="[{destination, time_zone?, ani?, any call parameter}], up to 1000."
    )


class RefusedRowSerializer(serializers.Serializer):
    line = serializers.IntegerField(help_text="1 = the first.")
    value = serializers.CharField()
    reason = serializers.CharField()


class AddedSerializer(serializers.Serializer):
    added = serializers.IntegerField()
    suppressed = serializers.IntegerField(help_text="Of those added: in the batch, but not to be called.")
    refused = RefusedRowSerializer(many=True)


class ImportSerializer(serializers.ModelSerializer):
    """A list on its way into a batch; until it is done none of its rows is in the batch."""

    state = serializers.CharField(help_text=f"One of {', '.join(ImportState.values)}.")
    percent = serializers.IntegerField()
    refused_by_reason = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = BatchImport
        fields = (
            "id", "file_name", "size", "state", "step", "percent", "rows_read", "rows_added", "rows_suppressed", "rows_refused",
            "refused_by_reason", "error", "created_at", "finished_at",
        )  # fmt: skip


class DoNotCallListSerializer(serializers.ModelSerializer):
    class Meta:
        model = DoNotCallList
        fields = ("id", "name", "applies_to_all", "collects_opt_outs", "created_at")


class DoNotCallListInput(serializers.Serializer):
    name = Text()
    applies_to_all = Flag(required=False, default=True)
    collects_opt_outs = Flag(required=False, default=False)


class DoNotCallEntrySerializer(serializers.ModelSerializer):
    class Meta:
        model = DoNotCallEntry
        fields = ("id", "pattern", "note", "added_at")


class EntriesInput(serializers.Serializer):
    patterns = serializers.ListField(child=Text(), help_text="Numbers, or prefixes such as +1800*.")
    note = Text(required=False, allow_blank=True, max_length=200, default="")


class EntriesRemoveInput(serializers.Serializer):
    patterns = serializers.ListField(child=Text())
    reason = Text(max_length=250, help_text="Why they may be called again; it is kept.")


class EntriesCountSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many were new, or were there.")


def moment(at: datetime | None) -> str | None:
    """An instant as the API writes it."""
    return at.isoformat().replace("+00:00", "Z") if at else None
