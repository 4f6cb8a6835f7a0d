"""Sums of call costs, use of caps and reports agree to the cent, with a second book kept by hand (tests/campaigns/ledger.py).

Two stretches of the year in which clocks are put back and forward are played in rounds of threads, every path of a call among
them; the caps reset in their own zones while calls are routed, are held and are priced; counters are set by hand and terms
change. HEADROOM_MONEY_CALLS calls are played (100000 take some minutes).
"""

import os
import random
import time
from collections import Counter as Tally
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier, BrokenBarrierError, Lock
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from campaigns import actions
from campaigns.models import CallLeg, CampaignHour, Cap, DestinationState
from campaigns.queries.quick_stats import quick_stats
from campaigns.queries.summaries import periodic_caps
from portal.accounts.models import Network
from tests.factories import CampaignFactory, bundle_of, cap, changed, destinations

from .clock import Clock
from .ledger import Counter, Ledger, Line
from .race import deadlocks, together
from .terms import LONG, OFFICE, ZERO, flat

pytestmark = pytest.mark.django_db(transaction=True)

CALLS = int(os.environ.get("HEADROOM_MONEY_CALLS", "400"))
THREADS = 3
# Europe and America put their clocks back, then forward. Within a stretch it is never more than some hours to the next round.
STRETCHES = (
    (datetime(2026, 10, 31, 3, tzinfo=UTC), datetime(2026, 11, 2, 12, tzinfo=UTC)),
    (datetime(2027, 3, 13, 15, tzinfo=UTC), datetime(2027, 3, 15, 12, tzinfo=UTC)),
    (datetime(2027, 3, 27, 15, tzinfo=UTC), datetime(2027, 3, 29, 12, tzinfo=UTC)),
)
EVERY = timedelta(hours=8)
COUNTERS = (
    Counter("flat", "budget", "Daily", date(2026, 1, 1), "America/Havana"),
    Counter("flat", "periodic_calls", "Daily", date(2026, 1, 1), "America/New_York"),
    Counter("long", "budget", "Weekly", date(2026, 1, 4), "America/Denver", fees=True),
    Counter("long", "periodic_calls", "Monthly", date(2026, 1, 31), "Europe/London"),
    Counter("office", "budget", "Monthly", date(2026, 1, 31), "Asia/Kolkata"),
    Counter("office", "periodic_calls", "Daily", date(2026, 1, 1), "Australia/Lord_Howe"),
    Counter("overflow", "budget", "Quarterly", date(2025, 12, 28), "Europe/London", fees=True),
    Counter("overflow", "periodic_calls", "Ongoing", date(2026, 6, 1), "America/Phoenix"),
)
TALKS = (1, 29, 30, 31, 89, 90, 91, 599, 600, 3600, 10000)


