"""Single calls, in the current version and under the older interfaces' names; those may come form-encoded too."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from outbound import actions
from outbound.actions.single import call_place, calls_place
from outbound.models import Batch, Recipient
from outbound.older import NAMES, Order, order_read
from outbound.queries.batches import batches_visible, recipient_history
from portal.api import schema
from portal.api.body import JsonParser, check_text
from portal.api.idempotency import idempotent
from portal.api.permissions import MAX_ID
from portal.api.views import ApiView
from portal.errors import Conflict, Invalid

from .common import unknown
from .serializers import RefusedRowSerializer, moment

# The older interface's words for what happens to a call.
_EVENTS = {"accepted": "dialing", "ringing": "dialing", "answered": "connected", "ended": "disconnected"}
_TIME = "Seconds since 1970, words (now, +3 days), or ISO 8601."


class PlainFormParser(FormParser):
    """A form as a plain object: the last value of each field, and only text that can be stored."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, str]:  # type: ignore[override]
        fields = super().parse(stream, media_type, parser_context)
        plain = {str(name): str(fields[name]) for name in fields}
        for name, value in plain.items():
            check_text(name)
            check_text(value, name)
        return plain


class CallInput(serializers.Serializer):
    """One call (phone_number) or a list (csv). Several names mean the same; the first that holds something counts."""

    phone_number = serializers.CharField(
        required=False, help_text="A number, or tel:+1...;ani=...;postd=... (128 at most)."
    )
    csv = serializers.CharField(required=False, help_text="A list instead; its first row names the columns.")
    ani = serializers.CharField(required=False, help_text="One of your promo numbers.")
    campaign_name = serializers.CharField(required=False)
    start_url = serializers.CharField(required=False)
    result_url = serializers.CharField(required=False)
    result_format = serializers.CharField(required=False, help_text="json, call_details or form.")
    message_reference = serializers.CharField(required=False)
    call_parameters = serializers.CharField(required=False, help_text="JSON, or a=1&b=2; never echoed.")
    campaign_parameters = serializers.CharField(required=False)
    max_attempts = serializers.IntegerField(required=False, help_text="1 to 10; then reattempt_wait is needed.")
    reattempt_wait = serializers.IntegerField(required=False, help_text="Seconds, 60 to 86400.")
    max_retries = serializers.IntegerField(required=False, help_text="0 to 10; also max_retry.")
    retry_interval = serializers.IntegerField(required=False, help_text="Seconds, 60 to 172800.")
    start_timestamp = serializers.CharField(required=False, help_text=_TIME)
    end_timestamp = serializers.CharField(required=False, help_text=_TIME)
    scheduled_timestamp = serializers.CharField(required=False, help_text="0 = now.")
    expiration_timestamp = serializers.CharField(required=False, help_text="0 = never.")
    scheduled_time = serializers.CharField(required=False, help_text=_TIME)
    expiration_time = serializers.CharField(required=False, help_text=_TIME)
    time_zone = serializers.CharField(required=False, help_text="The callee's; default: from the number.")
    carrier = serializers.IntegerField(required=False)
    is_pci = serializers.BooleanField(required=False)


class OldEventSerializer(serializers.Serializer):
    event = serializers.CharField(help_text="queued, dialing, connected, disconnected")
    timestamp = serializers.DateTimeField()


class CallDetailsSerializer(serializers.Serializer):
    """A call in the older interface's words."""

    status = serializers.CharField()
    outcome = serializers.CharField()
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    phone_number = serializers.CharField()
    ani = serializers.CharField()
    queued_timestamp = serializers.DateTimeField(allow_null=True)
    start_timestamp = serializers.DateTimeField(allow_null=True)
    end_timestamp = serializers.DateTimeField(allow_null=True)
    reattempt_wait = serializers.IntegerField()
    duration = serializers.IntegerField(allow_null=True)
    callee_type = serializers.CharField()
    message_reference = serializers.CharField()
    events = OldEventSerializer(many=True)


class OutboundCallSerializer(serializers.Serializer):
    """A call or a list placed with one request. Parameters are never echoed: they may hold PINs."""

    id = serializers.IntegerField()
    status = serializers.CharField(help_text="Of its batch.")
    call_details = CallDetailsSerializer(allow_null=True, help_text="null for a list.")
    added = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    refused = RefusedRowSerializer(many=True)


