"""What the tests with real threads share: a starting gun, a load of calls, and counts made outside of the portal."""

import random
from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Lock, Thread

from django.db import connection

from campaigns import actions
from campaigns.models import CallLeg, Campaign, DestinationState
from portal.errors import Conflict

THREADS = 16


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run `work(number)` in real threads, each with a connection of its own, all let go at once. Re-raises the first error."""
    gun, errors = Barrier(threads), []

    def body(number: int) -> None:
        try:
            connection.ensure_connection()
            gun.wait(60)
            work(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    running = [Thread(target=body, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]


class Tally:
    """Counts of what happened, from many threads."""

    def __init__(self) -> None:
        self.lock, self.counts = Lock(), {}

    def add(self, what: str) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1


def play(bundle: Campaign, number: int, calls: int, tally: Tally, hold: int = 2) -> None:
    """Place `calls` calls, hold up to `hold` at once, answer some, end all: what a switch does, without waiting."""
    dice = random.Random(number)
    held: list[int] = []

    def end(call: int) -> None:
        if dice.random() < 0.7:
            actions.call_event(by=None, network=bundle.network, call=call, event="answered")
        actions.call_event(by=None, network=bundle.network, call=call, event="ended")

    for _ in range(calls):
        routed = actions.call_route(
            by=None, network=bundle.network, campaign=bundle.pk, caller=f"+1303555{dice.randrange(10000):04d}"
        )
        tally.add(routed.outcome)
        if routed.leg_id is not None:
            held.append(routed.call_id)
        while len(held) > dice.randrange(hold + 1):
            end(held.pop(0))
    for call in held:
        end(call)


def intervals(destination: Campaign) -> list[tuple[datetime, datetime | None]]:
    """[from, to) of every slot that was held on a destination, from its legs alone."""
    rows = CallLeg.objects.filter(destination=destination, holds_slot=True)
    return list(rows.values_list("selected_at", "ended_at"))


def most_at_once(destination: Campaign) -> int:
    """The highest number of slots held at any instant: a running sum over beginnings and ends."""
    steps = []
    for began, ended in intervals(destination):
        steps.append((began, 1))
        if ended is not None:
            steps.append((ended, -1))
    live = most = 0
    # At the same instant the end comes first: the slot was free again.
    for _at, step in sorted(steps):
        live += step
        most = max(most, live)
    return most


def counters(campaigns: list[Campaign]) -> dict[int, tuple[int, int | None]]:
    """{destination: (live, cap)} as the hot rows say now."""
    rows = DestinationState.objects.filter(pk__in=[campaign.pk for campaign in campaigns])
    return {pk: (live, cap) for pk, live, cap in rows.values_list("pk", "live", "live_cap")}


def deadlocks() -> int:
    """Deadlocks that PostgreSQL has counted in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_clear_snapshot(), deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return cursor.fetchone()[1]


def sent(event: str, bundle: Campaign, call: int) -> str:
    """Send an event; the result, or `finished` where the portal refuses it for that."""
    try:
        return actions.call_event(by=None, network=bundle.network, call=call, event=event).result
    except Conflict as error:
        assert error.code == "call_finished"
        return "finished"
