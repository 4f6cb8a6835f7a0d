"""A past for the demo: the calls of the last day, as routing would have decided them. The same at every load.

Which destinations were open and in region for each caller says the routing's own SQL; live calls and daily caps are
played here, because the counters of then are gone.
"""

import heapq
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from campaigns import actions
from campaigns.callers import number_key
from campaigns.choices import Distribution, EndReason, LegKind, Outcome, Passed
from campaigns.models import Call, CallLeg, Campaign, DestinationState, RepeatCaller
from campaigns.pricing import policies_of, price, price_range
from campaigns.treatment.expressions import Context
from portal.accounts.models import Network

from .callers import HOURLY, caller_draw, liveliness, talk_seconds
from .catalog import EASTERN, DemoNetwork

PAST = timedelta(hours=26)
TALK_MEDIAN = 150.0
# The last calls end before the traffic of now begins.
RECENT = timedelta(minutes=4)
_OF_CAPS = Passed.CONCURRENT_CALL_CAP | Passed.BUDGET_CAP | Passed.PERIODIC_CALL_CAP

_EVALUATE = """
SELECT c.n, e.destination, e.priority, e.weight, e.mask, e.live_cap, e.payout, e.entry::text
FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::timestamptz[]) AS c (n, bundle, key, at)
CROSS JOIN LATERAL campaigns_evaluate(c.bundle, c.key, c.at) e
ORDER BY c.n, e.place
"""


