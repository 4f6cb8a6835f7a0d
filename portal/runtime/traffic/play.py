"""Playing the traffic: calls arrive, each lives its plan, and every ten seconds a line says how it goes."""

import asyncio
import contextlib
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from portal.runtime.demo.callers import liveliness

from .client import Client, Refused, Unreachable
from .plan import Plan, Planner

# A caller does not wait longer for a switch that cannot reach the portal; a report of a call may come late.
CALL_PATIENCE, EVENT_PATIENCE, LAST_PATIENCE = 20.0, 180.0, 3.0
HEARTBEAT_SECONDS = 60.0
REPORT_SECONDS = 10.0
# Even by night more than half of the busiest hour's calls come: whoever looks at a demo wants to see some.
FLOOR = 55
EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Site:
    """A web site that shows a RingPool's numbers; `share` of all visitors come there."""

    pool: int
    key: str
    share: float


# How visitors come, how many pages they look at, and how many of them call the number that they see.
SOURCES = ("google / cpc", "google / organic", "newsletter", "partner blog", "direct")
PAGES, PAGE_SECONDS, CALLS_SHARE = (1, 5), (15.0, 90.0), 0.2


@dataclass(frozen=True)
class Rhythm:
    """Calls a minute in the busiest hour; now and then `burst` calls to one number within seconds (0 = never)."""

    per_minute: float
    burst: int = 14
    burst_every: float = 240.0
    burst_within: float = 15.0
    visitors_per_minute: float = 0.0


