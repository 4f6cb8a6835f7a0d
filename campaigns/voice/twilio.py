"""Twilio's webhooks: the signature checked by the official SDK, TwiML out. No user calls here: the account does.

incoming: a call has come (the number's “A call comes in”). step: keys, the end of a dial, a recording. leg: what becomes of
a number that is rung. status: the end of the call (the number's “Call status changes”). All of them may come twice, late,
in any order, or never.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from campaigns import actions
from campaigns.choices import VoiceKind
from campaigns.models import VoiceAccount
from campaigns.treatment.flow import Input, InputKind
from portal.accounts.models import Network
from portal.api.errors import respond
from portal.api.versioning import check_version, is_old
from portal.errors import Invalid, NotAllowed, NotFound
from portal.sealing import unseal

from .twiml import FAREWELLS, twiml

Params = dict[str, str]
Hook = Callable[[HttpRequest, VoiceAccount, Params], HttpResponse]
_FINISHED = ("completed", "busy", "failed", "no-answer", "canceled")
_DIALED: dict[str, InputKind] = {
    "completed": "completed", "answered": "completed", "busy": "busy", "no-answer": "no_answer", "failed": "failed",
    "canceled": "no_answer",
}  # fmt: skip


class BadSignature(NotAllowed):
    """The request was not signed with the account's token (403)."""

    code = "bad_signature"


def addresses_of(request: HttpRequest) -> list[str]:
    """What Twilio may have called this address: as the request says, and as PORTAL_URL says behind a proxy."""
    found = [request.build_absolute_uri()]
    portal = getattr(settings, "PORTAL_URL", "")
    if portal:
        found.append(portal.rstrip("/") + request.get_full_path())
    return found


def _account(request: HttpRequest, network_id: int) -> VoiceAccount:
    """The account that signed the request. Raises BadSignature, also when there is no such account."""
    refused = BadSignature("The signature does not fit the account.", permission="voice.signature")
    account = (
        VoiceAccount.objects.select_related("network")
        .filter(network=network_id, kind=VoiceKind.TWILIO, account_sid=request.POST.get("AccountSid", ""))
        .first()
    )
    if account is None:
        raise refused
    validator = RequestValidator(unseal(account.secret))
    signature = request.headers.get("X-Twilio-Signature", "")
    if not any(validator.validate(address, request.POST, signature) for address in addresses_of(request)):
        raise refused
    return account


def hook(view: Hook) -> Callable[..., HttpResponse]:
    """Decorate a webhook: current version, signed, and errors in the API's one shape."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def wrapped(request: HttpRequest, version: str, network_id: int) -> HttpResponse:
        try:
            check_version(version)
            if is_old(version):
                raise NotFound(f"This does not exist in version {version}.", code="not_in_version")
            account = _account(request, network_id)
            return view(
                request, account, {name: value for name, value in request.POST.items() if isinstance(value, str)}
            )
        except Exception as error:
            return respond(error, request, version)

    return wrapped


def _xml(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/xml; charset=utf-8")


def _address(request: HttpRequest, network: Network) -> str:
    """The folder of the webhooks, as an absolute address that ends in /."""
    here = reverse("voice-twilio-incoming", args=["2026-11-01", network.pk])
    return addresses_of(request)[-1].split("/api/")[0] + here.removesuffix("incoming")


def _answer(request: HttpRequest, answer: actions.FlowAnswer, number: str) -> HttpResponse:
    caller_id = answer.caller_id
    shown = {"promo": number, "specific": str(caller_id.get("mask") or "")}.get(caller_id.get("setting", ""), "")
    return _xml(twiml(answer.actions, address=_address(request, answer.flow.network), caller_id=shown))


def _turn(request: HttpRequest) -> int | None:
    given = request.GET.get("turn", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else None


def _leg(request: HttpRequest) -> int | None:
    given = request.GET.get("leg", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


@hook
def incoming(request: HttpRequest, account: VoiceAccount, params: Params) -> HttpResponse:
    """A call has come: the first actions of its treatment. A number that nobody knows is not in service."""
    try:
        answer = actions.flow_begin(
            by=None, network=account.network, external_id=params.get("CallSid", ""), caller=params.get("From"),
            promo_number=params.get("To", ""), account=account,
        )  # fmt: skip
    except (NotFound, Invalid) as error:
        if error.field != "promo_number":
            raise
        response = VoiceResponse()
        response.say(FAREWELLS["not_in_service"])
        response.hangup()
        return _xml(str(response))
    return _answer(request, answer, params.get("To", ""))


@hook
def step(request: HttpRequest, account: VoiceAccount, params: Params) -> HttpResponse:
    """Keys were pressed (or none), a dial has ended, a message was recorded: what comes next."""
    sid = params.get("CallSid", "")
    if params.get("DialCallStatus") in ("completed", "answered"):
        _talked(account, sid, _leg(request), params.get("DialCallDuration", ""))
    answer = actions.flow_step(by=None, network=account.network, external_id=sid, given=_given(request, params))
    return _answer(request, answer, params.get("To", ""))


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _talked(account: VoiceAccount, sid: str, leg: int | None, seconds: str) -> None:
    """A talk has ended, so it was answered: also where the news of that was lost, or comes after the end."""
    if leg is not None:
        at = timezone.now() - timedelta(seconds=_seconds(seconds))
        actions.flow_heard(by=None, network=account.network, external_id=sid, event="answered", leg=leg, at=at)


def _given(request: HttpRequest, params: Params) -> Input:
    """What the phone says, as an input of the interpreter."""
    what, turn = request.GET.get("do"), _turn(request)
    if params.get("CallStatus") in _FINISHED:
        return Input("hangup")
    if what == "dial":
        return Input(_DIALED.get(params.get("DialCallStatus", ""), "failed"), turn=turn)
    if what == "record":
        return Input("recorded", turn=turn)
    digits = params.get("Digits", "")[:40]
    return Input("digits", turn=turn, digits=digits) if digits else Input("timeout", turn=turn)


@hook
def leg(request: HttpRequest, account: VoiceAccount, params: Params) -> HttpResponse:
    """What becomes of a number that is rung. That it was busy or not answered is told by the end of the dial."""
    parent, held, turn = params.get("ParentCallSid", ""), _leg(request), _turn(request)
    network, status = account.network, params.get("CallStatus")
    if status == "ringing" and held is not None:
        actions.flow_heard(by=None, network=network, external_id=parent, event="ringing", leg=held)
    elif status == "in-progress":
        actions.flow_step(by=None, network=network, external_id=parent, given=Input("answered", turn=turn))
        if held is not None:
            # Also when the end overtook it: the leg was answered, and that is what it costs.
            actions.flow_heard(by=None, network=network, external_id=parent, event="answered", leg=held)
    elif status == "completed":
        _talked(account, parent, held, params.get("CallDuration", ""))
        actions.flow_step(by=None, network=network, external_id=parent, given=Input("completed", turn=turn))
    return HttpResponse(status=204)


@hook
def status(request: HttpRequest, account: VoiceAccount, params: Params) -> HttpResponse:
    """The call has ended: whatever it holds is given back."""
    if params.get("CallStatus") in _FINISHED:
        actions.flow_step(
            by=None, network=account.network, external_id=params.get("CallSid", ""), given=Input("hangup")
        )
    return HttpResponse(status=204)
