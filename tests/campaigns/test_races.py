"""Sixteen real threads against one bundle: never one call over a cap, and never a counter that drifts.

The first test does what the portal does not do - it reads the live count and then inserts - and shows that the same
threads oversell it: so that the others mean something.
"""

import random
import time
from datetime import timedelta
from itertools import pairwise
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from campaigns import actions
from campaigns.models import BundleDestination, Call, CallLeg, Cap, DestinationState
from portal.accounts.models import Network
from portal.audit.models import AuditEvent
from tests.factories import CampaignFactory, bundle_of, cap, destinations

from .race import THREADS, Tally, counters, deadlocks, intervals, most_at_once, play, sent, together

pytestmark = pytest.mark.django_db(transaction=True)

CAPS = [3, 2, 4, 1]


@pytest.fixture(autouse=True)
def no_deadlocks():
    """PostgreSQL counts deadlocks; a retry would hide them."""
    before = deadlocks()
    yield
    assert deadlocks() == before


class Beside:
    """Something done over and over while the threads run: `with Beside(work):`. Its errors surface at the end."""

    def __init__(self, work, pause=0.0):
        self.work, self.pause, self.done, self.rounds, self.error = work, pause, Event(), 0, None
        self.thread = Thread(target=self._run)

    def _run(self):
        try:
            while not self.done.is_set():
                self.work()
                self.rounds += 1
                time.sleep(self.pause)
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        if self.error:
            raise self.error


def test_without_the_lock_the_same_threads_oversell():
    """The naive way: count what is live, and if it is below the cap, insert. No conditional update, no lock."""
    (only,) = destinations(1, 2)
    bundle = bundle_of(only)

    def naive(_number):
        for _ in range(20):
            now = timezone.now()
            with transaction.atomic():
                live = CallLeg.objects.filter(destination=only, ended_at=None).count()
                if live >= 2:
                    continue
                call = Call.objects.create(
                    network=bundle.network, campaign=bundle, started_at=now, outcome="destination", trace={}
                )
                leg = CallLeg.objects.create(
                    call=call, destination=only, kind="bundle", holds_slot=True, selected_at=timezone.now(),
                    expires_at=now + timedelta(minutes=2),
                )  # fmt: skip
            time.sleep(0.002)
            CallLeg.objects.filter(pk=leg.pk).update(ended_at=timezone.now())

    together(naive)
    assert most_at_once(only) > 2, "the race did not show: the other tests here would prove nothing"


@pytest.mark.parametrize("distribution", ["InOrder", "MostFree", "Weighted"])
def test_never_one_call_over_a_cap(distribution):
    targets = destinations(4, CAPS)
    bundle = bundle_of(*targets, distribution=distribution)
    tally = Tally()

    def look():
        for live, allowed in counters(targets).values():
            assert 0 <= live <= allowed

    with Beside(look) as sampler:
        together(lambda number: play(bundle, number, 250, tally))
    assert sampler.rounds > 5
    assert sum(tally.counts.values()) == THREADS * 250
    assert min(tally.counts["destination"], tally.counts["refused"]) > 100, "the caps were hardly ever reached"
    assert [most_at_once(target) for target in targets] == CAPS
    assert set(counters(targets).values()) == {(0, amount) for amount in CAPS}
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_a_destination_of_two_bundles_has_one_cap():
    (shared, second) = destinations(2, [3, None])
    bundles = [bundle_of(shared), bundle_of(shared, second)]
    tally = Tally()
    together(lambda number: play(bundles[number % 2], number, 60, tally))
    assert most_at_once(shared) == 3
    assert counters([shared])[shared.pk] == (0, 3)


