"""The pending queue: what waits for what, since when; and calls that are stuck, with the evidence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from outbound.models import Attempt, AttemptEvent, Batch, CarrierState, Pace, Recipient, Window
from portal.accounts.models import Network, User

from .batches import batches_visible

# No beat for so long: nothing runs that would dial.
SILENT = timedelta(seconds=15)


@dataclass(frozen=True)
class Waiting:
    """Some people of a batch and what they wait for. `code` is stable; `until` None = nobody knows."""

    batch: Batch
    count: int
    code: str
    words: str
    since: datetime | None
    until: datetime | None


def pending_queue(*, user: User, network: Network, now: datetime | None = None) -> list[Waiting]:
    """Everything that waits in the network's batches that were started: one entry per batch and reason."""
    batches = (
        batches_visible(user, network)
        .filter(status__in=["scheduled", "running", "paused", "stopping"])
        .select_related("state", "carrier__state")
        .order_by("pk")
    )
    found: list[Waiting] = []
    for batch in batches:
        found += waiting_for(batch=batch, now=now)
    return found


def waiting_for(*, batch: Batch, now: datetime | None = None) -> list[Waiting]:
    """What the people of one batch wait for. What holds all of them back is named alone."""
    now = now or timezone.now()
    count = batch.state.pending
    if not count:
        return []
    whole = _held_back(batch, now)
    if whole is not None:
        code, words, since, until = whole
        return [Waiting(batch, count, code, words, since, until)]
    found: list[Waiting] = []
    rows = (
        Recipient.objects.filter(batch=batch, state="pending", due_at__lte=now)
        .values("zones").annotate(n=Count("*"), since=Min("due_at")).order_by()
    )  # fmt: skip
    windows = {one.zones_id: one for one in Window.objects.filter(batch=batch).select_related("zones")}
    due = 0
    for row in rows:
        window = windows.get(row["zones"])
        if window is None or window.open_from is None or window.open_until is None:
            found.append(Waiting(batch, row["n"], "never_open", _never(window), row["since"], None))
        elif window.open_from > now or window.open_until <= now:
            until = window.open_from if window.open_from > now else None
            found.append(
                Waiting(
                    batch, row["n"], "window", f"Their window opens {_at(until)} ({window.zones})", row["since"], until
                )
            )
        else:
            due += row["n"]
    if due:
        found.append(_in_turn(batch, due, now))
    later = Recipient.objects.filter(batch=batch, state="pending", due_at__gt=now).aggregate(
        n=Count("*"), first=Min("due_at")
    )
    if later["n"]:
        found.append(
            Waiting(
                batch,
                later["n"],
                "retry",
                f"Their next attempt is due from {_at(later['first'])} on",
                None,
                later["first"],
            )
        )
    return found


def _held_back(batch: Batch, now: datetime) -> tuple[str, str, datetime | None, datetime | None] | None:
    beat = Pace.objects.values_list("beat_at", flat=True).get(pk=1)
    health: CarrierState = batch.carrier.state
    if batch.status == "paused":
        return "paused", batch.pause_reason or "The batch is paused", None, None
    if batch.status == "stopping":
        return "stopping", "The batch is being stopped: they will not be called", None, None
    if batch.status == "scheduled":
        return "not_started", f"The batch starts {_at(batch.starts_at)}", None, batch.starts_at
    if now - beat > SILENT:
        return "no_worker", "No worker has looked at the queue lately: are worker and beat running?", beat, None
    if not batch.carrier.is_enabled:
        return "carrier_off", f"The carrier “{batch.carrier}” is switched off", None, None
    if health.backoff_until and health.backoff_until > now:
        words = f"The carrier “{batch.carrier}” is left alone for a while after: {health.last_error or 'errors'}"
        return "carrier_backoff", words, health.last_error_at, health.backoff_until
    return None


def _in_turn(batch: Batch, count: int, now: datetime) -> Waiting:
    state, carrier = batch.state, batch.carrier
    if batch.lines is not None and state.live >= batch.lines:
        words = f"All {batch.lines} lines of the batch are in use"
    elif carrier.lines is not None and carrier_live(batch) >= carrier.lines:
        words = f"All {carrier.lines} lines of the carrier “{carrier}” are in use"
    elif batch.calls_per_second is not None:
        words = f"Their turn at {batch.calls_per_second:g} calls a second"
    elif carrier.calls_per_second is not None:
        words = f"Their turn at the carrier's {carrier.calls_per_second:g} calls a second, shared with other batches"
    else:
        words = "Their turn: a pump is about to claim them"
    return Waiting(batch, count, "pace", words, state.claimed_at or batch.started_at, None)


def carrier_live(batch: Batch) -> int:
    """Calls that hold a line of the batch's carrier now, over all batches."""
    states = Batch.objects.filter(carrier=batch.carrier_id, status__in=["scheduled", "running", "paused", "stopping"])
    return sum(one.state.live for one in states.select_related("state"))


@dataclass(frozen=True)
class Stuck:
    """A call of which too little is known. `can`: what a person may do (redial, cancel, hang_up), `words`: why it is here."""

    attempt: Attempt
    words: str
    events: list[AttemptEvent]
    can: tuple[str, ...]


def stuck_calls(*, user: User, network: Network, limit: int = 100, now: datetime | None = None) -> list[Stuck]:
    """Calls without news for too long and unknown ones, oldest first, each with everything that was heard of it."""
    now = now or timezone.now()
    attempts = list(_stuck(user, network, now)[:limit])
    heard: dict[object, list[AttemptEvent]] = {one.pk: [] for one in attempts}
    for event in AttemptEvent.objects.filter(attempt__in=list(heard)).order_by("at", "id"):
        heard[event.attempt_id].append(event)
    return [_explained(one, heard[one.pk], now) for one in attempts]


def _stuck(user: User, network: Network, now: datetime) -> QuerySet[Attempt]:
    mine = batches_visible(user, network).values("pk")
    open_ones = Attempt.objects.filter(batch__in=mine, state__in=["queued", "dialing", "connected", "unknown"])
    silent = open_ones.filter(claimed_at__lt=now - timedelta(seconds=settings.OUTBOUND_CLAIM_LEASE))
    old = silent.filter(state__in=["queued", "dialing"]) | silent.filter(state="connected", look_at__lt=now)
    unknown = open_ones.filter(state="unknown", recipient__state="unknown")
    return (old | unknown).select_related("recipient", "batch", "carrier").order_by("claimed_at")


def _explained(attempt: Attempt, events: list[AttemptEvent], now: datetime) -> Stuck:
    absent = sum(one.kind == "absent" for one in events)
    if attempt.state == "unknown" and attempt.look_at is None:
        words = f"The carrier was asked {attempt.looks} times and has no record of it: it may be dialed again"
        return Stuck(attempt, words, events, ("redial", "cancel"))
    if attempt.state == "unknown":
        words = f"No answer came when it was placed; the carrier is being asked (no record so far: {absent})"
        return Stuck(attempt, words, events, ())
    if attempt.state == "queued":
        return Stuck(attempt, f"The worker {attempt.worker} claimed it and has not reported", events, ())
    return Stuck(
        attempt, f"Nothing was heard since {_at(attempt.placed_at)}; the carrier is asked next", events, ("hang_up",)
    )


def _never(window: Window | None) -> str:
    if window is None or window.computed_at is None:
        return "Their window is being computed"
    return f"No window opens for them any more ({window.zones}): widen the hours"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "soon"
