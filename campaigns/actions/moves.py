"""Moving a call on to the next destination: its slot moves with it, in one transaction (campaigns/sql/0009)."""

from datetime import timedelta

from django.conf import settings
from prometheus_client import Counter

from campaigns.choices import REPORTED_CAUSES
from portal.accounts.models import Network, User
from portal.errors import Conflict, Invalid, NotFound

from .calls import Routed, calls_allowed, routed_by

MOVES = Counter(
    "headroom_slot_moves", "Calls moved on from a destination that did not take them, by outcome.", ["outcome"]
)

_MOVE = (
    "SELECT r.outcome, r.call_id, r.leg_id, r.destination_id, r.kind, r.selected_at, r.expires_at, r.refusal, r.over_cap,"
    " r.repeated, d.id_from_network, d.name, d.destination_phone_number"
    " FROM campaigns_move_call(%s, %s, %s, %s, %s, %s) r"
    " LEFT JOIN campaigns_campaign d ON d.id = r.destination_id"
)


def call_move(*, by: User | None, network: Network, call: int, leg: int, cause: str, detail: str = "") -> Routed:
    """End a leg whose destination did not take the call and select the next destination for the same call.

    cause: one of `choices.REPORTED_CAUSES`, such as busy or no_answer; detail: the switch's raw cause, kept beside it.
    Destinations already tried are left out. With nobody left `outcome` is refused and the leg has ended all the same.
    Moving the same leg again answers what was decided the first time (`repeated`).

    Commits by itself, as `call_route` does. Raises NotFound for an unknown leg, Conflict `call_finished` for one that was
    answered or whose caller hung up, Invalid, NotAllowed, or Busy when races are lost for too long.
    """
    if cause not in REPORTED_CAUSES:
        raise Invalid(
            f"“{cause}” is not a cause; use {', '.join(REPORTED_CAUSES)}.", field="cause", code="unknown_cause"
        )
    calls_allowed(by=by, network=network)
    setup = timedelta(seconds=settings.HEADROOM_SETUP_LEASE)
    routed = routed_by(_MOVE, (network.pk, call, leg, cause, detail[:250], setup))
    if routed.outcome == "unknown":
        raise NotFound("There is no such leg of a call in this network.", field="leg", code="unknown_leg")
    if routed.outcome == "finished":
        raise Conflict(
            "The leg was answered, or its caller hung up: the call is over and does not move on.",
            field="leg",
            code="call_finished",
        )
    if not routed.repeated:
        MOVES.labels(routed.outcome).inc()
    return routed
