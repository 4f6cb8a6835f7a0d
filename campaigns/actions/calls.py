"""Calls: routing one, its events, and the care of slots. The rules themselves are SQL (campaigns/sql)."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg.errors
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from prometheus_client import Counter

from campaigns import ports
from campaigns.callers import Caller, NotANumber, caller_read, e164
from campaigns.choices import REPORTED_CAUSES, EndReason
from campaigns.models import CallLeg, Cap, DestinationState
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from portal.audit.actions import record
from portal.errors import Busy, Conflict, Invalid, NotAllowed, NotFound
from portal.memory import Memory
from portal.prepared import one

from .hours import hours_sum_again

logger = logging.getLogger(__name__)

DECISIONS = Counter("headroom_routing_decisions", "Calls routed, by outcome.", ["outcome"])
RACES = Counter("headroom_routing_races", "Times that a slot was lost to another call and routing ran again.")
DRIFT = Counter("headroom_slot_drift", "Live counts that did not match their legs.")
EXPIRED = Counter("headroom_slot_leases_expired", "Slots whose lease ran out without a hang-up.")

# A lost race means that another call took a slot; each round fills one more, so this many rounds mean overload.
MAX_ROUNDS = 50
# Which campaign a number belongs to: asked with every call, changed once in months.
_numbers: Memory[tuple[int, str], int] = Memory(lambda: settings.API_ROUTING_CACHE_SECONDS, 100_000)
# Somewhat more than the time between two looks of the reconcile job.
JUST_SET = timedelta(seconds=150)
EVENTS = ("ringing", "answered", "heartbeat", "ended")

# With what a switch needs of the destination, and without the trace, which few ask for and which is stored anyway.
_ROUTE = (
    "SELECT r.outcome, r.call_id, r.leg_id, r.destination_id, r.kind, r.selected_at, r.expires_at, r.refusal, r.over_cap,"
    " r.repeated, d.id_from_network, d.name, d.destination_phone_number"
    " FROM campaigns_route_call(%s, %s, %s, %s, %s, %s, %s, %s) r"
    " LEFT JOIN campaigns_campaign d ON d.id = r.destination_id"
)
_EVENT = "SELECT * FROM campaigns_call_event(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Routed:
    """What routing decided. `outcome` as in `choices.Outcome`; without a destination `refusal` says why."""

    outcome: str
    call_id: int
    leg_id: int | None
    destination_id: int | None
    kind: str | None
    selected_at: datetime
    expires_at: datetime | None
    refusal: str
    over_cap: bool
    repeated: bool
    destination_own_id: str | None
    destination_name: str | None
    destination_phone_number: str | None


@dataclass(frozen=True)
class EventResult:
    """What became of an event: `result` is applied or unchanged; the rest is the leg as it is now."""

    result: str
    leg_id: int | None
    destination_id: int | None
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    expires_at: datetime | None


def _one(sql: str, params: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row that one of our SQL functions returns."""
    row = one(sql, params)
    assert row is not None  # each of these functions returns exactly one
    return row


def _lost_race(error: BaseException) -> bool:
    cause = error.__cause__
    return isinstance(
        cause, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected | psycopg.errors.UniqueViolation
    )


def _may_route(by: User | None, network: Network | int, campaign_id: int) -> None:
    """Routing and events are for Member and above (an integration's own user), platform staff, and the system."""
    network_id = network if isinstance(network, int) else network.pk
    if by is None or access.stands_above(by):
        return
    role = by.roles.get(network_id)
    if role is None:
        raise NotFound("There is no such network.", field="network_id")
    if role >= Role.MEMBER:
        return
    raise NotAllowed("Routing calls needs the role Member or above in the network.", permission="campaigns.route_calls")


def calls_allowed(*, by: User | None, network: Network) -> None:
    """Raise NotFound or NotAllowed unless `by` may route calls of the network. No query once his roles are read."""
    _may_route(by, network, 0)


def called_number(network: Network, promo_number: str) -> tuple[str, int]:
    """The number called in E.164, and the campaign that it belongs to (as of the last API_ROUTING_CACHE_SECONDS)."""
    try:
        number = e164(promo_number, network.country)
    except NotANumber as error:
        raise Invalid(
            f"“{promo_number[:64]}” is not a phone number.", field="promo_number", code="invalid_phone_number"
        ) from error
    campaign = _numbers.get((network.pk, number))
    if campaign is None:
        campaign = ports.campaign_of_number(network.pk, number)
        if campaign is None:
            raise NotFound(
                f"{number} is not a promo number of this network.", field="promo_number", code="unknown_promo_number"
            )
        _numbers.put((network.pk, number), campaign)
    return number, campaign