def test_periodic_and_budget_caps_hold_under_the_same_load():
    by_calls, by_money = destinations(2, payout="10.00")
    period = {"reset_period": "Monthly", "starts_at": "2026-01-01", "time_zone": "America/Denver"}
    cap(by_calls, 40, "periodic_calls", **period)
    cap(by_money, "355.00", "budget", **period)
    bundle = bundle_of(by_calls, by_money)
    tally = Tally()
    together(lambda number: play(bundle, number, 25, tally))
    used = [
        CallLeg.objects.filter(destination=target, answered_at__isnull=False).count() for target in (by_calls, by_money)
    ]
    assert used == [40, 35], "unanswered calls are given back, so in the end exactly the caps are used up"
    states = DestinationState.objects.in_bulk()
    assert (states[by_calls.pk].calls_used, states[by_money.pk].spend_used) == (40, 350)
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_a_hang_up_sent_from_several_threads_at_once_frees_one_slot():
    targets = destinations(3, 20)
    bundle = bundle_of(*targets, distribution="MostFree")
    calls = [
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123").call_id
        for _ in range(60)
    ]
    tally = Tally()

    def hang_up(_number):
        for call in calls:
            tally.add(sent("ended", bundle, call))

    together(hang_up)
    assert tally.counts == {"applied": 60, "unchanged": 60 * (THREADS - 1)}
    assert {live for live, _ in counters(targets).values()} == {0}


def test_events_in_any_order_from_any_thread_end_in_the_same_state():
    (only,) = destinations(1, 100)
    cap(only, 1000, "periodic_calls", reset_period="Ongoing", starts_at="2026-01-01", time_zone="UTC")
    bundle = bundle_of(only)
    calls = [
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123").call_id
        for _ in range(60)
    ]

    def tell(number):
        dice = random.Random(number)
        todo = [(event, call) for event in ("ringing", "answered", "heartbeat", "ended") for call in calls]
        dice.shuffle(todo)
        for event, call in todo:
            sent(event, bundle, call)

    together(tell, threads=8)
    for leg in CallLeg.objects.all():
        assert leg.selected_at <= leg.ringing_at <= leg.answered_at <= leg.ended_at
        assert leg.end_reason == "caller_hangup"
    state = DestinationState.objects.get(pk=only.pk)
    assert (state.live, state.calls_used) == (0, 60)
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_sweeper_heartbeat_and_hang_up_meet_on_the_same_leases():
    targets = destinations(3, 40)
    bundle = bundle_of(*targets, distribution="MostFree")
    calls = [
        actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123").call_id
        for _ in range(90)
    ]
    tally = Tally()

    def meddle(number):
        dice = random.Random(number)
        for call in dice.sample(calls, len(calls)):
            what = number % 4
            if what == 0:
                # The lease runs out just now, as far as this call is concerned.
                CallLeg.objects.filter(call=call, ended_at=None).update(expires_at=timezone.now())
                tally.add("expired" if actions.slots_sweep(limit=5) else "nothing to sweep")
            elif what == 1:
                tally.add(sent("heartbeat", bundle, call))
            elif dice.random() < 0.3:
                tally.add(sent("ended", bundle, call))

    def look():
        assert all(live >= 0 for live, _ in counters(targets).values())

    with Beside(look):
        together(meddle)
    for call in calls:
        sent("ended", bundle, call)
    assert {live for live, _ in counters(targets).values()} == {0}
    assert not CallLeg.objects.filter(ended_at=None).exists()
    assert set(CallLeg.objects.values_list("end_reason", flat=True)) == {"caller_hangup", "lease_expired"}
    assert actions.live_counts_reconcile() == []


def test_a_cap_lowered_under_load_lets_no_new_call_in_while_it_is_reached():
    (only,) = destinations(1, 12)
    bundle = bundle_of(only)
    tally, lowered, stop = Tally(), [], Event()

    def lower():
        try:
            for amount in (5, 2, 2):
                time.sleep(0.4)
                cap(only, amount)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT clock_timestamp()")
                    lowered.append((cursor.fetchone()[0], amount))
        finally:
            stop.set()

    def work(number):
        if number == 0:
            lower()
        while not stop.is_set():
            play(bundle, number, 20, tally, hold=3)

    together(work)
    legs = intervals(only)
    assert most_at_once(only) > 5, "the load never passed the lower cap, so lowering it proved nothing"
    for (since, amount), (until, _) in pairwise(lowered):
        later = [began for began, _ in legs if since < began < until]
        assert later, "no call came after the cap was lowered"
        for began in later:
            live = sum(1 for other, ended in legs if other < began and (ended is None or ended > began))
            assert live < amount
    assert counters([only])[only.pk] == (0, 2)


