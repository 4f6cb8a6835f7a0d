"""Leading a phone call through its call treatment: one step per webhook, safe to repeat, to overtake and to lose.

A step is made from the state that was read and written only upon that state (`version`); whoever comes second makes it
again. What takes a slot happens before that and can be repeated (the same call is routed once, the same leg moved once); a
slot that was taken for a step that nobody needs any more is given back at once.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.callers import NotANumber, caller_read
from campaigns.choices import REPORTED_CAUSES, EndReason, Outcome
from campaigns.models import Call, CallFlow, CallLeg, Campaign, FlowMessage, VoiceAccount
from campaigns.queries.treatment import facts_of, treatment_of, tree_of
from campaigns.treatment.flow import Action, Hangup, Input, Release, Select, SendSms, State
from campaigns.treatment.interpreter import step
from campaigns.treatment.nodes import Tree, path_of
from campaigns.treatment.validate import treatment_read
from portal.accounts.models import Network, User
from portal.errors import Busy, Conflict, Invalid, NotFound

from .calls import Routed, call_event, call_route, called_number, calls_allowed
from .handover import context_at, handed_over, inside_of
from .moves import call_move

logger = logging.getLogger(__name__)

MAX_TURNS = 20
MAX_HISTORY = 200
# A step that lost this often to others of the same call gives up: the switch will ask again.
MAX_TRIES = 10


@dataclass
class FlowAnswer:
    """What the switch is to do now. repeated: the webhook was old news, and this is what was answered before."""

    flow: CallFlow
    actions: list[dict[str, Any]]
    state: State
    repeated: bool = False

    @property
    def caller_id(self) -> Mapping[str, Any]:
        """What the callee is to see, {setting, mask}: as the destination whose own tree the call is in says, if it does;
        else as the campaign that was called."""
        stored = self.flow.facts.get("inside") or {}
        inside = (stored.get("tree") or {}).get("caller_id") or {}
        if self.state.inside is not None and self.state.inside == stored.get("destination") and inside.get("setting"):
            return inside
        return self.flow.tree.get("caller_id") or {}


@dataclass
class _Work:
    """One step in the making: what it took on the way."""

    by: User | None
    flow: CallFlow
    tree: Tree
    now: datetime
    actions: list[Action] = field(default_factory=list)
    call_id: int | None = None
    legs: set[int] = field(default_factory=set)
    # The destination that this step handed the call to, with its own tree and facts, as JSON.
    handed: dict[str, Any] | None = None


def flow_begin(
    *,
    by: User | None,
    network: Network,
    external_id: str,
    caller: str | None,
    campaign: int | None = None,
    promo_number: str | None = None,
    account: VoiceAccount | None = None,
    given: Mapping[str, Any] | None = None,
) -> FlowAnswer:
    """A call has come: begin its treatment. The same `external_id` again is answered the same.

    campaign (id) or promo_number: what was called, exactly one of them. caller: as the switch gives it; what is no number
    counts as withheld. account: the carrier's account that brings it. given: what the switch knows besides (line,
    affiliate_name, media_type, promo_number_description, custom_data).

    Raises Invalid, NotFound (`unknown_promo_number`, `unknown_campaign`), NotAllowed, Busy.
    """
    calls_allowed(by=by, network=network)
    if not external_id or len(external_id) > 100:
        raise Invalid(
            "Give the switch's own id of the call (1 to 100 characters).", field="external_id", code="required"
        )
    flow = CallFlow.objects.filter(network=network, external_id=external_id).first()
    if flow is None:
        flow = _flow_create(network, external_id, caller, campaign, promo_number, account, given or {})
    return flow_step(by=by, network=network, external_id=external_id, given=Input("start"))


def _flow_create(
    network: Network, external_id: str, caller: str | None, campaign_id: int | None, promo_number: str | None,
    account: VoiceAccount | None, given: Mapping[str, Any],
) -> CallFlow:  # fmt: skip
    if (campaign_id is None) == (promo_number is None):
        text = "Name either the promo number called or the bundle, not both and not neither."
        raise Invalid(text, field="promo_number", code="required")
    number = ""
    if promo_number is not None:
        number, campaign_id = called_number(network, promo_number)
    rows = Campaign.objects.select_related("network", "overflow").filter(network=network)
    campaign = rows.filter(pk=campaign_id or 0).first()
    if campaign is None:
        raise NotFound("There is no such campaign in this network.", field="bundle", code="unknown_campaign")
    try:
        who = caller_read(caller, network.country)
    except NotANumber:
        caller, who = None, caller_read(None)
    tree, now = tree_of(campaign), timezone.now()
    try:
        with transaction.atomic():
            return CallFlow.objects.create(
                network=network, campaign=campaign, external_id=external_id, account=account, promo_number=number,
                caller=(caller or "")[:64] or None, tree=treatment_of(campaign), started_at=now,
                facts=facts_of(campaign=campaign, tree=tree, caller=who, promo_number=number, given=given, at=now),
            )  # fmt: skip
    except IntegrityError:
        # Another request of the same call was first.
        return CallFlow.objects.get(network=network, external_id=external_id)


def flow_step(*, by: User | None, network: Network, external_id: str, given: Input) -> FlowAnswer:
    """Something happened on the phone: the next actions, written with the state in one transaction.

    Old, repeated and unfitting news change nothing and are answered with what was answered last. Raises NotFound
    `unknown_call`, NotAllowed, or Busy when too many webhooks of the same call compete.
    """
    calls_allowed(by=by, network=network)
    taken: set[int] = set()
    for _try in range(MAX_TRIES):
        flow = CallFlow.objects.select_related("network", "campaign", "account").filter(
            network=network, external_id=external_id
        ).first()  # fmt: skip
        if flow is None:
            raise NotFound("There is no such call in this network.", field="external_id", code="unknown_call")
        work = _Work(by, flow, _tree(flow), timezone.now(), legs=taken)
        before = State.of_json(flow.state)
        state = _run(work, before, given)
        if not work.actions and replace(state, steps=before.steps) == before:
            _give_back(flow, taken - set(before.legs))
            return FlowAnswer(flow, flow.actions, before, repeated=True)
        try:
            written = _written(work, before, state, given)
        except IntegrityError:
            continue  # The call is being written by another request of it: look again.
        if written:
            _give_back(flow, taken - set(state.legs))
            return FlowAnswer(flow, flow.actions, state)
    raise Busy("Too many messages about this call at once; try again.")


def _tree(flow: CallFlow) -> Tree:
    """The treatment as it was when the call came."""
    tree, faults = treatment_read(flow.tree, flow.network.country)
    return tree if tree is not None and not faults else tree_of(flow.campaign)


def _run(work: _Work, state: State, given: Input) -> State:
    """The step with all that it selects on the way."""
    flow = work.flow
    context = context_at(flow, flow.facts, work.now)
    if given.kind == "start" and state.phase == "new":
        given = _opening(work, given)
    inside = inside_of(flow, flow.facts.get("inside"), work.now) if state.inside is not None else None
    for _turn in range(MAX_TURNS + 5):
        actions, state = step(work.tree, state, given, context, inside)
        selects = [action for action in actions if isinstance(action, Select)]
        work.actions += [action for action in actions if not isinstance(action, Select)]
        if not selects:
            return state
        given = _select(work, selects[-1], state)
        work.handed = handed_over(flow, given.destination or 0) if given.kind == "selected" else None
        inside = inside_of(flow, work.handed, work.now)
    raise AssertionError("the interpreter bounds how often a slot moves")


def _opening(work: _Work, given: Input) -> Input:
    """A campaign that is no bundle has its leg from the beginning; one that is not live is not in service."""
    campaign = work.flow.campaign
    if campaign.is_bundle and campaign.is_live:
        return given
    routed = _route(work)
    if routed.leg_id is None:
        return Input("hangup", reason=routed.refusal or EndReason.NOT_IN_SERVICE)
    return Input("start", leg=routed.leg_id)


def _route(work: _Work) -> Routed:
    """Route the call; the same call is routed once, however often this is asked."""
    flow = work.flow
    routed = call_route(
        by=work.by, network=flow.network, caller=flow.caller, campaign=flow.campaign_id, external_id=flow.external_id,
        number=flow.promo_number,
    )  # fmt: skip
    work.call_id = routed.call_id
    if routed.leg_id is not None:
        work.legs.add(routed.leg_id)
    return routed


def _select(work: _Work, wanted: Select, state: State) -> Input:
    """Take a destination, or move on from the one that did not take the call."""
    flow, leaving = work.flow, wanted.leaving
    if leaving is None:
        routed = _route(work)
        # Routed before, and its slot is gone by now: somebody else may have it.
        leg = routed.leg_id
        if routed.repeated and leg is not None and leg not in state.legs and _is_over(leg):
            leaving = leg
    if leaving is not None:
        cause = wanted.cause or EndReason.ERROR
        call = work.call_id or flow.call_id
        assert call is not None  # a leg belongs to a call
        try:
            routed = call_move(by=work.by, network=flow.network, call=call, leg=leaving, cause=cause)
        except Conflict:
            # Somebody answered after all, and now the switch says nobody did: then the call is over.
            _end_leg(flow, call, leaving, cause)
            return Input("refused", turn=wanted.turn, reason=cause)
        if routed.leg_id is not None:
            work.legs.add(routed.leg_id)
    if routed.leg_id is None or routed.outcome == Outcome.REFUSED:
        return Input("refused", turn=wanted.turn, reason=routed.refusal)
    if routed.leg_id in state.legs:
        # The call was routed before (a repetition that was overtaken); its leg is known and over.
        return Input("refused", turn=wanted.turn, reason=EndReason.NO_DESTINATION)
    return Input(
        "selected", turn=wanted.turn, leg=routed.leg_id, number=routed.destination_phone_number or "",
        destination=routed.destination_id, overflow=routed.outcome == Outcome.OVERFLOW,
    )  # fmt: skip


def _is_over(leg: int) -> bool:
    return CallLeg.objects.filter(pk=leg, ended_at__isnull=False).exists()


def _written(work: _Work, before: State, state: State, given: Input) -> bool:
    """Write the step upon the state that it was made from; False if another step was first."""
    flow, over = work.flow, state.phase == "ended"
    flow.state, flow.version = state.as_json(), flow.version + 1
    if work.actions or over:
        flow.actions = [action.as_json() for action in work.actions if not isinstance(action, Release | SendSms)]
    flow.history = [*flow.history, _entry(work, state, given)][-MAX_HISTORY:]
    flow.call_id = flow.call_id or work.call_id
    changes: dict[str, Any] = {}
    if work.handed is not None and state.inside is not None:
        changes["facts"] = flow.facts = {**flow.facts, "inside": work.handed}
    if state.phase == "talking" and flow.answered_at is None:
        flow.answered_at = work.now
    if over and flow.ended_at is None:
        flow.ended_at = work.now
    released = [action for action in work.actions if isinstance(action, Release)]
    with transaction.atomic():
        if over and flow.call_id is None:
            flow.call_id = _log_call(flow, state)
        changed = CallFlow.objects.filter(pk=flow.pk, version=flow.version - 1).update(
            state=flow.state, version=flow.version, actions=flow.actions, history=flow.history, call_id=flow.call_id,
            answered_at=flow.answered_at, ended_at=flow.ended_at, **changes,
        )  # fmt: skip
        if not changed:
            transaction.set_rollback(True)
            return False
        _messages(work)
        if given.kind == "completed" and before.phase == "dialing" and before.leg is not None:
            # The answer was never heard of; that the call was completed says that there was one.
            _answered_before(flow, before.leg, work.now - timedelta(seconds=given.talked))
        # One leg per transaction (docs/locking.md).
        for action in released[:1]:
            _end_leg(flow, flow.call_id, action.leg, action.reason)
        if state.leg is not None and state.leg == before.leg and not released:
            _sign_of_life(flow, state, "answered" if given.kind == "answered" else "heartbeat")
    for action in released[1:]:
        _end_leg(flow, flow.call_id, action.leg, action.reason)
    return True


def _entry(work: _Work, state: State, given: Input) -> dict[str, Any]:
    """One line of the call's history."""
    entry: dict[str, Any] = {"at": work.now.isoformat(), "in": given.kind, "path": path_of(state.at)}
    if state.inside is not None:
        entry["inside"] = state.inside
    if given.digits:
        entry["digits"] = given.digits[:30]
    entry["did"] = [action.kind for action in work.actions]
    ends = [action.reason for action in work.actions if isinstance(action, Hangup)]
    return {**entry, "reason": ends[0]} if ends else entry


