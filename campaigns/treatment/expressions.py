"""The conditions of a call treatment as an immutable tree: what they mean for a call, and how they are written.

`conditions.parse` makes them from text; `str()` writes them back in one canonical form, so that `parse(str(x)) == x`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from campaigns.hours import DAY, hours_compile

WORDS = ("during_hours", "repeat", "mobile", "landline", "sms_sent")
FIELDS = ("affiliate_name", "media_type", "promo_number_description", "custom_data")
DURATIONS = ("duration", "connect_duration")
# Keys of a phone; the letters are how reports name what was not a key: any key, a wrong one, none.
KEYS = frozenset("0123456789*#AWN")


@dataclass(frozen=True)
class Context:
    """What is known of a call when a condition is asked; frozen, so that the answer depends on nothing else.

    now: an instant with a zone. hours: {monday_open: 28800, ...} read in `time_zone`, None = around the clock. regions:
    the names of the campaign's regions that the caller is in. line: mobile, landline or "" when nobody knows.
    pressed: keys in the order of the menus, A any key, W a wrong one, N none. durations in seconds.
    """

    now: datetime
    caller: str | None = None
    time_zone: str = "UTC"
    hours: Mapping[str, int] | None = None
    regions: frozenset[str] = frozenset()
    repeat: bool = False
    line: str = ""
    pressed: tuple[str, ...] = ()
    sms_sent: bool = False
    duration: float = 0
    connect_duration: float = 0
    custom_data: Mapping[str, str] = field(default_factory=dict)
    affiliate_name: str = ""
    media_type: str = ""
    promo_number_description: str = ""
    place: str = ""
    seed: int = 0

    @property
    def during_hours(self) -> bool:
        """Whether the campaign is open at `now`; the local wall clock decides, as in the routing function."""
        if self.hours is None:
            return True
        local = self.now.astimezone(ZoneInfo(self.time_zone))
        second = local.weekday() * DAY + local.hour * 3600 + local.minute * 60 + local.second
        return any(start <= second < end for start, end in hours_compile(self.hours))

    def text_of(self, name: str, key: str | None) -> str:
        """The value behind a text field; empty when the call has none."""
        if name == "custom_data":
            return str(self.custom_data.get(key or "", "") or "")
        return str(getattr(self, name))


@dataclass(frozen=True)
class Place:
    """Where in the text something stands, both counted from 1."""

    line: int
    column: int


_at = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Expression:
    """A condition. `holds(context)` is pure; `binding` says how tightly it is written (brackets only where needed)."""

    binding = 4

    def holds(self, context: Context) -> bool:
        raise NotImplementedError

    def parts_of(self) -> tuple["Expression", ...]:
        """The conditions directly inside."""
        return ()

    def leaves(self) -> Iterator["Expression"]:
        """Every single condition inside, in the order of the text."""
        parts = self.parts_of()
        if not parts:
            yield self
        for part in parts:
            yield from part.leaves()

    def _inside(self, part: "Expression") -> str:
        return f"({part})" if part.binding <= self.binding else str(part)


@dataclass(frozen=True)
class Always(Expression):
    """The empty condition."""

    def holds(self, context: Context) -> bool:
        return True

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Word(Expression):
    """during_hours, repeat, mobile, landline or sms_sent."""

    name: str
    at: Place | None = _at

    def holds(self, context: Context) -> bool:
        if self.name in ("mobile", "landline"):
            return context.line == self.name
        return bool(getattr(context, self.name))

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class InRegion(Expression):
    """The caller is in that named region of the campaign; without a name, in any of them."""

    name: str | None
    at: Place | None = _at

    def holds(self, context: Context) -> bool:
        return bool(context.regions) if self.name is None else self.name in context.regions

    def __str__(self) -> str:
        return "in_region" if self.name is None else f"in_region{bracketed(self.name)}"


@dataclass(frozen=True)
class Pressed(Expression):
    """The caller pressed these keys, one per menu from the first on; what he pressed later does not matter."""

    keys: tuple[str, ...]
    at: Place | None = _at

    def holds(self, context: Context) -> bool:
        return context.pressed[: len(self.keys)] == self.keys

    def __str__(self) -> str:
        return f"pressed[{' '.join(self.keys)}]"


Operator = Literal["<", "<=", "=", "!=", ">=", ">"]


def compare(value: float, operator: str, limit: float) -> bool:
    """`value operator limit` for the six operators of the language."""
    match operator:
        case "<":
            return value < limit
        case "<=":
            return value <= limit
        case "=":
            return int(value) == limit
        case "!=":
            return int(value) != limit
        case ">=":
            return value >= limit
    return value > limit


@dataclass(frozen=True)
class Lasted(Expression):
    """A duration against a number of seconds; `=` counts whole seconds."""

    name: str
    operator: str
    seconds: int
    at: Place | None = _at

    def holds(self, context: Context) -> bool:
        return compare(getattr(context, self.name), self.operator, self.seconds)

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {span_in_words(self.seconds)}"


@dataclass(frozen=True)
class Compared(Expression):
    """A text field against a value, without regard to case. `present` has no value; a missing field is empty."""

    name: str
    key: str | None
    operator: str
    value: str = ""
    at: Place | None = _at

    def holds(self, context: Context) -> bool:
        text, value = context.text_of(self.name, self.key).casefold(), self.value.casefold()
        match self.operator:
            case "=":
                return text == value
            case "!=":
                return text != value
            case "contains":
                return value in text if text else False
        return bool(text)

    def __str__(self) -> str:
        name = self.name if self.key is None else f"{self.name}{bracketed(self.key)}"
        return f"{name} present" if self.operator == "present" else f"{name} {self.operator} {quoted(self.value)}"


@dataclass(frozen=True)
class Not(Expression):
    part: Expression
    binding = 3

    def holds(self, context: Context) -> bool:
        return not self.part.holds(context)

    def parts_of(self) -> tuple[Expression, ...]:
        return (self.part,)

    def __str__(self) -> str:
        return f"not {self.part}" if self.part.binding >= 3 else f"not ({self.part})"


@dataclass(frozen=True)
class AllOf(Expression):
    parts: tuple[Expression, ...]
    binding = 2

    def holds(self, context: Context) -> bool:
        return all(part.holds(context) for part in self.parts)

    def parts_of(self) -> tuple[Expression, ...]:
        return self.parts

    def __str__(self) -> str:
        return " and ".join(self._inside(part) for part in self.parts)


@dataclass(frozen=True)
class AnyOf(Expression):
    parts: tuple[Expression, ...]
    binding = 1

    def holds(self, context: Context) -> bool:
        return any(part.holds(context) for part in self.parts)

    def parts_of(self) -> tuple[Expression, ...]:
        return self.parts

    def __str__(self) -> str:
        return " or ".join(self._inside(part) for part in self.parts)


def _flat(kind: type[AllOf] | type[AnyOf], parts: Iterable[Expression]) -> tuple[Expression, ...]:
    """`a and (b and c)` is `a and b and c`: one form for what means the same."""
    flat: list[Expression] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else (part,)
    return tuple(flat)


def all_of(*parts: Expression) -> Expression:
    """All of them, flattened; a single one stands for itself."""
    return parts[0] if len(parts) == 1 else AllOf(_flat(AllOf, parts))


def any_of(*parts: Expression) -> Expression:
    """Any of them, flattened; a single one stands for itself."""
    return parts[0] if len(parts) == 1 else AnyOf(_flat(AnyOf, parts))


def quoted(text: str) -> str:
    """A text in quotes; \\ and " inside are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def bracketed(name: str) -> str:
    """A name in square brackets, in quotes where it would not come back as it is."""
    plain = name and name == name.strip() and not set(name) & set('[]"')
    return f"[{name}]" if plain else f"[{quoted(name)}]"


def span_in_words(seconds: int) -> str:
    """A number of seconds as people write it: `1 hour 2 min 3 sec`."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    words = [f"{hours} hour{'' if hours == 1 else 's'}"] if hours else []
    words += [f"{minutes} min"] if minutes else []
    words += [f"{rest} sec"] if rest or not words else []
    return " ".join(words)
