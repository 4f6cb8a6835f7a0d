"""The settings of nodes: how each is read from JSON, with what is wrong said in words that name the way out.

A reader takes the JSON value and the network's country and returns the value as the interpreter uses it, or raises
`Wrong`. `setting` puts a reader on a dataclass field; the field's name is the JSON name.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from campaigns.callers import NotANumber, e164

from .conditions import ConditionError, parse
from .expressions import Expression

MAX_PROMPT = 2000
MAX_RINGS = 50
MIN_TIMEOUT, MAX_TIMEOUT = 5, 300
# What sms_promo_delay may be: at once, half an hour, a day, a week, thirty days.
SMS_DELAYS = (1, 1800, 86_400, 604_800, 2_592_000)
QUESTIONS = ("Digits", "Number", "PhoneNumber", "Date", "Currency", "Time", "ZipCode")
METHODS = ("InOrder", "Random", "Weighted")
FAILOVERS = ("Wrong", "None")


class Wrong(ValueError):
    """A value that a setting cannot have; `line` and `column` where the value is a text with places in it."""

    def __init__(self, code: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.line, self.column = code, message, line, column


Reader = Callable[[Any, str], Any]


def setting(read: Reader, *, required: bool = False, default: Any = None) -> Any:
    """A dataclass field that is read from the JSON of its node."""
    return dataclasses.field(default=default, metadata={"read": read, "required": required})


def text(at_most: int, what: str) -> Reader:
    """A text of at most so many characters."""

    def read(value: Any, country: str) -> str:
        if not isinstance(value, str):
            raise Wrong("invalid_type", f"The {what} is a text.")
        if len(value) > at_most:
            raise Wrong("too_long", f"The {what} has {len(value)} characters; {at_most} at most.")
        return value

    return read


def whole(low: int, high: int, what: str, unit: str = "") -> Reader:
    """A whole number within a range; digits in a text are taken too, as forms send them."""

    def read(value: Any, country: str) -> int:
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value.strip()[:12])
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong("invalid_type", f"The {what} is a whole number{unit and f' of {unit}'}.")
        if not low <= value <= high:
            raise Wrong("out_of_range", f"The {what} is {low} to {high}{unit and f' {unit}'}; it is {value}.")
        return value

    return read


def one_of(choices: tuple[Any, ...], what: str) -> Reader:
    """One of a fixed list."""

    def read(value: Any, country: str) -> Any:
        if isinstance(value, bool) or value not in choices:
            raise Wrong("unknown_choice", f"“{str(value)[:40]}” is not a {what}; use {', '.join(map(str, choices))}.")
        return value

    return read


def flag(value: Any, country: str) -> bool:
    if not isinstance(value, bool):
        raise Wrong("invalid_type", "This is true or false.")
    return value


def number(value: Any, country: str) -> str:
    """A phone number, as E.164; national layouts are read as in the network's country."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Wrong("invalid_type", "A phone number is a text such as +13035550123.")
    try:
        return e164(str(value)[:64], country)
    except NotANumber:
        raise Wrong(
            "invalid_phone_number", f"“{str(value)[:64]}” is not a phone number; write it like +13035550123."
        ) from None


def extension(value: Any, country: str) -> str:
    """Keys to press once the destination answered; a comma is a pause of a second."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9*#,]{0,40}", value):
        raise Wrong("invalid_extension", "An extension is up to 40 keys 0 to 9, * and #; a comma pauses for a second.")
    return value


def condition(value: Any, country: str) -> Expression:
    """A condition; empty or null = always."""
    if value is not None and not isinstance(value, str):
        raise Wrong("invalid_type", "A condition is a text such as during_hours and not repeat.")
    try:
        return parse(value or "")
    except ConditionError as error:
        raise Wrong("invalid_condition", str(error), error.line, error.column) from None


def own_id(value: Any, country: str) -> str:
    """A campaign's `id_from_network`."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 1 <= len(value) <= 100:
        raise Wrong("invalid_type", "Name a campaign by its id_from_network.")
    return value


@dataclasses.dataclass(frozen=True)
class Ring:
    """One destination of a ring group."""

    number: str
    description: str = ""
    disabled: bool = False
    weight: int = 1


def rings(value: Any, country: str) -> tuple[Ring, ...]:
    """The destinations of a ring group: [{ring_group_number, description, destination_disabled, distribution_weight}]."""
    if not isinstance(value, list) or not value:
        raise Wrong("required", "A ring group needs at least one destination: [{“ring_group_number”: “+13035550123”}].")
    if len(value) > MAX_RINGS:
        raise Wrong("too_many", f"A ring group has {MAX_RINGS} destinations at most; this one has {len(value)}.")
    found = []
    for index, row in enumerate(value, 1):
        if not isinstance(row, dict) or "ring_group_number" not in row:
            raise Wrong("required", f"Destination {index} of the ring group has no ring_group_number.")
        try:
            found.append(
                Ring(
                    number(row["ring_group_number"], country),
                    text(200, "description")(row.get("description") or "", country),
                    flag(row.get("destination_disabled") or False, country),
                    whole(0, 10_000, "weight")(row.get("distribution_weight", 1), country),
                )
            )
        except Wrong as wrong:
            raise Wrong(wrong.code, f"Destination {index} of the ring group: {wrong.message}") from None
    return tuple(found)


seconds_to_ring = whole(MIN_TIMEOUT, MAX_TIMEOUT, "time to ring", "seconds")
prompt = text(MAX_PROMPT, "prompt")