def _messages(work: _Work) -> None:
    for action in work.actions:
        to = work.flow.facts.get("caller")
        if isinstance(action, SendSms) and to and work.flow.promo_number:
            FlowMessage.objects.get_or_create(
                flow=work.flow,
                defaults={
                    "network": work.flow.network, "account": work.flow.account, "sender": work.flow.promo_number, "to": to,
                    "text": action.text, "due_at": work.now + timedelta(seconds=action.delay),
                },
            )  # fmt: skip


def _log_call(flow: CallFlow, state: State) -> int:
    """The call of a caller who never got as far as a selection: it is in the list of calls all the same."""
    known = Call.objects.filter(network=flow.network, external_id=flow.external_id).values_list("pk", flat=True).first()
    if known is not None:
        return known
    return Call.objects.create(
        network=flow.network, campaign=flow.campaign, promo_number=flow.promo_number, caller=flow.facts.get("caller"),
        caller_given="" if flow.facts.get("caller") else (flow.caller or ""), external_id=flow.external_id,
        started_at=flow.started_at, outcome=Outcome.TREATMENT, refusal="", trace={"ended": state.reason},
    ).pk  # fmt: skip


def _end_leg(flow: CallFlow, call: int | None, leg: int, reason: str) -> None:
    """End a leg (once; a second time changes nothing)."""
    if call is None:
        return
    cause = reason if reason in REPORTED_CAUSES else EndReason.ERROR
    detail = "" if cause == reason else reason
    call_event(by=None, network=flow.network, call=call, event="ended", cause=cause, detail=detail, leg=leg)


