"""One call with all that is known of it, and the calls that are live now."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from campaigns.choices import EndReason
from campaigns.models import Call, CallFlow, CallLeg, Campaign
from campaigns.regions import place_of, places_of
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.models import AuditEvent
from portal.errors import NotFound

from .calls import calls_seen, campaigns_seen, legs_seen, sees_all, state_of_leg, talked
from .decisions import Decision, decision_of, decision_of_left, decision_of_move


@dataclass
class LegView:
    """One leg as the call page shows it. `released` is the audit event of a release by hand."""

    leg: CallLeg
    destination: Campaign | None
    destination_visible: bool
    may_release: bool
    released: AuditEvent | None = None
    moved: Decision | None = None
    left: Decision | None = None

    @property
    def state(self) -> str:
        return state_of_leg(self.leg)

    @property
    def talked(self) -> float | None:
        return talked(self.leg)

    @property
    def is_live(self) -> bool:
        return self.leg.ended_at is None


@dataclass
class FlowStep:
    """One step of a call through its call treatment: when, at which node, what came in and what was done, in words.

    inside: the destination whose own tree the node is of; empty for the tree of the campaign that was called.
    """

    at: datetime
    path: str
    happened: str
    done: str
    inside: str = ""


@dataclass
class CallView:
    """A call for its page. Without `whole` the user sees his legs only: no campaign called, no promo number, no trace."""

    call: Call
    whole: bool
    campaign: Campaign | None
    decision: Decision | None
    visible: set[int]
    legs: list[LegView]
    place: str
    flow: list[FlowStep] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        return any(view.is_live for view in self.legs)


def call_view(*, user: User, transaction_id: str) -> CallView:
    """The call page's content. Raises NotFound for an unknown call and for one that `user` may not see at all."""
    pk = Call.pk_of(transaction_id)
    call = Call.objects.select_related("network").filter(pk=pk).first() if pk is not None and pk < 2**63 else None
    if call is None or not Call.objects.filter(calls_seen(user, call.network), pk=call.pk).exists():
        raise NotFound(f"There is no call {transaction_id}.", field="call")
    network = call.network
    legs = list(CallLeg.objects.filter(legs_seen(user, network), call=call).order_by("id"))
    whole = sees_all(user, network) or campaigns_seen(user, network).filter(pk=call.campaign_id).exists()
    decision = decision_of(call, legs[0] if legs else None) if whole else None
    named = {call.campaign_id} | {leg.destination_id for leg in legs}
    if decision:
        named |= {entry.campaign_id for entry in decision.entries}
        named |= {decision.overflow.campaign_id} if decision.overflow else set()
    moves = {leg.pk: decision_of_move(leg) for leg in legs[1:]} if whole else {}
    lefts = {leg.pk: decision_of_left(leg) for leg in legs} if whole else {}
    campaigns = Campaign.objects.in_bulk(list(named))
    visible = set(campaigns_seen(user, network).filter(pk__in=named).values_list("pk", flat=True))
    operable = _operable(user, legs)
    releases = _releases(call, legs)
    views = [
        LegView(
            leg, campaigns.get(leg.destination_id), leg.destination_id in visible, leg.pk in operable, releases.get(leg.pk),
            moves.get(leg.pk), lefts.get(leg.pk),
        )
        for leg in legs
    ]  # fmt: skip
    return CallView(
        call, whole, campaigns.get(call.campaign_id) if whole else None, decision, visible, views, place_of(call.caller),
        _flow(call, campaigns) if whole and call.external_id else [],
    )  # fmt: skip


def _flow(call: Call, campaigns: dict[int, Campaign]) -> list[FlowStep]:
    """The call's way through its call treatment; empty for a call that a switch only had routed."""
    history = CallFlow.objects.filter(call_id=call.pk).values_list("history", flat=True).first() or []
    steps = []
    for entry in history:
        happened = entry["in"].replace("_", " ").capitalize()
        inside = campaigns.get(entry.get("inside") or 0)
        happened += f" {entry['digits']}" if entry.get("digits") else ""
        done = ", ".join(word.replace("_", " ") for word in entry["did"] if word != "release")
        done += f" ({entry['reason'].replace('_', ' ')})" if entry.get("reason") else ""
        steps.append(FlowStep(datetime.fromisoformat(entry["at"]), entry["path"], happened, done, str(inside or "")))
    return steps


def _operable(user: User, legs: list[CallLeg]) -> set[int]:
    """Ids of the live legs that `user` may release."""
    live = [leg.pk for leg in legs if leg.ended_at is None]
    if not live:
        return set()
    return set(access.restrict(CallLeg.objects.filter(pk__in=live), user, "operate").values_list("pk", flat=True))


def _releases(call: Call, legs: list[CallLeg]) -> dict[int, AuditEvent]:
    """Who released which leg by hand, from the audit trail."""
    found = {}
    for leg in legs:
        if leg.end_reason == EndReason.RELEASED and leg.ended_at:
            event = AuditEvent.objects.select_related("actor").filter(
                object_type="campaigns.campaign", object_id=str(leg.destination_id), event="slot.release",
                at__gte=leg.ended_at - timedelta(minutes=1), at__lte=leg.ended_at + timedelta(minutes=1),
                changes__call__0=call.transaction_id,
            ).first()  # fmt: skip
            if event:
                found[leg.pk] = event
    return found


@dataclass
class LiveRow:
    """One live call. `campaign` is None where the user sees only the leg."""

    leg: CallLeg
    call: Call
    campaign: Campaign | None
    destination: Campaign | None
    destination_visible: bool
    may_release: bool
    place: str

    @property
    def state(self) -> str:
        return state_of_leg(self.leg)


def live_legs(
    *, user: User, network: Network, destination: Campaign | None = None, bundle: Campaign | None = None
) -> QuerySet[CallLeg]:
    """The legs that have not ended and that `user` may see; `bundle` is the campaign called. To be cut by `keyset`."""
    rows = CallLeg.objects.filter(legs_seen(user, network), ended_at=None).select_related("call")
    if destination:
        rows = rows.filter(destination=destination)
    if bundle:
        rows = rows.filter(call__campaign=bundle)
        if not sees_all(user, network):
            rows = rows.filter(call__campaign__in=campaigns_seen(user, network).values("pk"))
    return rows


def live_counts(legs: QuerySet[CallLeg]) -> dict[str, int]:
    """How many of the live legs are talking, and how many not yet answered."""
    return legs.aggregate(
        live=Count("pk"), talking=Count("answered_at"), over_cap=Count("pk", filter=Q(over_cap=True)),
        run_out=Count("pk", filter=Q(expires_at__lt=Now())),
    )  # fmt: skip


def live_rows(*, user: User, network: Network, legs: list[CallLeg]) -> list[LiveRow]:
    """The rows of one page of live legs: names, places and who may release, four statements for all."""
    wanted = {leg.destination_id for leg in legs} | {leg.call.campaign_id for leg in legs}
    campaigns = Campaign.objects.in_bulk(list(wanted))
    visible = set(campaigns_seen(user, network).filter(pk__in=wanted).values_list("pk", flat=True))
    operable = _operable(user, legs)
    places = places_of(leg.call.caller for leg in legs)
    return [
        LiveRow(
            leg=leg, call=leg.call,
            campaign=campaigns.get(leg.call.campaign_id) if leg.call.campaign_id in visible else None,
            destination=campaigns.get(leg.destination_id), destination_visible=leg.destination_id in visible,
            may_release=leg.pk in operable, place=places.get(leg.call.caller or "", ""),
        )
        for leg in legs
    ]  # fmt: skip
