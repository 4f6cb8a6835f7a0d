"""A pump: one loop that claims, dials many at once, and writes the answers together.

The order that keeps everybody from being dialed twice: the claim commits the attempt; then the batch's placing lock is
held (shared) and its status read again; then the call is placed with the attempt's UUID; then the answer is written.
Whatever breaks in between leaves an attempt that the sweeper calls unknown, never one that is dialed again.
"""

import logging
import os
import queue
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from outbound.actions.calls import Claimed, calls_claim, events_apply
from outbound.actions.care import beat
from outbound.actions.common import PUMPS, placing_lock, rows
from outbound.carriers import adapter_of
from outbound.carriers.port import CarrierPort, Event, Lost, NotSent, Order, Placed, Rejected, Unusable, event
from outbound.choices import EventKind, EventSource
from outbound.models import Batch, Carrier
from portal.prepared import one

logger = logging.getLogger(__name__)

# How often the batches of calls that wait for their slot are looked at: what Stop waits for.
LOOK_EVERY = 0.05
# Answers are gathered this long and written in one statement.
GATHER = 0.02
IDLE = 0.1
STOPPED, LATE = "the batch was halted before it was dialed", "its window or lease ended before it was dialed"


@dataclass
class _Batch:
    """A batch of which this pump has calls in hand: what they need, and whether it may still dial."""

    start_url: str
    ani: str
    parameters: dict[str, Any]
    held: bool = False
    open: int = 0
    halted: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class _Answer:
    """What came of one call."""

    call: Claimed
    event: Event
    backoff: int = 0