class Traffic:
    """Plays calls until `stop` is called or `seconds` have passed; then it hangs up those in progress."""

    def __init__(
        self,
        client: Client,
        planner: Planner,
        rhythm: Rhythm,
        random: Random,
        say: Callable[[str], None],
        sites: Sequence[Site] = (),
    ) -> None:
        self._client, self._planner, self._rhythm, self._random = client, planner, rhythm, random
        self._say, self._sites = say, list(sites)
        self._run_id = f"{int(time.time()):x}"
        self._made = 0
        self._live: dict[str, Plan] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.counts: Counter[str] = Counter()

    def stop(self) -> None:
        """Stop making calls and hang up."""
        self._stopping.set()

    async def run(self, seconds: float | None = None) -> None:
        """Play. The portal need not be there yet."""
        helpers = [asyncio.create_task(self._arrive()), asyncio.create_task(self._report())]
        if self._sites and self._rhythm.visitors_per_minute:
            helpers.append(asyncio.create_task(self._visitors()))
        if self._rhythm.burst:
            helpers.append(asyncio.create_task(self._burst()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        self._stopping.set()
        for task in [*helpers, *self._tasks]:
            task.cancel()
        await asyncio.gather(*helpers, *self._tasks, return_exceptions=True)
        await self._hang_up()
        self._say(self._line())

    async def _arrive(self) -> None:
        """Calls at random, as they come: exponential pauses, with the day's curve."""
        while True:
            hour = datetime.now(EASTERN).hour
            await asyncio.sleep(self._random.expovariate(self._rhythm.per_minute / 60 * liveliness(hour, FLOOR)))
            self._start(self._planner.draw())

    async def _burst(self) -> None:
        """A spot on television: many call one number at once."""
        while True:
            await asyncio.sleep(self._random.expovariate(1 / self._rhythm.burst_every))
            number = self._planner.number()
            size = max(1, round(self._rhythm.burst * self._random.uniform(0.6, 1.4)))
            self._say(f"burst: {size} calls to {number}")
            for _ in range(size):
                self._start(self._planner.draw(number))
                await asyncio.sleep(self._random.uniform(0, 2 * self._rhythm.burst_within / size))

    async def _visitors(self) -> None:
        """Visitors of the web sites, by the same curve of the day."""
        shares = [site.share for site in self._sites]
        while True:
            hour = datetime.now(EASTERN).hour
            rate = self._rhythm.visitors_per_minute / 60 * liveliness(hour, FLOOR)
            await asyncio.sleep(self._random.expovariate(rate))
            site = self._random.choices(self._sites, shares)[0]
            task = asyncio.create_task(self._visit(site))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _visit(self, site: Site) -> None:
        """One visitor: some pages, each of which asks for his number; some visitors call it."""
        random = self._random
        visit = {
            "visitor": f"{random.getrandbits(64):016x}", "utm_source": random.choice(SOURCES),
            "landing_page": f"https://www.example.com/{random.choice(('', 'prices', 'quote', 'about'))}",
        }  # fmt: skip
        number = None
        for page in range(random.randint(*PAGES)):
            if page:
                await asyncio.sleep(random.uniform(*PAGE_SECONDS))
            number = await self._client.number_for(site.pool, site.key, visit)
            self.counts["pages"] += 1
        self.counts["visitors"] += 1
        if number and random.random() < CALLS_SHARE:
            self._start(self._planner.draw(number))

    def _start(self, plan: Plan) -> None:
        self._made += 1
        task = asyncio.create_task(self._call(plan, f"traffic-{self._run_id}-{self._made}"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, plan: Plan, external_id: str) -> None:
        """One call from its arrival to its end."""
        body = {"promo_number": plan.number, "caller": plan.caller, "external_id": external_id}
        try:
            answer = await self._client.post("calls.json", body, within=CALL_PATIENCE)
        except Unreachable:
            self.counts["not reached"] += 1
            return
        except Refused as error:
            self.counts["errors"] += 1
            self._say(f"the call was not taken: {error}")
            return
        self.counts["calls"] += 1
        self.counts[answer["outcome"]] += 1
        if answer["refusal"]:
            self.counts[f"refused: {answer['refusal']}"] += 1
        if answer["destination"] is None:
            return
        call = answer["call"]
        self._live[call] = plan
        await self._live_through(call, plan)
        if not plan.lost:
            self._live.pop(call, None)

    async def _live_through(self, call: str, plan: Plan) -> None:
        """Ring, answer, talk with a heartbeat each minute, hang up: as planned, however the reports go."""
        await asyncio.sleep(plan.rings_after)
        if plan.cause != "busy" and not await self._event(call, plan, "ringing"):
            return
        await asyncio.sleep(plan.waits)
        answered = datetime.now(UTC)
        if plan.talks is not None:
            if not plan.out_of_order and not await self._event(call, plan, "answered", at=answered):
                return
            if not await self._talk(call, plan, plan.talks):
                return
        if plan.lost:
            # Out of our sight, not out of the portal's: its lease has to run out.
            self.counts["lost"] += 1
            self._live.pop(call, None)
            return
        if await self._event(call, plan, "ended", cause=plan.cause, detail=plan.detail):
            self.counts["ended"] += 1
        if plan.talks is not None and plan.out_of_order:
            await self._event(call, plan, "answered", at=answered)

    async def _talk(self, call: str, plan: Plan, seconds: float) -> bool:
        """Talk; False when the portal says that the call is over (its lease ran out or somebody released it)."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, HEARTBEAT_SECONDS))
            if left > HEARTBEAT_SECONDS and not await self._event(call, plan, "heartbeat"):
                return False
        return True

    async def _event(
        self, call: str, plan: Plan, event: str, *, at: datetime | None = None, cause: str = "", detail: str = ""
    ) -> bool:
        """Report an event, some twice. False when the portal knows the call as finished."""
        body: dict[str, Any] = {"event": event}
        body |= {"at": at.isoformat()} if at else {}
        body |= {"cause": cause, "detail": detail} if cause else {}
        try:
            for _ in range(2 if plan.twice else 1):
                await self._client.post(f"calls/{call}/events.json", body, within=EVENT_PATIENCE)
        except Unreachable:
            self.counts["not reached"] += 1
        except Refused as error:
            if error.code == "call_finished":
                self.counts["finished by the portal"] += 1
            else:
                self.counts["errors"] += 1
                self._say(f"{event} of {call} was not taken: {error}")
            return False
        if event == "answered":
            self.counts["answered"] += 1
        return True

    async def _hang_up(self) -> None:
        """End what is in progress: nobody would report it later, and its slots would wait for their leases."""
        calls = list(self._live)
        ended = {"event": "ended", "cause": "caller_hangup", "at": datetime.now(UTC).isoformat()}
        done = await asyncio.gather(
            *(self._client.post(f"calls/{call}/events.json", ended, within=LAST_PATIENCE) for call in calls),
            return_exceptions=True,
        )
        self.counts["hung up at the end"] += sum(not isinstance(one, BaseException) for one in done)
        self._live.clear()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self._say(self._line())

    def _line(self) -> str:
        """Sums since the start, in one line."""
        counts = self.counts
        refused = [f"{name[9:]} {n}" for name, n in sorted(counts.items()) if name.startswith("refused: ")]
        outcomes = f"{counts['destination']} to a destination, {counts['overflow']} overflow"
        outcomes += f", {counts['direct']} direct" if counts["direct"] else ""
        outcomes += f", {counts['refused']} refused ({', '.join(refused)})" if refused else ""
        parts = [f"{counts['calls']} calls: {outcomes}", f"{len(self._live)} live"]
        parts += [
            f"{counts[name]} {name}"
            for name in ("lost", "finished by the portal", "not reached", "errors")
            if counts[name]
        ]
        if self._client.retries:
            parts.append(f"{self._client.retries} retries")
        if self._client.milliseconds:
            parts.append(f"{statistics.median(self._client.milliseconds):.0f} ms")
        return "; ".join(parts)
