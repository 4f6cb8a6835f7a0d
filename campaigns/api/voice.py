"""Phone calls over the API: the generic webhook for any switch, and the carriers' accounts of a network."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import actions
from campaigns.choices import VoiceKind
from campaigns.models import Call, VoiceAccount
from campaigns.treatment.flow import Input
from portal.accounts import access
from portal.accounts.models import Network
from portal.accounts.tokens import Identity
from portal.api import throttling
from portal.api.fast import fast_view, json_response, with_fast_post
from portal.api.views import ApiView
from portal.errors import NotFound

from .hot import campaign_id
from .input import Text, Whole, cleaned

# What a switch may report; the rest of the interpreter's inputs is the portal's own.
STEPS = ("digits", "timeout", "answered", "busy", "no_answer", "failed", "completed", "recorded", "hangup")
SIGNS = ("ringing", "heartbeat")
LINES = ("", "mobile", "landline")


class FlowInput(serializers.Serializer):
    """What happened to a call on a switch."""

    external_id = Text(max_length=100, number_too=True, help_text="The switch's own id of the call.")
    event = serializers.ChoiceField(["start", *STEPS, *SIGNS])
    caller = Text(
        required=False, allow_null=True, allow_blank=True, max_length=64, help_text="Of start; null = withheld."
    )
    promo_number = Text(required=False, allow_null=True, max_length=64, help_text="Of start: the number called, or …")
    bundle = Text(
        required=False, allow_null=True, max_length=100, number_too=True, help_text="… the campaign's own id."
    )
    turn = Whole(required=False, allow_null=True, min_value=0, max_value=1_000_000, help_text="Of the action answered.")
    digits = Text(required=False, allow_blank=True, max_length=40, help_text="Of digits: the keys pressed.")
    leg = Whole(
        required=False, allow_null=True, min_value=1, max_value=2**63 - 1, help_text="Of ringing: the leg rung."
    )
    talked = Whole(required=False, min_value=0, max_value=1_000_000, help_text="Of completed: seconds of talk.")
    reason = serializers.ChoiceField(
        ["caller_hangup", "destination_hangup", "maximum_duration", "error"], required=False,
        help_text="Of completed and hangup: who ended it.",
    )  # fmt: skip
    line = serializers.ChoiceField(LINES, required=False, help_text="Of start: the caller's kind of line, if known.")
    affiliate_name = Text(required=False, allow_blank=True, max_length=200)
    media_type = Text(required=False, allow_blank=True, max_length=200)
    promo_number_description = Text(required=False, allow_blank=True, max_length=200)
    custom_data = serializers.DictField(child=Text(allow_blank=True, max_length=500, number_too=True), required=False)


class FlowActionSerializer(serializers.Serializer):
    """One thing to do; which fields it has depends on `action` (docs/voice.md)."""

    action = serializers.ChoiceField(["say", "gather", "dial", "record", "hangup"])
    text = serializers.CharField(required=False)
    turn = serializers.IntegerField(required=False)
    most = serializers.IntegerField(required=False, help_text="Keys at most.")
    timeout = serializers.IntegerField(required=False, help_text="Seconds.")
    numbers = serializers.ListField(child=serializers.CharField(), required=False, help_text="Rung at once.")
    leg = serializers.IntegerField(required=False, allow_null=True)
    extension = serializers.CharField(required=False, allow_blank=True)
    record = serializers.BooleanField(required=False)
    longest = serializers.IntegerField(required=False, help_text="Seconds.")
    reason = serializers.CharField(required=False)


class FlowAnswerSerializer(serializers.Serializer):
    """What the switch is to do now, in order."""

    external_id = serializers.CharField()
    call = serializers.CharField(allow_null=True, help_text="The call's id, once it has one.")
    phase = serializers.CharField()
    turn = serializers.IntegerField()
    repeated = serializers.BooleanField(help_text="Old news: this was answered before.")
    actions = FlowActionSerializer(many=True)


def _body(answer: actions.FlowAnswer) -> dict[str, Any]:
    flow = answer.flow
    return {
        "external_id": flow.external_id,
        "call": Call.transaction_id_of(flow.call_id) if flow.call_id else None,
        "phase": answer.state.phase,
        "turn": answer.state.turn,
        "repeated": answer.repeated,
        "actions": answer.actions,
    }


@fast_view(throttling.calls)
def flow(identity: Identity, network: Network, data: dict[str, Any], key: str | None) -> HttpResponse:
    """One event of a phone call, answered with what the switch is to do."""
    given = cleaned(FlowInput, data)
    event, external_id = given["event"], given["external_id"]
    if event in SIGNS:
        actions.flow_heard(
            by=identity.user, network=network, external_id=external_id, event=event, leg=given.get("leg")
        )
        return HttpResponse(status=204)
    if event == "start":
        actions.calls_allowed(by=identity.user, network=network)
        bundle = given.get("bundle")
        answer = actions.flow_begin(
            by=identity.user, network=network, external_id=external_id, caller=given.get("caller"),
            promo_number=given.get("promo_number"), campaign=None if bundle is None else campaign_id(network, bundle),
            given=given,
        )  # fmt: skip
    else:
        step = Input(
            event, turn=given.get("turn"), digits=given.get("digits", ""), reason=given.get("reason", ""),
            talked=given.get("talked", 0),
        )  # fmt: skip
        answer = actions.flow_step(by=identity.user, network=network, external_id=external_id, given=step)
    return json_response(_body(answer))


class FlowView(ApiView):
    """Leading a call through its treatment, for any switch."""

    current_only = True

    @extend_schema(
        operation_id="voice_flow", tags=["voice"], summary="Report an event of a phone call, learn what to do",
        description="start, then whatever happens. Safe to repeat and in any order: old news is answered with what was "
        "answered last. ringing and heartbeat are answered 204.",
        request=FlowInput, responses={200: FlowAnswerSerializer, 204: None},
    )  # fmt: skip
    def post(self, request: Request, **path: Any) -> Any:
        return flow(request._request, **path)


flow_entry = with_fast_post(FlowView, flow)


class VoiceAccountSerializer(serializers.Serializer):
    """A carrier's account; its secret is never given back."""

    kind = serializers.ChoiceField(VoiceKind.choices)
    account_sid = serializers.CharField()
    created_at = serializers.DateTimeField()


