"""What the interpreter speaks: inputs that come from a phone, actions that go to it, and the state between them."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, Self

InputKind = Literal[
    "start", "digits", "timeout", "selected", "refused", "answered", "busy", "no_answer", "failed", "completed",
    "recorded", "hangup",
]  # fmt: skip
INPUTS: tuple[InputKind, ...] = (
    "start", "digits", "timeout", "selected", "refused", "answered", "busy", "no_answer", "failed", "completed",
    "recorded", "hangup",
)  # fmt: skip


@dataclass(frozen=True)
class Input:
    """What happened on the phone.

    turn: which question, dial or selection this answers (`State.turn` when it was asked); news of an earlier one is
    ignored. None = of the present one. digits: keys pressed. Of `selected`: the leg taken, the number to ring, the
    destination, and whether it is the overflow campaign. reason: of `refused`, why nobody can take the call; of
    `start` on a plain campaign, `leg` is the leg that the call has from the beginning. talked: seconds, of `completed`.
    """

    kind: InputKind
    turn: int | None = None
    digits: str = ""
    leg: int | None = None
    number: str = ""
    destination: int | None = None
    overflow: bool = False
    reason: str = ""
    talked: int = 0


@dataclass(frozen=True)
class Action:
    """What the phone is to do; `kind` is the name of the class in snake case, for JSON."""

    @property
    def kind(self) -> str:
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(self).__name__).lstrip(
            "_"
        )

    def as_json(self) -> dict[str, Any]:
        return {"action": self.kind, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Say(Action):
    """Read a text to the caller."""

    text: str


@dataclass(frozen=True)
class Gather(Action):
    """Read a text and wait for keys: at most `most` of them, `timeout` seconds for the first, # ends several."""

    text: str
    turn: int
    most: int = 1
    timeout: int = 5


@dataclass(frozen=True)
class Dial(Action):
    """Ring these numbers at once for `timeout` seconds. leg: whose slot this is; None where no slot is held."""

    numbers: tuple[str, ...]
    timeout: int
    turn: int
    leg: int | None = None
    extension: str = ""
    record: bool = False


@dataclass(frozen=True)
class Select(Action):
    """Select a destination from the bundle. leaving: the leg whose destination did not take the call (`cause` says why);
    its slot moves to the next destination, or is given back if there is none."""

    turn: int
    leaving: int | None = None
    cause: str = ""


@dataclass(frozen=True)
class SendSms(Action):
    """Send the caller a text message, `delay` seconds from now."""

    text: str
    delay: int


@dataclass(frozen=True)
class Record(Action):
    """Record a message of the caller."""

    turn: int
    longest: int = 120


@dataclass(frozen=True)
class Release(Action):
    """End this leg: its slot is given back. The last that happens to a leg, and it happens once."""

    leg: int
    reason: str


@dataclass(frozen=True)
class Hangup(Action):
    """End the call."""

    reason: str


ACTIONS: dict[str, type[Action]] = {
    cls.__name__: cls for cls in (Say, Gather, Dial, Select, SendSms, Record, Release, Hangup)
}

Phase = Literal["new", "asking", "confirming", "selecting", "dialing", "talking", "recording", "ended"]


@dataclass(frozen=True)
class State:
    """Where a call stands in its tree: a small value that is kept between two webhooks.

    at: indexes into `children` from the root. turn: the number of the present question, dial or selection. keys: as
    conditions see them (`Context.pressed`). attempts: at the present question. answer: what waits to be confirmed.
    queue: groups of numbers still to ring. leg: the leg held. legs: every leg that this call ever had. place: seconds
    to ring and extension belong to the node. data: answers saved in custom data fields.

    inside: the destination whose own tree the call walks through since it was handed over; `at` and `keys` are of that
    tree then, home and home_keys what they were in the bundle's. None: in the tree of the campaign that was called.
    """

    phase: Phase = "new"
    at: tuple[int, ...] = ()
    turn: int = 0
    keys: tuple[str, ...] = ()
    attempts: int = 0
    answer: str = ""
    queue: tuple[tuple[str, ...], ...] = ()
    leg: int | None = None
    legs: tuple[int, ...] = ()
    moves: int = 0
    chosen: bool = False
    sms_sent: bool = False
    data: tuple[tuple[str, str], ...] = ()
    steps: int = 0
    reason: str = ""
    inside: int | None = None
    home: tuple[int, ...] = ()
    home_keys: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The state as JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> Self:
        """The state that `as_json` wrote; fields of another version are left out, those it did not know yet are as at
        the start: so a call in progress is stepped on over an update."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = {name: _tuples(value) for name, value in data.items() if name in known}
        return cls(**values)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
