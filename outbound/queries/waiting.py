"""The pending queue: what waits for what, since when. A constant number of statements, however many batches are asked about."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Sum
from django.utils import timezone

from outbound.choices import ACTIVE
from outbound.models import Batch, CarrierState, Pace, Recipient, Window
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


@dataclass
class _People:
    """Who of a batch waits: those whose time has come, by zones, and those who are tried again later."""

    due: list[tuple[int | None, int, datetime]] = field(default_factory=list)
    windows: dict[int, Window] = field(default_factory=dict)
    later: tuple[int, datetime] | None = None


def pending_queue(*, user: User, network: Network, now: datetime | None = None) -> list[Waiting]:
    """Everything that waits in the network's batches that were started: one entry per batch and reason."""
    batches = batches_visible(user, network).filter(status__in=ACTIVE).select_related("state", "carrier__state")
    return waiting_in(batches=batches.order_by("pk"), now=now)


def waiting_for(*, batch: Batch, now: datetime | None = None) -> list[Waiting]:
    """What the people of one batch wait for."""
    return waiting_in(batches=[batch], now=now)


def waiting_in(*, batches: Iterable[Batch], now: datetime | None = None) -> list[Waiting]:
    """What the people of some batches (each with `state` and `carrier.state`) wait for, in the order of the batches.

    What holds all people of a batch back is named alone. Five statements, whatever the number of batches.
    """
    now = now or timezone.now()
    some = [batch for batch in batches if batch.state.pending]
    if not some:
        return []
    beat = Pace.objects.values_list("beat_at", flat=True).get(pk=1)
    held = {batch.pk: _held_back(batch, beat, now) for batch in some}
    going = [batch for batch in some if held[batch.pk] is None]
    people, live = _people(going, now), _live_of_carriers(going)
    found: list[Waiting] = []
    for batch in some:
        whole = held[batch.pk]
        if whole is not None:
            code, words, since, until = whole
            found.append(Waiting(batch, batch.state.pending, code, words, since, until))
        else:
            found += _waiting(batch, people[batch.pk], live.get(batch.carrier_id, 0), now)
    return found


def _people(batches: list[Batch], now: datetime) -> dict[int, _People]:
    found: dict[int, _People] = defaultdict(_People)
    if not batches:
        return found
    pending = Recipient.objects.filter(batch__in=[batch.pk for batch in batches], state="pending").order_by()
    due = pending.filter(due_at__lte=now).values_list("batch", "zones").annotate(n=Count("*"), since=Min("due_at"))
    for batch, zones, n, since in due:
        found[batch].due.append((zones, n, since))
    for window in Window.objects.filter(batch__in=list(found)).select_related("zones"):
        found[window.batch_id].windows[window.zones_id] = window
    later = pending.filter(due_at__gt=now).values_list("batch").annotate(n=Count("*"), first=Min("due_at"))
    for batch, n, first in later:
        found[batch].later = (n, first)
    return found


def _live_of_carriers(batches: list[Batch]) -> dict[int, int]:
    """Calls that hold a line of each carrier whose lines are limited, over all its batches."""
    limited = {batch.carrier_id for batch in batches if batch.carrier.lines is not None}
    if not limited:
        return {}
    held = F("state__queued") + F("state__dialing") + F("state__connected")
    rows = Batch.objects.filter(carrier__in=limited, status__in=ACTIVE).order_by()
    return dict(rows.values_list("carrier").annotate(n=Sum(held)))


def _waiting(batch: Batch, people: _People, carrier_live: int, now: datetime) -> list[Waiting]:
    found: list[Waiting] = []
    in_turn = 0
    for zones, count, since in people.due:
        window = people.windows.get(zones) if zones is not None else None
        if window is None or window.open_from is None or window.open_until is None:
            found.append(Waiting(batch, count, "never_open", _never(window), since, None))
        elif window.open_from > now or window.open_until <= now:
            until = window.open_from if window.open_from > now else None
            words = f"Their window opens {at(until)} ({window.zones})"
            found.append(Waiting(batch, count, "window", words, since, until))
        else:
            in_turn += count
    if in_turn:
        found.append(_in_turn(batch, in_turn, carrier_live))
    if people.later is not None:
        count, first = people.later
        words = f"Their next attempt is due from {at(first)} on"
        found.append(Waiting(batch, count, "retry", words, None, first))
    return found


def _held_back(batch: Batch, beat: datetime, now: datetime) -> tuple[str, str, datetime | None, datetime | None] | None:
    health: CarrierState = batch.carrier.state
    if batch.status == "paused":
        return "paused", batch.pause_reason or "The batch is paused", None, None
    if batch.status == "stopping":
        return "stopping", "The batch is being stopped: they will not be called", None, None
    if batch.status == "scheduled":
        return "not_started", f"The batch starts {at(batch.starts_at)}", None, batch.starts_at
    if now - beat > SILENT:
        return "no_worker", "No worker has looked at the queue lately: are worker and beat running?", beat, None
    if not batch.carrier.is_enabled:
        return "carrier_off", f"The carrier “{batch.carrier}” is switched off", None, None
    if health.backoff_until and health.backoff_until > now:
        words = f"The carrier “{batch.carrier}” is left alone for a while after: {health.last_error or 'errors'}"
        return "carrier_backoff", words, health.last_error_at, health.backoff_until
    return None


def _in_turn(batch: Batch, count: int, carrier_live: int) -> Waiting:
    state, carrier = batch.state, batch.carrier
    if batch.lines is not None and state.live >= batch.lines:
        words = f"All {batch.lines} lines of the batch are in use"
    elif carrier.lines is not None and carrier_live >= carrier.lines:
        words = f"All {carrier.lines} lines of the carrier “{carrier}” are in use"
    elif carrier.state.slowed:
        cause = carrier.state.last_error or "errors"
        words = f"The carrier “{carrier}” is slowed to 1/{2**carrier.state.slowed} of its pace after: {cause}"
        return Waiting(batch, count, "carrier_slowed", words, carrier.state.slowed_at, None)
    elif carrier.calls_per_second is not None and (
        batch.calls_per_second is None or carrier.calls_per_second < batch.calls_per_second
    ):
        words = (
            f"Their turn at the carrier's {float(carrier.calls_per_second):g} calls a second, shared with other batches"
        )
    elif batch.calls_per_second is not None:
        words = f"Their turn at {float(batch.calls_per_second):g} calls a second"
    else:
        words = "Their turn: a pump is about to claim them"
    return Waiting(batch, count, "pace", words, state.claimed_at or batch.started_at, None)


def _never(window: Window | None) -> str:
    if window is None or window.computed_at is None:
        return "Their window is being computed"
    return f"No window opens for them any more ({window.zones}): widen the hours"


def at(moment: datetime | None) -> str:
    """A moment in the words of the queue."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "soon"
