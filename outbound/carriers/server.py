"""The simulator: a carrier in one process, behind real HTTP. It counts for itself every request to place a call.

POST /calls, DELETE /calls/<attempt>, POST /lookup, GET /counts, POST /control {"dead": true} (everything answers 503).
What it does with a number stands in `simulated.py`.
"""

import asyncio
import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from portal.webhooks import signed_headers

from .simulated import Plan, plan_of

MOST_BODY = 1 << 20
Answer = tuple[int, dict[str, Any], dict[str, str]]


@dataclass
class Call:
    """A call that the simulator has taken."""

    id: str
    attempt: str
    number: str
    callback: str
    secret: str
    plan: Plan
    parameters: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False


@dataclass(frozen=True)
class Pace:
    """Seconds: until it rings and is answered, of talk, until a placed call is answered over HTTP, of a slow answer."""

    ring: float = 0.05
    talk: float = 0.1
    answer: float = 0.0
    slow: float = 2.0
    gather: float = 0.02


class SimulatedCarrier:
    """The carrier itself. `placed` counts requests per attempt, `people` per recipient: proof from outside."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.calls: dict[str, Call] = {}
        self.placed: Counter[str] = Counter()
        self.people: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.requests = 0
        self.dead = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self._client: httpx.AsyncClient | None = None

    async def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer | None:
        """The answer to a request; None = say nothing at all."""
        if path == "/control":
            self.dead = bool(body.get("dead"))
            return 200, {"dead": self.dead}, {}
        if path == "/counts":
            return 200, self.counts(), {}
        if path == "/calls" and method == "POST":
            return await self._place(body)
        if self.dead:
            return 503, {"cause": "dead"}, {}
        if path == "/lookup":
            return 200, {"calls": self._found(body.get("attempts", []))}, {}
        if path.startswith("/calls/") and method == "DELETE":
            call = self.calls.get(path.rpartition("/")[2])
            if call is None:
                return 404, {}, {}
            call.hung_up.set()
            return 200, {}, {}
        return 404, {}, {}

    def counts(self) -> dict[str, Any]:
        """What was seen from outside: requests to place, and whoever was asked for or taken more than once."""
        return {
            "requests": self.requests,
            "attempts": len(self.placed),
            "recipients": len(self.people),
            "calls": len(self.calls),
            "attempts_twice": {key: n for key, n in self.placed.items() if n > 1},
            "recipients_taken_twice": {key: n for key, n in self.taken.items() if n > 1},
            "live": sum(not call.ended for call in self.calls.values()),
        }

    async def _place(self, body: dict[str, Any]) -> Answer | None:
        self.requests += 1
        attempt, number = body["attempt"], body["to"]
        self.placed[attempt] += 1
        self.people[str(body.get("recipient"))] += 1
        plan = plan_of(number)
        if self.dead:
            return 503, {"cause": "dead"}, {}
        if plan.invalid:
            return 422, {"outcome": "invalid_number", "cause": "1"}, {}
        if plan.refused and self.refusals[number] < plan.refused_times:
            self.refusals[number] += 1
            return plan.refused, {"cause": "busy"}, {"Retry-After": "1"}
        if not plan.taken:
            return None
        self.taken[str(body.get("recipient"))] += 1
        call = Call(
            uuid4().hex,
            attempt,
            number,
            body.get("callback", ""),
            body.get("secret", ""),
            plan,
            body.get("parameters", {}),
        )
        self.calls[attempt] = call
        self._begin(self._course(call))
        if plan.silent:
            return None
        if plan.broken:
            return 500, {"cause": "broken"}, {}
        await asyncio.sleep(self.pace.slow if plan.slow else self.pace.answer)
        return 201, {"id": call.id}, {}

    async def _course(self, call: Call) -> None:
        """Ring, be answered, talk, end; tell each as it happens."""
        plan, told = call.plan, []
        await self._wait(call, self.pace.ring)
        if not call.hung_up.is_set():
            told.append(self._note(call, "ringing"))
            await self._wait(call, self.pace.ring)
        answered = plan.answered and not call.hung_up.is_set()
        if answered:
            told.append(self._note(call, "answered", callee=plan.ends[2]))
            await self._wait(call, 3600 if plan.endless else self.pace.talk)
        outcome, cause, callee = plan.ends if answered or not call.hung_up.is_set() else ("canceled", "16", "")
        duration = round(self.pace.talk) if answered else None
        told.append(self._note(call, "ended", outcome=outcome, cause=cause, callee=callee, duration=duration))
        call.ended = True
        if plan.reordered:
            for event in reversed(told):
                self._tell(call, event)

    async def _wait(self, call: Call, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(call.hung_up.wait(), seconds)

    def _note(self, call: Call, kind: str, **more: Any) -> dict[str, Any]:
        event = {"attempt": call.attempt, "kind": kind, "at": datetime.now(UTC).isoformat(), **more}
        call.events.append(event)
        if not call.plan.reordered:
            self._tell(call, event)
            if call.plan.repeated:
                self._tell(call, event)
        return event

    def _tell(self, call: Call, event: dict[str, Any]) -> None:
        if not call.callback or call.plan.callbacks_lost:
            return
        key = (call.callback, call.secret)
        self._waiting[key].append(event)
        if len(self._waiting[key]) == 1:
            self._begin(self._send(key))

    async def _send(self, key: tuple[str, str]) -> None:
        """Send what has gathered for one address; try a few times, then it is lost, as with any carrier."""
        await asyncio.sleep(self.pace.gather)
        events = self._waiting.pop(key, [])
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=10, trust_env=False)
        body = json.dumps({"events": events}).encode()
        for pause in (0.1, 0.5, 2.0):
            headers = {"Content-Type": "application/json"}
            if key[1]:
                headers |= signed_headers(key[1], uuid4().hex, body)
            with contextlib.suppress(httpx.HTTPError):
                if (await self._client.post(key[0], content=body, headers=headers)).status_code < 300:
                    return
            await asyncio.sleep(pause)

    def _found(self, attempts: list[str]) -> dict[str, Any]:
        known = ((attempt, self.calls.get(attempt)) for attempt in attempts)
        return {attempt: {"id": call.id, "events": call.events} for attempt, call in known if call is not None}

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def serve(carrier: SimulatedCarrier, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve until canceled. `ready` hears the port (0 = any free one)."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            while await _exchange(reader, writer, carrier.answer):
                pass
        writer.close()

    server = await asyncio.start_server(client, host, port, backlog=512)
    ready(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: Callable[[str, str, dict[str, Any]], Awaitable[Answer | None]],
) -> bool:
    """One request of HTTP/1.1 and its answer; False when the connection is over."""
    line = await reader.readline()
    if not line:
        return False
    method, path, _ = line.decode("latin-1").split(" ", 2)
    length, goes_on = 0, True
    while (header := await reader.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = header.decode("latin-1").partition(":")
        if name.lower() == "content-length":
            length = min(int(value), MOST_BODY)
        elif name.lower() == "connection":
            goes_on = value.strip().lower() != "close"
    body = json.loads(await reader.readexactly(length)) if length else {}
    given = await answer(method, path.partition("?")[0], body)
    if given is None:
        # Silence: the other side's timeout ends it.
        await reader.read(1)
        return False
    status, content, headers = given
    data = json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
    await writer.drain()
    return goes_on