class _CallsView(ApiView):
    parser_classes = [JsonParser, PlainFormParser]

    def placed(self, pk: int) -> Batch:
        """A call or list that came here and that the caller may see. Raises NotFound."""
        rows = batches_visible(self.user, self.network).select_related("state", "campaign")
        found = rows.filter(pk=min(pk, MAX_ID), extra__has_key="single").first()
        if found is None:
            unknown("call")
        return found

    def body(self, batch: Batch, added: int | None = None, refused: Any = ()) -> dict[str, Any]:
        one = batch.recipients.first() if batch.extra.get("single") else None
        state = batch.state
        return {
            "id": batch.pk, "status": batch.status, "call_details": call_details(batch, one) if one else None,
            "added": state.total if added is None else added, "suppressed": state.suppressed, "refused": list(refused),
        }  # fmt: skip


def call_details(batch: Batch, one: Recipient) -> dict[str, Any]:
    """A call as `call_details` reads: one more read of its history."""
    tries = recipient_history(recipient=one).attempts
    events = [{"event": "queued", "timestamp": moment(tries[0][0].claimed_at)}] if tries else []
    for _attempt, heard in tries:
        for event in heard:
            name = _EVENTS.get(event.kind)
            if name and events[-1]["event"] != name:
                events.append({"event": name, "timestamp": moment(event.at)})
    last = tries[-1][0] if tries else None
    return {
        "status": one.state, "outcome": one.outcome, "attempts": one.dialed, "max_attempts": batch.max_attempts,
        "phone_number": one.number, "ani": one.ani or batch.ani, "queued_timestamp": moment(tries[0][0].claimed_at) if tries else None,
        "start_timestamp": moment(last.placed_at) if last else None, "end_timestamp": moment(last.ended_at) if last else None,
        "reattempt_wait": batch.retry_interval, "duration": last.duration if last else None,
        "callee_type": last.callee_type if last else "", "message_reference": batch.message_reference, "events": events,
    }  # fmt: skip


class CallsView(_CallsView):
    """Placing one call, or a short list."""

    @extend_schema(
        operation_id="outbound_calls_create", tags=["outbound"], summary="Place a call",
        description="One call or a short list, in JSON or form-encoded, with the names of the older interfaces. It is a batch of "
        "its own: the same hours, do-not-call lists and results hold. Needs `change` and `operate`.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request={"application/json": CallInput, "application/x-www-form-urlencoded": CallInput},
        responses={201: OutboundCallSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, **path: Any) -> Response:
        form = (request.content_type or "").startswith("application/x-www-form-urlencoded")
        order = order_read(self.sent, now=timezone.now(), form=form)
        try:
            if order.csv:
                batch, added = calls_place(by=self.user, network=self.network, csv=order.csv, **order.batch)
            else:
                batch, added = call_place(by=self.user, network=self.network, call=order.call, **order.batch)
        except Invalid as error:
            raise _renamed(error, order) from error
        batch.refresh_from_db()
        return Response(self.body(self.placed(batch.pk), added.added, added.refused), status=201)


def _renamed(error: Invalid, order: Order) -> Invalid:
    """The problems under the names that the client used."""
    names = {what: order.named.get(what, names[0]) for what, names in NAMES.items()} | {
        "parameters": "call_parameters", "calls": "csv", "file": "csv", "columns": "csv", "destination": "phone_number",
        "name": "campaign_name",
    }  # fmt: skip
    return Invalid.of([(names.get(at or "", at), code, message) for at, code, message in error.problems])


class CallView(_CallsView):
    @extend_schema(
        operation_id="outbound_calls_get", tags=["outbound"], summary="Get a call that was placed alone",
        responses=OutboundCallSerializer,
    )  # fmt: skip
    def get(self, request: Request, call: int, **path: Any) -> Response:
        return Response(self.body(self.placed(call)))


class CallCancelView(_CallsView):
    @extend_schema(
        operation_id="outbound_calls_cancel", tags=["outbound"], summary="Cancel a call that was placed alone",
        description="What is pending is not dialed (any more), what lives is hung up.", request=None,
        parameters=[schema.IDEMPOTENCY_KEY], responses={202: OutboundCallSerializer},
    )  # fmt: skip
    def post(self, request: Request, call: int, **path: Any) -> Response:
        """Needs the permission `operate`."""
        batch = self.placed(call)
        one = batch.recipients.first() if batch.extra.get("single") else None
        try:
            if one is None:
                actions.batch_stop(by=self.user, batch=batch)
            else:
                actions.recipient_cancel(by=self.user, recipient=one)
        except Conflict as error:
            if error.code not in ("call_ended", "wrong_status"):
                raise
        return Response(self.body(self.placed(call)), status=202)