class Day:
    """The network under test, its second book, and a switch that plays calls against it."""

    def __init__(self, clock):
        self.clock, self.lock, self.dice = clock, Lock(), random.Random(5)
        self.ledger, self.tally = Ledger(fee=Decimal("0.0333")), Tally()
        self.held = []  # (line, call, talk seconds or None for one that is never answered, how it ends)
        self.calls = defaultdict(int)
        (first,) = destinations(1)
        self.network = first.network
        Network.objects.filter(pk=self.network.pk).update(call_fee_per_minute=self.ledger.fee)
        hours = {
            f"{day}_{edge}": at * 3600
            for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
            for edge, at in (("open", 8), ("closed", 18))
        }
        made = partial(CampaignFactory, advertiser=first.advertiser)
        self.places = {
            "flat": first, "long": made(), "overflow": made(),
            "office": made(time_zone="America/New_York", operating_24_7=False, hours=hours),
        }  # fmt: skip
        self.names = {campaign.pk: name for name, campaign in self.places.items()}
        for name, terms in {
            "flat": flat("0.3333", "1.0001"),
            "long": LONG,
            "office": OFFICE,
            "overflow": flat("0.07", "0"),
        }.items():
            self.agree(name, terms)
        self.bundle = bundle_of(
            self.places["flat"], self.places["long"], self.places["office"], distribution="Weighted",
            overflow=self.places["overflow"], repeat_caller=True,
        )  # fmt: skip
        for name in ("flat", "long", "office"):
            cap(self.places[name], 5 + CALLS // 500)

    def agree(self, name, terms):
        """The destination's terms are these from now on."""
        self.places[name] = changed(self.places[name], **terms.values)
        self.ledger.terms[name] = terms

    def caps_set(self):
        """Loose ones that never stop a call, and two that do now and then."""
        tight = {("flat", "periodic_calls"): max(5, CALLS // 100), ("long", "budget"): max(100, CALLS)}
        for counter in COUNTERS:
            cap(
                self.places[counter.place], tight.get((counter.place, counter.kind), 100_000_000), counter.kind,
                reset_period=counter.reset, starts_at=counter.starts.isoformat(), time_zone=counter.zone,
                **({"include_call_fees": True} if counter.fees else {}),
            )  # fmt: skip

    # One round ---------------------------------------------------------------------------------------------------

    def round(self, calls):
        """End what is due and place `calls` calls, from threads, then price; the second book is written alongside."""
        now = self.clock.now()
        due, later = [], []
        for held in self.held:
            line, _call, talk, _how = held
            (due if talk is None or line.answered + timedelta(seconds=talk) < now else later).append(held)
        self.held = later
        seeds, counts, played = [self.dice.random() for _ in range(THREADS)], [], Barrier(THREADS)

        def play(number):
            self.clock.enter()
            for line, call, talk, how in due[number::THREADS]:
                self.finish(line, call, talk, how)
            dice = random.Random(seeds[number])
            for _ in range(number, calls, THREADS):
                self.call(dice)

        def work(number):
            try:
                play(number)
            except BaseException:
                played.abort()
                raise
            with suppress(BrokenBarrierError):  # the other thread says what went wrong
                played.wait()
                counts.append(actions.legs_price(limit=10**9))

        together(work, THREADS)
        self.tally["priced by policies"] += sum(counts)
        self.ledger.price()
        assert not CallLeg.objects.filter(ended_at__isnull=False, cost=None).exists()

    def event(self, call, event, **values):
        return actions.call_event(by=None, network=self.network, call=call, event=event, **values)

    def book(self, routed):
        """A line for the leg that was taken; what is reserved for it counts from now."""
        name = self.names[routed.destination_id]
        terms = self.ledger.terms[name]
        reserved = terms.base if routed.kind == "direct" else terms.most
        line = Line(routed.leg_id, name, routed.kind, routed.selected_at, reserved)
        with self.lock:
            self.ledger.lines[line.leg] = line
        return line

    def call(self, dice):
        """One call, from its arrival to an end or into the hands of a later round."""
        where = self.bundle if dice.random() < 0.8 else self.places[dice.choice(list(self.places))]
        caller = f"+1303555{dice.randrange(10000):04d}" if dice.random() < 0.9 else None
        routed = actions.call_route(by=None, network=self.network, campaign=where.pk, caller=caller)
        with self.lock:
            self.calls[where.pk] += 1
            self.tally[routed.outcome] += 1
        if routed.leg_id is None:
            return
        line, call, fate = self.book(routed), routed.call_id, dice.random()
        if fate < 0.1:
            self.ended(line, self.event(call, "ended", cause="no_answer"))
        elif fate < 0.2:
            self.event(call, "ended")
            self.ended(line, self.event(call, "answered"))
            assert self.event(call, "answered").result == "unchanged"
        elif fate < 0.4:
            with self.lock:
                line.answered = self.event(call, "answered").answered_at
                self.held.append(
                    (line, call, dice.choice(TALKS), dice.choice(("hung up", "hung up", "released", "lost")))
                )
        elif fate < 0.45:
            with self.lock:
                self.held.append((line, call, None, "hung up"))
        elif fate < 0.55:
            self.move(line, call)
        else:
            self.event(call, "answered")
            self.ended(line, self.event(call, "ended"))
            assert self.event(call, "ended").result == "unchanged"

    def move(self, line, call):
        """Busy: on to the next destination, and there it is taken."""
        moved = actions.call_move(by=None, network=self.network, call=call, leg=line.leg, cause="busy")
        left = CallLeg.objects.get(pk=line.leg)
        line.ended = left.ended_at
        with self.lock:
            self.tally["moved"] += 1
        if moved.leg_id is not None:
            taken = self.book(moved)
            self.event(call, "answered", leg=taken.leg)
            self.ended(taken, self.event(call, "ended", leg=taken.leg))

    def ended(self, line, result):
        line.answered, line.ended = result.answered_at, result.ended_at

    def finish(self, line, call, talk, how):
        """The end of a call that was held over one or more rounds."""
        if how == "lost":
            return  # its carrier never says so; the sweeper will
        if how == "released":
            leg = actions.slot_release(by=None, leg=line.leg, reason="Stuck")
            line.ended = leg.ended_at
        elif talk is None:
            self.ended(line, self.event(call, "ended", cause="caller_hangup"))
            assert line.answered is None
        else:
            at = line.answered + timedelta(seconds=talk)
            answered = line.answered
            self.ended(line, self.event(call, "ended", at=at))
            assert (line.answered, line.ended) == (answered, at)

    def sweep(self):
        """The workers were away for more than a day: what is still live has run out."""
        live = [line for line in self.ledger.lines.values() if line.ended is None]
        assert actions.slots_sweep(limit=10**9) == len(live)
        ends = dict(CallLeg.objects.filter(pk__in=[line.leg for line in live]).values_list("pk", "ended_at"))
        for line in live:
            line.ended = ends[line.leg]
        self.tally["swept"] += len(live)
        self.held = []

    # What must agree ---------------------------------------------------------------------------------------------

    def counters_agree(self):
        """Counter by counter, with the second book and with the recount; and the pages say the same."""
        actions.periods_renew()
        now = self.clock.now()
        for name, campaign in self.places.items():
            state = DestinationState.objects.get(pk=campaign.pk)
            shown = {view.kind: view for view in periodic_caps(list(Cap.objects.filter(campaign=campaign)), state)}
            for counter in (counter for counter in COUNTERS if counter.place == name):
                expected = self.ledger.used(counter, now)
                assert shown[counter.kind].used == expected, (counter, now)
                assert shown[counter.kind].resets_at == counter.period(now)[1], counter
            live = sum(
                1
                for line in self.ledger.lines.values()
                if line.place == name and line.ended is None and line.kind in ("bundle", "repeat")
            )
            assert state.live == live
        assert actions.live_counts_reconcile(with_usage=True) == []

    def set_by_hand(self):
        """A counter is overridden; what is in progress counts on top, and from there it goes on."""
        counter, now = self.dice.choice(COUNTERS), self.clock.now()
        wanted = (
            Decimal(self.dice.randrange(500))
            if counter.kind == "periodic_calls"
            else Decimal(self.dice.randrange(5_000_000)) / 10_000
        )
        expected = self.ledger.used(counter, now)
        was = actions.usage_set(
            by=None, campaign=self.places[counter.place], kind=counter.kind, used=wanted, reason="Moved"
        )
        assert was == expected
        self.ledger.by_hand.append((counter, now, wanted + self.ledger.unsettled(counter, now) - expected))
        self.tally["set by hand"] += 1

    def reports_agree(self):
        """Legs, hourly sums and quick stats against the second book, for each destination and each hour."""
        lines = self.ledger.lines
        rows = CallLeg.objects.values_list("pk", "cost", "revenue", "destination_id")
        assert {pk: (cost, revenue, self.names[place]) for pk, cost, revenue, place in rows} == {
            pk: (line.cost, line.revenue, line.place) for pk, line in lines.items()
        }
        sums = {}
        for name, campaign in self.places.items():
            mine = [line for line in lines.values() if line.place == name]
            hours = defaultdict(lambda: [ZERO, ZERO, 0])
            for line in mine:
                if line.answered:
                    hour = hours[line.ended.replace(minute=0, second=0, microsecond=0)]
                    for index, amount in enumerate((line.cost, line.revenue, 1)):
                        hour[index] += amount
            summed = CampaignHour.objects.filter(campaign=campaign, ended__gt=0)
            assert {row.hour: [row.cost, row.revenue, row.ended] for row in summed} == hours
            totals = CampaignHour.objects.filter(campaign=campaign).aggregate(
                Sum("cost"), Sum("revenue"), Sum("received"), Sum("answered")
            )
            legs = CallLeg.objects.filter(destination=campaign).aggregate(Sum("cost"), Sum("revenue"))
            cost, revenue = sum((line.cost for line in mine), ZERO), sum((line.revenue for line in mine), ZERO)
            assert legs["cost__sum"] == totals["cost__sum"] == cost
            assert legs["revenue__sum"] == totals["revenue__sum"] == revenue
            assert totals["received__sum"] == len(mine)
            assert totals["answered__sum"] == sum(1 for line in mine if line.answered)
            self.stats_agree(campaign, mine)
            sums[name] = (len(mine), cost, revenue)
        for pk, count in self.calls.items():
            assert CampaignHour.objects.filter(campaign=pk).aggregate(Sum("calls"))["calls__sum"] == count
        return sums

    def stats_agree(self, campaign, lines):
        zone = ZoneInfo(campaign.time_zone)
        today = self.clock.now().astimezone(zone).date()
        begins = {
            "today": today,
            "this_week": today - timedelta(days=today.weekday()),
            "this_month": today.replace(day=1),
        }
        stats = quick_stats(campaign)
        for period, day in begins.items():
            ended = [line for line in lines if line.answered and line.ended.astimezone(zone).date() >= day]
            for figure, side in (("payout", "cost"), ("payin", "revenue")):
                expected = sum((getattr(line, side) for line in ended), ZERO)
                assert round(Decimal(stats[period][figure]), 4) == expected, (campaign, period)


def instants(start, end):
    """[(at, whether a period ends then)]: every few hours, and every instant at which some cap resets."""
    wanted, at = {}, start
    while at < end:
        wanted[at] = False
        at += EVERY
    for counter in COUNTERS:
        at = start
        while (until := counter.period(at)[1]) is not None and until < end:
            wanted[until] = True
            at = until
    return sorted(wanted.items())


def test_costs_caps_and_reports_agree_to_the_cent(monkeypatch):
    rounds = [(stretch, at, edge) for stretch, span in enumerate(STRETCHES) for at, edge in instants(*span)]
    assert sum(edge for _stretch, _at, edge in rounds) > 12
    each, began, stuck = max(1, CALLS // len(rounds)), time.monotonic(), deadlocks()
    with Clock() as clock:
        monkeypatch.setattr("django.utils.timezone.now", clock.now)
        clock.set(STRETCHES[0][0] - timedelta(hours=1))
        day = Day(clock)
        day.caps_set()
        took, playing = 0.1, 0
        for number, (stretch, at, edge) in enumerate(rounds):
            if stretch != playing:
                close(day, rounds[number - 1][1])
                playing = stretch
            # Half of the calls of such a round come before the period ends, half after it.
            clock.set(at - timedelta(seconds=took / 2) if edge else at)
            if number % 7 == 3:
                day.set_by_hand()
            if number % 10 == 5:
                day.agree("flat", LONG if number % 20 == 5 else flat("0.4444", "0.9"))
                day.tally["terms"] += 1
            started = time.monotonic()
            day.round(each + (CALLS % len(rounds) if number == len(rounds) - 1 else 0))
            took = time.monotonic() - started
            day.counters_agree()
        sums = close(day, rounds[-1][1])
    assert sum(day.calls.values()) >= CALLS
    for what in ("destination", "overflow", "direct", "moved", "swept", "set by hand", "terms", "priced by policies"):
        assert day.tally[what], f"nothing of “{what}” was played"
    assert deadlocks() == stuck
    print(f"\n{sum(day.calls.values())} calls in {time.monotonic() - began:.0f} s; {dict(day.tally)}; sums {sums}")


def close(day, last):
    """A stretch ends: every call does, the sums are made for all of its hours, and everything agrees."""
    day.clock.set(last + timedelta(hours=3))
    day.round(0)
    day.clock.set(last + timedelta(hours=30))
    day.sweep()
    day.round(0)
    day.counters_agree()
    start = max(start for start, _end in STRETCHES if start <= last)
    actions.hours_roll_up(since=start)
    return day.reports_agree()
