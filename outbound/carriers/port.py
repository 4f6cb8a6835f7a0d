"""The port through which calls go out, and what comes back through it. A carrier is an adapter with these four doors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from outbound.choices import CalleeType, EventKind, EventSource, Outcome

MOST_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class Order:
    """One call to place. `attempt` is the id by which it is known for ever; the carrier is told it where it can be."""

    attempt: UUID
    recipient: int
    number: str
    ani: str
    start_url: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    callback_url: str = ""


@dataclass(frozen=True)
class Placed:
    """The carrier has taken the call."""

    carrier_call_id: str = ""


class NotSent(Exception):
    """For certain nothing was dialed (refused, busy, not connected): the recipient waits on. retry_after: seconds or 0."""

    def __init__(self, cause: str, retry_after: int = 0) -> None:
        super().__init__(cause)
        self.cause, self.retry_after = cause, retry_after


class Rejected(Exception):
    """The carrier refuses this very call for good: an end of the attempt with `outcome`."""

    def __init__(self, outcome: str, cause: str) -> None:
        super().__init__(cause)
        self.outcome, self.cause = outcome, cause


class Lost(Exception):
    """No answer, or one that does not say: the call may be ringing. It becomes unknown and is never dialed again by itself."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class NotSigned(Exception):
    """A callback that is not the carrier's."""


@dataclass(frozen=True)
class Known:
    """An open attempt to ask the carrier about."""

    attempt: UUID
    carrier_call_id: str
    number: str
    ani: str
    claimed_at: datetime


@dataclass(frozen=True)
class Callback:
    """A request from the carrier as it came. `attempt`: from the address called, where that names it."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    form: Mapping[str, str]
    attempt: UUID | None = None


Event = dict[str, Any]


def event(
    attempt: UUID | str,
    kind: EventKind,
    source: EventSource,
    *,
    mark: str = "",
    at: datetime | None = None,
    **more: Any,
) -> Event:
    """One event as `outbound_apply` reads it. mark: what tells it from others of its kind; the same again is a repetition.

    more: carrier_call_id, outcome, cause, callee, duration (seconds), data. A carrier may say anything: what no row could
    hold is brought into shape here, so that one carrier's nonsense never stands in the way of another's news.
    """
    key = f"{kind}:{source}:{mark}" if mark else str(kind)
    made: Event = {"attempt": str(UUID(str(attempt))), "kind": str(kind), "key": key[:80], "source": str(source)}
    if at is not None:
        made["at"] = at.isoformat()
    return made | {name: _fit(name, value) for name, value in more.items() if value not in (None, "")}


def _fit(name: str, value: Any) -> Any:
    if name == "outcome":
        return str(value) if value in Outcome.values else str(Outcome.CARRIER_ERROR)
    if name == "callee":
        return str(value) if value in CalleeType.values else str(CalleeType.UNKNOWN)
    if name == "duration":
        return min(max(int(value), 0), MOST_SECONDS) if isinstance(value, int | float) else None
    if name == "data":
        return {_text(key): _text(item) if isinstance(item, str) else item for key, item in value.items()}
    return _text(value)[:250]


def _text(value: Any) -> str:
    return str(value).replace("\x00", "")


class Unusable:
    """Stands for a carrier whose adapter cannot be made: for certain it dials nobody."""

    def __init__(self, cause: str) -> None:
        self.cause = cause

    def place(self, order: Order) -> Placed:
        raise NotSent(self.cause)

    def lookup(self, known: list[Known]) -> list[Event]:
        raise NotSent(self.cause)

    def hangup(self, known: Known) -> bool:
        return False

    def events(self, callback: Callback) -> list[Event]:
        raise NotSigned(self.cause)

    def close(self) -> None:
        pass


class CarrierPort(Protocol):
    """What an adapter does. It holds no state of ours and may be used from several threads."""

    def place(self, order: Order) -> Placed:
        """Place one call. Raises NotSent, Rejected, Lost: anything else counts as Lost."""
        ...

    def lookup(self, known: list[Known]) -> list[Event]:
        """Ask the carrier's own log: events of those that it knows, `absent` for those that it does not.

        Raises NotSent when it cannot be asked now.
        """
        ...

    def hangup(self, known: Known) -> bool:
        """End a call; True if the carrier took the request. Its `ended` comes as an event."""
        ...

    def events(self, callback: Callback) -> list[Event]:
        """Read a callback. Raises NotSigned."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...