class VoiceAccountInput(serializers.Serializer):
    """A carrier's account to add, or to give a new secret."""

    kind = serializers.ChoiceField(VoiceKind.choices, required=False)
    account_sid = Text(max_length=64)
    secret = Text(max_length=200, write_only=True, help_text="The auth token. Stored encrypted, never given back.")


class VoiceAccountsView(ApiView):
    """The carriers' accounts of a network."""

    current_only = True
    queryset = VoiceAccount.objects.none()

    @extend_schema(
        operation_id="voice_accounts_list", tags=["voice"], summary="List carriers' accounts",
        responses=VoiceAccountSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = access.restrict(VoiceAccount.objects.filter(network=self.network), self.user)
        return self.get_paginated_response(VoiceAccountSerializer(self.paginate_queryset(rows) or [], many=True).data)

    @extend_schema(
        operation_id="voice_accounts_set", tags=["voice"], summary="Add a carrier's account, or give it a new secret",
        request=VoiceAccountInput, responses={200: VoiceAccountSerializer, 201: VoiceAccountSerializer},
    )  # fmt: skip
    def post(self, request: Request, **path: Any) -> Response:
        given = cleaned(VoiceAccountInput, request.data)
        account, created = actions.voice_account_set(by=self.user, network=self.network, **given)
        return Response(VoiceAccountSerializer(account).data, status=201 if created else 200)


class VoiceAccountView(ApiView):
    """One carrier's account."""

    current_only = True

    @extend_schema(
        operation_id="voice_accounts_delete", tags=["voice"], summary="Forget a carrier's account",
        description="Its webhooks are refused from then on. Of what is missing it is a no-op.", responses={204: None},
    )  # fmt: skip
    def delete(self, request: Request, account: str, **path: Any) -> Response:
        try:
            actions.voice_account_remove(by=self.user, network=self.network, account_sid=account)
        except NotFound as error:
            if error.field != "account_sid":
                raise
        return Response(status=204)