@dataclass
class _Past:
    """What has happened so far, while the past is played."""

    ending: list[tuple[datetime, int]] = field(default_factory=list)
    live: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    calls: dict[tuple[int, Any], int] = field(default_factory=lambda: defaultdict(int))
    spent: dict[tuple[int, Any], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    connected: dict[tuple[int, str], tuple[int, datetime]] = field(default_factory=dict)
    daily: dict[int, dict[str, Decimal]] = field(default_factory=dict)

    def move_to(self, at: datetime) -> None:
        while self.ending and self.ending[0][0] <= at:
            self.live[heapq.heappop(self.ending)[1]] -= 1


@dataclass(frozen=True)
class _Arrival:
    at: datetime
    bundle: Campaign
    number: str
    caller: str | None


def _arrivals(demo: DemoNetwork, bundles: dict[str, Campaign], until: datetime, random: Random) -> list[_Arrival]:
    """Calls in order of time: more by day than by night, some callers again, some without a number."""
    made: list[_Arrival] = []
    known: list[str] = []
    zone = ZoneInfo(EASTERN)
    at = until - PAST
    busiest = demo.calls_per_day / 86_400 * len(HOURLY) * max(HOURLY) / sum(HOURLY)
    shares = [bundle.share for bundle in demo.bundles]
    while True:
        at += timedelta(seconds=random.expovariate(busiest))
        if at >= until - RECENT:
            return made
        if random.random() > liveliness(at.astimezone(zone).hour):
            continue
        bundle = random.choices(demo.bundles, shares)[0]
        caller = None
        if random.random() > 0.04:
            caller = random.choice(known) if known and random.random() < 0.1 else caller_draw(random)
            known = [*known[-400:], caller]
        made.append(_Arrival(at, bundles[bundle.id], bundle.number, caller))


def _in_order(rows: list[list[Any]], bundle: Campaign, preferred: int | None, random: Random) -> list[list[Any]]:
    """The order in which the bundle tries its destinations (rows as `_EVALUATE` gives them, live in place of n)."""

    def place(row: list[Any]) -> tuple[Any, ...]:
        live, destination, priority, weight, _mask, cap = row[:6]
        draw = 0.0
        if bundle.distribution == Distribution.WEIGHTED:
            draw = random.expovariate(weight) if weight else float("inf")
        elif bundle.distribution == Distribution.MOST_FREE:
            draw = live - (10**9 if cap is None else cap)
        return destination != preferred, priority, draw

    return sorted(rows, key=place)


def history_write(network: Network, demo: DemoNetwork) -> int:
    """Write the network's past, sum it up and bring the counters in line. Returns the number of calls."""
    random = Random(demo.name)  # noqa: S311 - the same past at every load
    campaigns = {campaign.pk: campaign for campaign in network.campaigns.prefetch_related("caps")}
    bundles = {campaign.id_from_network: campaign for campaign in campaigns.values()}
    now = timezone.now()
    arrivals = _arrivals(demo, bundles, now, random)
    with transaction.atomic():
        with connection.cursor() as cursor:
            keys = [number_key(a.caller[1:]) if a.caller else None for a in arrivals]
            numbered = list(range(len(arrivals)))
            cursor.execute(_EVALUATE, [numbered, [a.bundle.pk for a in arrivals], keys, [a.at for a in arrivals]])
            rows: dict[int, list[list[Any]]] = defaultdict(list)
            for row in cursor.fetchall():
                rows[row[0]].append(list(row))
        past = _Past()
        for campaign in campaigns.values():
            past.daily[campaign.pk] = {
                cap.kind: cap.amount for cap in campaign.caps.all() if cap.reset_period == "Daily"
            }
        played = [_play(a, rows[n], campaigns, past, network, random) for n, a in enumerate(arrivals)]
        calls = Call.objects.bulk_create([call for call, _ in played], batch_size=1000)
        legs = []
        for call, (_, leg) in zip(calls, played, strict=True):
            if leg is not None:
                leg.call = call
                legs.append(leg)
        CallLeg.objects.bulk_create(legs, batch_size=1000)
        RepeatCaller.objects.bulk_create(
            [
                RepeatCaller(bundle_id=bundle, caller=caller, destination_id=destination, connected_at=at)
                for (bundle, caller), (destination, at) in past.connected.items()
            ],
            ignore_conflicts=True,
        )
        # They were written past the counters: recounted here, so that no reconcile finds a drift.
        destinations = DestinationState.objects.filter(campaign__network=network).order_by("pk")
        with connection.cursor() as cursor:
            for pk in destinations.values_list("pk", flat=True):
                cursor.execute("SELECT campaigns_reconcile(%s, true)", [pk])
    actions.hours_roll_up(since=now - PAST)
    return len(calls)


def _play(
    arrival: _Arrival,
    rows: list[list[Any]],
    campaigns: dict[int, Campaign],
    past: _Past,
    network: Network,
    random: Random,
) -> tuple[Call, CallLeg | None]:
    """Decide one call of the past and say how it went."""
    at, bundle = arrival.at, arrival.bundle
    past.move_to(at)
    preferred = past.connected.get((bundle.pk, arrival.caller or ""), (None, None))[0] if bundle.repeat_caller else None
    for row in rows:
        row[0] = past.live[row[1]]
        _apply_caps(row, campaigns[row[1]], at, past)
    rows = _in_order(rows, bundle, preferred, random)
    over = Passed.CONCURRENT_CALL_CAP | Passed.ZERO_WEIGHT
    taken = next((row for row in rows if row[4] == 0 or (row[1] == preferred and row[4] & ~over == 0)), None)
    trace: dict[str, Any] = {"entries": [[*row[1:5], row[0], row[5], *row[7]] for row in rows]}
    if preferred is not None:
        trace["repeat"] = preferred
    outcome, refusal, kind = Outcome.DESTINATION, "", LegKind.REPEAT if preferred is not None else LegKind.BUNDLE
    destination = taken[1] if taken else None
    if taken is not None and destination != preferred:
        kind = LegKind.BUNDLE
    if taken is None:
        destination, kind = bundle.overflow_id, LegKind.OVERFLOW
        if destination is not None:
            outcome, trace["overflow"] = Outcome.OVERFLOW, [destination, 0]
        else:
            outcome, refusal = Outcome.REFUSED, _refusal(tuple(sorted({row[4] for row in rows})))
    call = Call(
        network=network, campaign=bundle, promo_number=arrival.number, caller=arrival.caller,
        caller_given="" if arrival.caller else "anonymous", started_at=at, outcome=outcome, refusal=refusal, trace=trace,
    )  # fmt: skip
    if destination is None:
        return call, None
    leg = _leg(campaigns[destination], kind, at, random)
    leg.over_cap = bool(taken and taken[4] & Passed.CONCURRENT_CALL_CAP)
    if leg.holds_slot:
        assert leg.ended_at is not None
        past.live[destination] += 1
        heapq.heappush(past.ending, (leg.ended_at, destination))
        if leg.answered_at is not None and arrival.caller:
            first = past.connected.get((bundle.pk, arrival.caller), (destination, at))[0]
            past.connected[bundle.pk, arrival.caller] = first, leg.answered_at
    if leg.answered_at is not None:
        day = _day(campaigns[destination], at)
        past.calls[destination, day] += 1
        past.spent[destination, day] += leg.cost or 0
    return call, leg


def _day(campaign: Campaign, at: datetime) -> Any:
    return at.astimezone(ZoneInfo(campaign.time_zone)).date()


def _apply_caps(row: list[Any], campaign: Campaign, at: datetime, past: _Past) -> None:
    """Add to a row's mask what the caps said at the time; of the periodic ones the daily (the others were not reached)."""
    live, destination, _priority, _weight, mask, cap, payout = row[:7]
    figures = json.loads(row[7])[6] if mask & Passed.NOT_LIVE or mask & Passed.CLOSED else {}
    mask &= ~_OF_CAPS
    if cap is not None and live >= cap:
        mask |= Passed.CONCURRENT_CALL_CAP
    limits = past.daily[destination]
    if limits:
        day = destination, _day(campaign, at)
        calls, budget = limits.get("periodic_calls"), limits.get("budget")
        if calls is not None and past.calls[day] >= calls:
            mask |= Passed.PERIODIC_CALL_CAP
            figures["calls"] = [past.calls[day], int(calls)]
        if budget is not None and past.spent[day] + payout > budget:
            mask |= Passed.BUDGET_CAP
            figures["spend"] = [float(past.spent[day]), float(budget), float(payout)]
    row[4] = int(mask)
    row[7] = [figures] if figures else []


@cache
def _refusal(masks: tuple[int, ...]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaigns_refusal(%s)", [list(masks)])
        return str(cursor.fetchone()[0])


def _leg(destination: Campaign, kind: str, at: datetime, random: Random) -> CallLeg:
    """The leg of a call that was tried at `at`: most are answered after some rings, some are busy or not answered."""
    leg = CallLeg(
        destination=destination, kind=kind, holds_slot=kind in (LegKind.BUNDLE, LegKind.REPEAT),
        reserved=price_range(policies_of(destination, "payout"))[1], selected_at=at, expires_at=at + timedelta(hours=3), cost=0, revenue=0,
    )  # fmt: skip
    fate = random.random()
    ringing = at + timedelta(seconds=random.uniform(0.3, 2))
    if fate < 0.03:
        leg.ended_at, leg.end_reason, leg.end_detail = ringing, EndReason.BUSY, "486 Busy Here"
        return leg
    leg.ringing_at = ringing
    if fate < 0.09:
        leg.ended_at, leg.end_reason = ringing + timedelta(seconds=random.uniform(25, 40)), EndReason.NO_ANSWER
        return leg
    if fate < 0.12:
        leg.ended_at, leg.end_reason = ringing + timedelta(seconds=random.uniform(2, 20)), EndReason.CALLER_HANGUP
        return leg
    leg.answered_at = ringing + timedelta(seconds=random.uniform(2, 14))
    leg.ended_at = leg.answered_at + timedelta(seconds=talk_seconds(random, TALK_MEDIAN))
    leg.end_reason = EndReason.CALLER_HANGUP if random.random() < 0.55 else EndReason.DESTINATION_HANGUP
    # Nothing of the past may still be going on.
    now = datetime.now(UTC)
    if leg.ended_at > now:
        leg.ended_at = now
        leg.answered_at = min(leg.answered_at, now)
    leg.cost, leg.revenue = _prices(leg)
    return leg


def _prices(leg: CallLeg) -> tuple[Decimal, Decimal]:
    """(cost, revenue) of a leg that was answered, as its destination's policies say of what the past knows."""
    destination = leg.destination
    if not destination.payout_policies and not destination.payin_policies:
        return destination.payout, destination.payin
    assert leg.answered_at is not None and leg.ended_at is not None
    facts = Context(
        now=leg.ended_at, time_zone=destination.time_zone,
        hours=None if destination.operating_24_7 else destination.hours,
        duration=(leg.ended_at - leg.selected_at).total_seconds(),
        connect_duration=(leg.ended_at - leg.answered_at).total_seconds(),
    )  # fmt: skip
    return price(policies_of(destination, "payout"), facts), price(policies_of(destination, "payin"), facts)