def test_reconcile_under_load_never_finds_a_drift():
    targets = destinations(4, CAPS, payout="0.50")
    for target in targets:
        cap(target, 100_000, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="UTC")
        cap(target, "900000", "budget", reset_period="Monthly", starts_at="2026-01-31", time_zone="America/Denver")
    overflow = CampaignFactory(advertiser=targets[0].advertiser)
    cap(overflow, 100_000, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="UTC")
    bundle = bundle_of(*targets, distribution="Weighted", overflow=overflow)
    tally, drifts = Tally(), []
    with Beside(lambda: drifts.extend(actions.live_counts_reconcile(with_usage=True))) as reconcile:
        together(lambda number: play(bundle, number, 60, tally))
    assert reconcile.rounds > 5 and tally.counts["overflow"] > 20
    assert drifts == []
    assert [most_at_once(target) for target in targets] == CAPS


def test_the_same_external_id_from_sixteen_threads_is_one_call():
    targets = destinations(4, [2, 2, 2, 2])
    bundle = bundle_of(*targets, distribution="Weighted")
    for attempt in range(15):
        answers = []

        def route(_number, answers=answers, attempt=attempt):
            routed = actions.call_route(
                by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123", external_id=f"sip-{attempt}"
            )
            answers.append((routed.call_id, routed.leg_id, routed.destination_id, routed.repeated))

        together(route)
        assert len({answer[:3] for answer in answers}) == 1
        assert [answer[3] for answer in answers].count(False) == 1
        assert sum(live for live, _ in counters(targets).values()) == 1
        sent("ended", bundle, answers[0][0])
    assert Call.objects.count() == CallLeg.objects.count() == 15


def test_editors_of_one_cap_take_turns():
    (only,) = destinations(1, 7)

    def edit(number):
        for step in range(8):
            cap(only, 1 + number * 8 + step)

    together(edit)
    saved = Cap.objects.get(campaign=only)
    assert counters([only])[only.pk] == (0, int(saved.amount))
    events = AuditEvent.objects.filter(event="cap.change", object_id=str(only.pk)).order_by("id")
    chain = [event.changes["amount"] for event in events]
    assert float(chain[0][0]) == 7 and float(chain[-1][1]) == saved.amount
    for (_, became), (was, _) in pairwise(chain):
        assert float(became) == float(was), "an edit was lost between two others"


def test_everything_at_once_without_a_deadlock():
    """Calls, direct calls, cap edits, bundle edits, the network's switch, sweeper, reconcile and roll-up together."""
    targets = destinations(3, [3, 3, 3])
    for target in targets:
        cap(target, 100_000, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="UTC")
    bundle = bundle_of(*targets, distribution="Weighted", repeat_caller=True)
    tally = Tally()

    def work(number):
        dice = random.Random(number)
        if number < 10:
            play(bundle, number, 40, tally)
        for _ in range(0 if number < 10 else 25):
            if number == 10:
                direct = actions.call_route(
                    by=None, network=bundle.network, campaign=dice.choice(targets).pk, caller=None
                )
                sent("ended", bundle, direct.call_id)
            elif number == 11:
                cap(dice.choice(targets), dice.randrange(1, 4))
            elif number == 12:
                Network.objects.filter(pk=bundle.network_id).update(concurrent_call_caps_enabled=dice.random() < 0.5)
            elif number == 13:
                place = BundleDestination.objects.filter(bundle=bundle).order_by("?").first()
                actions.destination_update(
                    by=None, bundle=bundle, destination=place.destination, weight=dice.randrange(1, 5)
                )
            elif number == 14:
                actions.slots_sweep()
                actions.hours_roll_up()
            else:
                assert actions.live_counts_reconcile() == []

    together(work)
    assert {live for live, _ in counters(targets).values()} == {0}
    assert actions.live_counts_reconcile(with_usage=True) == []