def routed_by(statement: str, params: tuple[Any, ...]) -> Routed:
    """What one of the routing functions decided; run again as long as races are lost. Raises Busy after MAX_ROUNDS."""
    for _round in range(MAX_ROUNDS):
        try:
            routed = Routed(*_one(statement, params))
        except Exception as error:
            if connection.in_atomic_block or not _lost_race(error):
                raise
            RACES.inc()
            continue
        if routed.outcome != "again":
            return routed
    raise Busy("Too many calls compete for the same slots; try again.")


def call_route(
    *,
    by: User | None,
    network: Network,
    caller: str | None,
    campaign: int | None = None,
    promo_number: str | None = None,
    external_id: str | None = None,
    number: str = "",
) -> Routed:
    """Decide where an incoming call goes and take its slot: one transaction, never one call over a cap.

    network: the tenant; `campaign` (id of a bundle or any campaign) or `promo_number` (the number called) says what was
    called, exactly one of them. caller: the number as the switch gives it; None or a word such as “anonymous” for a
    withheld one. external_id: the switch's own id; the same id again answers what was decided the first time. number: with
    `campaign`, the number called (E.164) where it is known, to be kept with the call.

    Commits by itself when the connection is in autocommit (as web requests are). Raises Invalid, NotFound, NotAllowed,
    or Busy when races are lost for too long.
    """
    if (campaign is None) == (promo_number is None):
        raise Invalid(
            "Name either the promo number called or the bundle, not both and not neither.",
            field="promo_number",
            code="required",
        )
    try:
        who: Caller = caller_read(caller, network.country)
    except NotANumber as error:
        raise Invalid(
            f"“{str(caller)[:64]}” is not a phone number; send E.164 such as +18055550123, or null when it is withheld.",
            field="caller", code="invalid_phone_number",
        ) from error  # fmt: skip
    called = number
    if promo_number is not None:
        _may_route(by, network, 0)
        called, campaign = called_number(network, promo_number)
    assert campaign is not None
    _may_route(by, network, campaign)
    params = (
        network.pk, campaign, called, who.e164, who.key, who.given, external_id or None,
        timedelta(seconds=settings.HEADROOM_SETUP_LEASE),
    )  # fmt: skip
    routed = routed_by(_ROUTE, params)
    if routed.outcome == "unknown":
        raise NotFound("There is no such campaign in this network.", field="bundle", code="unknown_campaign")
    if not routed.repeated:
        DECISIONS.labels(routed.outcome).inc()
    return routed


def call_event(
    *,
    by: User | None,
    network: Network,
    call: int,
    event: str,
    at: datetime | None = None,
    cause: str = "",
    detail: str = "",
    leg: int | None = None,
) -> EventResult:
    """Apply ringing, answered, heartbeat or ended to a call. Safe to repeat and in any order.

    leg: to that leg of it; None = to its newest (a call whose slot never moved has only one). at: when it happened by
    the switch's clock (now if None; kept between selection and now). cause: of an end, one of
    `choices.REPORTED_CAUSES` (caller_hangup if empty); detail: the switch's raw cause, kept beside it.

    A second `ended` changes nothing. A sign of life for a call that the portal ended (lease run out, released by hand,
    refused) raises Conflict `call_finished`: its slot is gone. Raises NotFound for an unknown call.
    """
    if event not in EVENTS:
        raise Invalid(f"“{event}” is not an event; use {', '.join(EVENTS)}.", field="event", code="unknown_event")
    if cause and cause not in REPORTED_CAUSES:
        raise Invalid(
            f"“{cause}” is not a cause; use {', '.join(REPORTED_CAUSES)}.", field="cause", code="unknown_cause"
        )
    _may_route(by, network, 0)
    row = _one(
        _EVENT,
        (
            network.pk, call, event, at, cause or EndReason.CALLER_HANGUP, detail[:250],
            timedelta(seconds=settings.HEADROOM_SETUP_LEASE), timedelta(seconds=settings.HEADROOM_CALL_LEASE), leg,
        ),
    )  # fmt: skip
    result = EventResult(*row)
    if result.result == "unknown":
        raise NotFound("There is no such call in this network.", field="call", code="unknown_call")
    if result.result == "finished":
        reason = EndReason(result.end_reason).label.lower() if result.end_reason else "it ended"
        when = f" at {result.ended_at:%Y-%m-%dT%H:%M:%SZ}" if result.ended_at else ""
        raise Conflict(
            f"The call is finished{when} ({reason}); it holds no slot any more. Route it again if it still lives.",
            field="event", code="call_finished", details={"end_reason": result.end_reason},
        )  # fmt: skip
    return result