def _answered_before(flow: CallFlow, leg: int, at: datetime) -> None:
    try:
        call_event(by=None, network=flow.network, call=flow.call_id or 0, event="answered", leg=leg, at=at)
    except Conflict:
        logger.info("an answer after the end", extra={"flow": flow.pk, "leg": leg})


def _sign_of_life(flow: CallFlow, state: State, event: str) -> None:
    """Answer or extend the lease of the leg held; one that the portal ended stays ended."""
    if flow.call_id is None or state.leg is None:
        return
    try:
        call_event(by=None, network=flow.network, call=flow.call_id, event=event, leg=state.leg)
    except Conflict:
        logger.warning("a call goes on whose slot is gone", extra={"flow": flow.pk, "leg": state.leg})


def _give_back(flow: CallFlow, legs: set[int]) -> None:
    """Legs that were taken for a step which another one made unnecessary."""
    if not legs:
        return
    call = Call.objects.filter(network=flow.network, external_id=flow.external_id).values_list("pk", flat=True).first()
    for leg in legs:
        _end_leg(flow, call, leg, EndReason.ERROR)


def flow_heard(
    *,
    by: User | None,
    network: Network,
    external_id: str,
    event: str,
    leg: int | None = None,
    at: datetime | None = None,
) -> None:
    """News of the leg held (or of `leg`) that is no step: ringing, heartbeat, or an answer that the end overtook.

    Of a leg that is over it changes nothing, except that an answer is kept: it is what the call costs.
    """
    calls_allowed(by=by, network=network)
    flow = CallFlow.objects.select_related("network").filter(network=network, external_id=external_id).first()
    if flow is None:
        raise NotFound("There is no such call in this network.", field="external_id", code="unknown_call")
    held = leg if leg is not None else State.of_json(flow.state).leg
    if held is None or flow.call_id is None:
        return
    try:
        call_event(by=None, network=network, call=flow.call_id, event=event, leg=held, at=at)
    except (Conflict, NotFound):
        logger.info("late %s", event, extra={"flow": flow.pk, "leg": held})
