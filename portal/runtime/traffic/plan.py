"""What a call will do, drawn before it is made: who calls, when it is answered, how it ends, which reports go astray."""

from collections import deque
from dataclasses import dataclass
from random import Random

from portal.runtime.demo.callers import caller_draw, talk_seconds

WITHHELD = 0.05
REPEATED = 0.12
BUSY, NO_ANSWER, GIVES_UP = 0.03, 0.06, 0.03
# Hang-ups that nobody reports. Most are lost while it still rings: that lease is short. One in five is lost in the
# conversation, and its slot is held until the long lease runs out or somebody releases it.
LOST, LOST_IN_CONVERSATION = 0.01, 0.2
TWICE, OUT_OF_ORDER = 0.02, 0.01


@dataclass(frozen=True)
class Plan:
    """One call. Times in seconds: to the first ring, then to the answer (None: never) or the end, then of talk.

    twice: each report is sent two times; out_of_order: the hang-up is reported before the answer; lost: no end is.
    """

    number: str
    caller: str | None
    rings_after: float
    waits: float
    talks: float | None
    cause: str
    detail: str
    twice: bool = False
    out_of_order: bool = False
    lost: bool = False


class Planner:
    """Draws calls; the same seed draws the same ones. `numbers` are promo numbers with their share of the calls."""

    def __init__(self, random: Random, numbers: dict[str, float], talk_median: float) -> None:
        self._random, self._talk_median = random, talk_median
        self._numbers, self._shares = list(numbers), list(numbers.values())
        self._recent: dict[str, deque[str]] = {number: deque(maxlen=200) for number in numbers}

    def number(self) -> str:
        """A promo number, by its share of the calls."""
        return self._random.choices(self._numbers, self._shares)[0]

    def draw(self, number: str | None = None) -> Plan:
        """The next call, to `number` if given."""
        random = self._random
        number = number or self.number()
        caller = self._caller(number)
        talks: float | None = None
        # Shorter talks (a test, a fast-forward) ring shorter too.
        pace = min(self._talk_median / 60, 1.0)
        waits, cause, detail = random.uniform(3, 16) * pace, "caller_hangup", ""
        fate = random.random()
        if fate < BUSY:
            waits, cause, detail = 0.0, "busy", "486 Busy Here"
        elif fate < BUSY + NO_ANSWER:
            waits, cause, detail = random.uniform(25, 40) * pace, "no_answer", "480 Temporarily Unavailable"
        elif fate >= BUSY + NO_ANSWER + GIVES_UP:
            talks = talk_seconds(random, self._talk_median)
            cause = "caller_hangup" if random.random() < 0.55 else "destination_hangup"
        lost = random.random() < LOST
        if lost and random.random() >= LOST_IN_CONVERSATION:
            talks = None
        return Plan(
            number, caller, random.uniform(0.3, 2) * pace, waits, talks, cause, detail,
            twice=random.random() < TWICE, out_of_order=random.random() < OUT_OF_ORDER, lost=lost,
        )  # fmt: skip

    def _caller(self, number: str) -> str | None:
        random, recent = self._random, self._recent.setdefault(number, deque(maxlen=200))
        if random.random() < WITHHELD:
            return None
        if recent and random.random() < REPEATED:
            return random.choice(recent)
        caller = caller_draw(random)
        recent.append(caller)
        return caller