def slot_release(*, by: User | None, leg: int, reason: str) -> CallLeg:
    """Give a live leg's slot back by hand. Needs `operate` on the destination and a reason; audited."""
    reason = reason.strip()
    if not reason:
        raise Invalid(
            "Say why the slot is released; the reason is kept with the call.", field="reason", code="required"
        )
    rows = CallLeg.objects.select_related("destination", "call")
    found = (rows if by is None else access.restrict(rows, by)).filter(pk=leg).first()
    if found is None:
        raise NotFound("There is no such call leg.", field="leg")
    access.require(by, "operate", found)
    with transaction.atomic():
        (done,) = _one("SELECT campaigns_leg_end(%s, %s, %s, now())", (leg, EndReason.RELEASED, reason[:250]))
        if not done:
            found.refresh_from_db()
            raise Conflict(
                f"The call already ended ({found.get_end_reason_display()}); nothing was left to release.",
                code="call_finished",
            )
        record(
            event="slot.release", obj=found.destination, by=by, reason=reason,
            changes={"call": [found.call.transaction_id, None]},
        )  # fmt: skip
    found.refresh_from_db()
    return found


def slots_sweep(*, limit: int = 1000) -> int:
    """End legs whose lease ran out. Returns how many. One transaction each, so that no two rows are locked at once.

    A leg ended when its lease did, however late that is noticed: no minute is charged in which nobody knew of the call.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, destination_id, expires_at FROM campaigns_callleg WHERE ended_at IS NULL AND expires_at < now()"
            " ORDER BY expires_at LIMIT %s",
            [limit],
        )
        expired = cursor.fetchall()
    ends = []
    for leg_id, destination_id, at in expired:
        (done,) = _one("SELECT campaigns_leg_end(%s, %s, '', %s, true)", (leg_id, EndReason.LEASE_EXPIRED, at))
        if done:
            ends.append(at)
            EXPIRED.inc()
            logger.warning("slot lease expired", extra={"leg": leg_id, "destination": destination_id})
    hours_sum_again(ends)
    return len(ends)


def live_counts_reconcile(*, with_usage: bool = False) -> list[dict[str, Any]]:
    """Compare every destination's counters with its legs and repair them. A drift is an error in the log and a metric.

    Returns the drifts: destination id, and was/is of live calls, periodic calls and spend. with_usage: also recount
    the periodic counters (reads every leg of the period). Where a cap was just set they are recounted in any case: a call from
    outside of bundles that was being routed at that moment found no cap yet, and was not among the legs counted.
    """
    just_set = set(Cap.objects.filter(updated_at__gte=timezone.now() - JUST_SET).values_list("campaign_id", flat=True))
    drifts = []
    for destination_id in DestinationState.objects.order_by("pk").values_list("pk", flat=True):
        live_was, live_is, calls_was, calls_is, spend_was, spend_is = _one(
            "SELECT * FROM campaigns_reconcile(%s, %s)", (destination_id, with_usage or destination_id in just_set)
        )
        if (live_was, calls_was, spend_was) != (live_is, calls_is, spend_is):
            drift = {
                "destination": destination_id, "live": (live_was, live_is), "calls": (calls_was, calls_is),
                "spend": (spend_was, spend_is),
            }  # fmt: skip
            drifts.append(drift)
            DRIFT.inc()
            logger.error("destination counters had drifted and were repaired: %s", drift)
    return drifts


def periods_renew() -> int:
    """Start the new period of caps whose period has passed, so that pages are right before the next call. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(campaigns_state_refresh(s.campaign_id)) FROM (SELECT campaign_id FROM campaigns_destinationstate"
            " WHERE calls_until <= now() OR spend_until <= now() ORDER BY campaign_id) s"
        )
        return cursor.fetchone()[0]
