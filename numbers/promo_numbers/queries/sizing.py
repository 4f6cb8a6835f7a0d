"""How many numbers a RingPool needs for its visitors: Erlang B, with its sum shown.

A number is a server, a visitor a call, the lifetime the length of the call. Visitors who find no number are not queued:
they see the overflow or the destination number, which is exactly what Erlang B counts as blocked.
"""

import math
from dataclasses import dataclass

# Beyond it a pool cannot grow (models.pools), and the sum would take its time.
MOST = 1_000_000
DEFAULT_BLOCKING = 0.01


def erlang_b(load: float, servers: int) -> float:
    """The share (0 to 1) of visitors who find all `servers` numbers taken.

    load: in erlangs = visitors per hour x lifetime in hours. Computed by the stable recursion
    B(0) = 1, B(n) = load B(n-1) / (n + load B(n-1)). Raises ValueError for a negative load or count.
    """
    if not math.isfinite(load) or load < 0 or servers < 0:
        raise ValueError("load and servers are not negative")
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
        if blocked == 0:
            break
    return blocked


def load_of(visitors_per_hour: float, lifetime_seconds: float) -> float:
    """The load in erlangs: how many numbers are held at once on average if none is ever missing."""
    return visitors_per_hour * lifetime_seconds / 3600


def numbers_needed(visitors_per_hour: float, lifetime_seconds: float, blocking: float = DEFAULT_BLOCKING) -> int:
    """The fewest numbers with which at most the share `blocking` of visitors finds none.

    visitors_per_hour: new visitors in the busiest hour; lifetime_seconds: how long each keeps his number after his last
    request. 0 for no visitors. Raises ValueError for figures out of range, and for more than a million numbers.
    """
    return sizing(visitors_per_hour, lifetime_seconds, blocking).numbers


@dataclass(frozen=True)
class Sizing:
    """The answer with its working. `blocked_now` is what remains blocked with `numbers` of them, `one_less` with one fewer."""

    visitors_per_hour: float
    lifetime_seconds: float
    blocking: float
    load: float
    numbers: int
    blocked_now: float
    one_less: float | None

    @property
    def use(self) -> float:
        """The share of the numbers held on average in the busiest hour."""
        return self.load * (1 - self.blocked_now) / self.numbers if self.numbers else 0.0

    @property
    def working(self) -> list[str]:
        """The sum, line by line, in words that anybody can check."""
        lines = [
            f"Load = {self.visitors_per_hour:,.0f} visitors an hour × {self.lifetime_seconds:,.0f} s ÷ 3,600 s"
            f" = {self.load:,.2f} erlangs: so many numbers are held at once on average.",
        ]
        if not self.numbers:
            return [*lines, "Without visitors no number is needed."]
        lines.append(
            "Erlang B: B(0) = 1, B(n) = load × B(n−1) ÷ (n + load × B(n−1)), the share of visitors who find all n taken."
        )
        if self.one_less is not None:
            lines.append(
                f"B({self.numbers - 1:,}) = {self.one_less:.3%}: more than the {self.blocking:.2%} that may find none."
            )
        lines.append(
            f"B({self.numbers:,}) = {self.blocked_now:.3%}: at most {self.blocking:.2%}, so {self.numbers:,} numbers are"
            f" enough; {self.use:.0%} of them are in use on average in that hour."
        )
        return lines


def sizing(visitors_per_hour: float, lifetime_seconds: float, blocking: float = DEFAULT_BLOCKING) -> Sizing:
    """`numbers_needed` with its working."""
    if not 0 < blocking < 1:
        raise ValueError("blocking is a share between 0 and 1")
    if visitors_per_hour < 0 or lifetime_seconds < 0:
        raise ValueError("visitors and lifetime are not negative")
    load = load_of(visitors_per_hour, lifetime_seconds)
    if not load * (1 - blocking) <= MOST:
        raise ValueError(f"that is more than {MOST:,} numbers")
    before: float | None = None
    blocked, numbers = 1.0, 0
    # The same recursion as `erlang_b`, stopped at the first that is good enough. No load, no number.
    while load > 0 and blocked > blocking:
        numbers += 1
        before, blocked = blocked, load * blocked / (numbers + load * blocked)
    return Sizing(
        visitors_per_hour, lifetime_seconds, blocking, load, numbers, blocked if numbers else 0.0,
        before if numbers > 1 else None,
    )  # fmt: skip
