"""Pricing calls whose campaigns have policies: read when a call has ended, written once."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from campaigns import ports
from campaigns.callers import number_key
from campaigns.models import CallFlow, CallLeg, Campaign, UnpricedLeg
from campaigns.pricing import Policy, policies_of, price
from campaigns.queries.treatment import is_repeat, line_of, regions_of
from campaigns.treatment.conditions import parse
from campaigns.treatment.expressions import Context, InRegion, Word
from campaigns.treatment.flow import State

from .hours import hours_sum_again

logger = logging.getLogger(__name__)


def facts_of_leg(leg: CallLeg, policies: Iterable[Policy]) -> Context:
    """What is known of a leg that has ended, as far as the policies ask for it. duration: of the whole call, in seconds;
    connect_duration: of the talk with this destination. Hours and regions are the destination's, repeat the called one's."""
    assert leg.ended_at is not None
    call, destination = leg.call, leg.destination
    leaves = [leaf for policy in policies for leaf in parse(policy.condition).leaves()]
    flow = CallFlow.objects.filter(call_id=call.pk).first()
    number = ports.facts_of_number(call.network_id, call.promo_number) if call.promo_number else {}
    known = {**number, **{name: value for name, value in (flow.facts if flow else {}).items() if value}}
    key = number_key(call.caller[1:]) if call.caller else None
    return Context(
        now=leg.ended_at,
        caller=call.caller,
        time_zone=destination.time_zone,
        hours=None if destination.operating_24_7 else destination.hours,
        regions=frozenset(regions_of(destination, key))
        if any(isinstance(leaf, InRegion) for leaf in leaves)
        else frozenset(),
        repeat=Word("repeat") in leaves and is_repeat(call.campaign, call.caller, call.started_at),
        line=known.get("line") or line_of(call.caller),
        pressed=_pressed(State.of_json(flow.state), leg.destination_id) if flow and flow.state else (),
        duration=(leg.ended_at - call.started_at).total_seconds(),
        connect_duration=(leg.ended_at - leg.answered_at).total_seconds() if leg.answered_at else 0,
        custom_data={str(name): str(value) for name, value in (known.get("custom_data") or {}).items()},
        affiliate_name=str(known.get("affiliate_name") or ""),
        media_type=str(known.get("media_type") or ""),
        promo_number_description=str(known.get("promo_number_description") or ""),
    )


def _pressed(state: State, destination: int) -> tuple[str, ...]:
    """The keys that a destination's policies see: those of its own menus if its own tree asked for any, else the bundle's."""
    return (state.keys or state.home_keys) if state.inside in (None, destination) else state.home_keys


def leg_price(leg: CallLeg) -> bool:
    """Price one leg that has ended by its destination's policies as they are now; false if it has its price already."""
    payout, payin = policies_of(leg.destination, "payout"), policies_of(leg.destination, "payin")
    facts = facts_of_leg(leg, [*payout, *payin])
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaigns_leg_price(%s, %s, %s)", [leg.pk, price(payout, facts), price(payin, facts)])
        return bool(cursor.fetchone()[0])


def legs_price(*, limit: int = 1000, destination: Campaign | None = None) -> int:
    """Price the legs that wait for it, with `destination` only its own. Returns how many.

    One transaction each where the caller has none; safe to run twice and beside itself. In a transaction of the caller's it
    holds a hot row while it takes the next leg: whoever holds a leg that has its end and its answer waits for no hot row,
    but for others that price, and those are passed by (docs/locking.md).
    """
    only = {} if destination is None else {"leg__destination": destination}
    count = 0
    ends = []
    after = 0
    for _ in range(limit):
        with transaction.atomic():
            row = (
                UnpricedLeg.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(**only, leg_id__gt=after)
                .order_by("leg_id")
                .first()
            )
            if row is None:
                break
            after = row.leg_id
            leg = (
                CallLeg.objects.select_related("call__campaign", "destination")
                .filter(pk=row.leg_id, ended_at__isnull=False)
                .first()
            )
            if leg is None:
                row.delete()
                continue
            try:
                with transaction.atomic():
                    count += leg_price(leg)
                ends.append(leg.ended_at)
            except Exception:
                # One leg that cannot be priced must not hold up the others; it stays in the queue and in the log.
                logger.exception("a call could not be priced; it is tried again", extra={"leg": leg.pk})
    hours_sum_again(ends)
    return count


def prices_waiting() -> int:
    """Legs that have waited for their price for more than a minute: something is wrong with the worker."""
    old = timezone.now() - timedelta(minutes=1)
    return UnpricedLeg.objects.filter(leg__ended_at__lt=old).count()