class Pump:
    """Works until its time is over or nothing is left to do. One thread speaks to the database, others to carriers."""

    def __init__(
        self, *, seconds: float | None = None, idle: float = 2.0, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """seconds: how long it works; idle: how long it waits for work before it ends; stop: asked to end early."""
        self.seconds = settings.OUTBOUND_PUMP_SECONDS if seconds is None else seconds
        self.idle, self.stop = idle, stop
        self.worker = f"{socket.gethostname()[:40]}:{os.getpid()}"
        self.dialed = 0
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._batches: dict[int, _Batch] = {}
        self._adapters: dict[int, CarrierPort] = {}
        self._in_flight = 0
        self._offset = 0.0
        self._looked = 0.0

    def run(self) -> int:
        """Pump. Returns how many calls were handed to carriers; 0 at once when enough pumps are at work already."""
        slot = self._slot()
        if slot is None:
            return 0
        # Whoever comes first after the portal was down: batches that then want to be paused are, before anybody is dialed.
        beat()
        self._offset = rows("SELECT extract(epoch FROM clock_timestamp())::float8")[0][0] - time.time()
        pool = ThreadPoolExecutor(settings.OUTBOUND_IN_FLIGHT, thread_name_prefix="dial")
        try:
            self._loop(pool)
        except DatabaseError:
            # The locks are gone with the connection: nothing more may be dialed on their strength.
            logger.exception("a pump lost the database")
            for batch in self._batches.values():
                batch.held = False
                batch.halted.set()
            connection.close()
        finally:
            # Its place first: one call that the carrier leaves without an answer must not keep everybody from being dialed.
            self._unlock([(PUMPS << 32) + slot], shared=False)
            self._finish(pool)
            self._unlock([placing_lock(pk) for pk, batch in self._batches.items() if batch.held], shared=True)
        return self.dialed

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        ends = time.monotonic() + self.seconds
        last_work = time.monotonic()
        while time.monotonic() < ends and not self.stop():
            room = settings.OUTBOUND_IN_FLIGHT - self._in_flight
            claimed = self._claim(room) if room > 0 else []
            for call in claimed:
                pool.submit(self._dial, call, self._batches[call.batch])
            if claimed or self._in_flight:
                last_work = time.monotonic()
            elif time.monotonic() - last_work > self.idle:
                return
            self._write(GATHER if claimed or self._in_flight else IDLE)
            self._look()

    def _claim(self, room: int) -> list[Claimed]:
        """Claim calls and take the placing lock of their batches; those of a batch that was just halted go back."""
        claimed = calls_claim(worker=self.worker, limit=room)
        self._in_flight += len(claimed)
        for call in claimed:
            if call.batch not in self._batches:
                self._batches[call.batch] = self._open(call.batch)
            self._batches[call.batch].open += 1
            if call.carrier not in self._adapters:
                self._adapters[call.carrier] = self._adapter(Carrier.objects.get(pk=call.carrier))
        return claimed

    def _adapter(self, carrier: Carrier) -> CarrierPort:
        """The carrier's adapter. One that cannot be made (its keys cannot be read) takes no call, and the other carriers go on."""
        try:
            return adapter_of(carrier)
        except Exception as error:
            logger.exception("a carrier cannot be used", extra={"carrier": carrier.pk})
            return Unusable(f"not usable: {error}")

    def _open(self, pk: int) -> _Batch:
        # Tried, not waited for: who waits for it exclusively (Stop) goes first. The status is read after it is held.
        (held,) = one("SELECT pg_try_advisory_lock_shared(%s)", (placing_lock(pk),)) or (False,)
        row = Batch.objects.get(pk=pk)
        batch = _Batch(row.start_url, row.ani, row.parameters, held)
        if not held or row.status != "running":
            batch.halted.set()
        return batch

    def _look(self) -> None:
        """Read the status of batches with calls in hand: of one that was halted nothing more is dialed."""
        if not self._batches or time.monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = time.monotonic()
        running = {
            pk
            for (pk,) in rows(
                "SELECT id FROM outbound_batch WHERE id = ANY(%s) AND status = 'running'", [[*self._batches]]
            )
        }
        for pk, batch in self._batches.items():
            if pk not in running or not batch.held:
                batch.halted.set()
            else:
                # Paused and resumed meanwhile: what still waits here may be dialed again.
                batch.halted.clear()

    def _dial(self, call: Claimed, batch: _Batch) -> None:
        """Place one call at its moment (a thread's work; it touches no database). Always answers."""
        try:
            answer = self._placed(call, batch)
        except NotSent as refused:
            made = event(call.attempt, EventKind.NOT_SENT, EventSource.PLACE, cause=refused.cause)
            answer = _Answer(call, made, refused.retry_after)
        except Rejected as rejected:
            made = event(
                call.attempt, EventKind.ENDED, EventSource.PLACE, outcome=rejected.outcome, cause=rejected.cause
            )
            answer = _Answer(call, made)
        except Exception as error:
            cause = error.cause if isinstance(error, Lost) else type(error).__name__
            if not isinstance(error, Lost):
                logger.exception("placing a call failed")
            answer = _Answer(call, event(call.attempt, EventKind.LOST, EventSource.PLACE, cause=cause))
        self._answers.put(answer)

    def _placed(self, call: Claimed, batch: _Batch) -> _Answer:
        wait = call.dial_at.timestamp() - self._now()
        if wait > 0:
            batch.halted.wait(wait)
        for hindered, why in ((batch.halted.is_set(), STOPPED), (self._now() >= call.not_after.timestamp(), LATE)):
            if hindered:
                # Without a cause of the carrier's: it is no error of its.
                return _Answer(call, event(call.attempt, EventKind.NOT_SENT, EventSource.PLACE, data={"why": why}))
        order = Order(
            attempt=call.attempt, recipient=call.recipient, number=call.number, ani=call.ani or batch.ani,
            start_url=batch.start_url, parameters={**batch.parameters, **(call.parameters or {})},
            callback_url=callback_url(call),
        )  # fmt: skip
        placed: Placed = self._adapters[call.carrier].place(order)
        self.dialed += 1
        return _Answer(
            call,
            event(
                call.attempt, EventKind.ACCEPTED, EventSource.PLACE, carrier_call_id=placed.carrier_call_id,
                at=datetime.fromtimestamp(self._now(), call.dial_at.tzinfo),
            ),
        )  # fmt: skip

    def _now(self) -> float:
        """The database's clock, as of the beginning of this pump."""
        return time.time() + self._offset

    def _write(self, patience: float) -> None:
        """Gather answers for a moment and write them: one statement per carrier; then let finished batches go."""
        answers: list[_Answer] = []
        until = time.monotonic() + patience
        while (left := until - time.monotonic()) > 0:
            try:
                answers.append(self._answers.get(timeout=left))
            except queue.Empty:
                break
            if self._in_flight - len(answers) == 0:
                break
        by_carrier: dict[int, list[_Answer]] = defaultdict(list)
        for answer in answers:
            by_carrier[answer.call.carrier].append(answer)
        for carrier, found in sorted(by_carrier.items()):
            events_apply(
                carrier=carrier, events=[answer.event for answer in found], backoff=max(one.backoff for one in found)
            )
        for answer in answers:
            self._in_flight -= 1
            batch = self._batches[answer.call.batch]
            batch.open -= 1
            if not batch.open:
                if batch.held:
                    rows("SELECT pg_advisory_unlock_shared(%s)", [placing_lock(answer.call.batch)])
                del self._batches[answer.call.batch]

    def _finish(self, pool: ThreadPoolExecutor) -> None:
        """Wait for what is on its way, write it down, and give everything back."""
        patience = time.monotonic() + settings.OUTBOUND_PLACE_TIMEOUT * 2 + 5
        while self._in_flight and time.monotonic() < patience:
            try:
                self._write(0.2)
                self._look()
            except DatabaseError:
                logger.exception("answers could not be written; the sweeper will ask the carrier about them")
                break
        pool.shutdown(wait=False, cancel_futures=True)
        for adapter in self._adapters.values():
            adapter.close()

    def _slot(self) -> int | None:
        """One of the places for pumps, held as long as this connection lives; None when all are taken."""
        for number in range(settings.OUTBOUND_PUMPS):
            (taken,) = one("SELECT pg_try_advisory_lock(%s)", ((PUMPS << 32) + number,)) or (False,)
            if taken:
                return number
        return None

    def _unlock(self, locks: list[int], *, shared: bool) -> None:
        kind = "_shared" if shared else ""
        try:
            for lock in locks:
                rows(f"SELECT pg_advisory_unlock{kind}(%s)", [lock])
        except DatabaseError:
            connection.close()


def callback_url(call: Claimed) -> str:
    """Where the carrier tells us of this call; empty when it cannot reach us."""
    base = settings.OUTBOUND_CALLBACK_URL.rstrip("/")
    return f"{base}/carriers/{call.carrier}/events/{call.attempt}" if base else ""
