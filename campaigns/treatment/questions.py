"""What is asked of a caller at a node, and what his keys mean there."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from campaigns.callers import NotANumber, e164

from .expressions import Context
from .fields import Ring
from .nodes import AnyKeyPress, Menu, Node, NumberQuestion, SmsPromo, VerifyLocation, YesOrNo

# How often a question is asked before the caller is given up.
ATTEMPTS = 3


@dataclass(frozen=True)
class Question:
    """How a node asks: the text, how many keys at most, how long to wait for the first (seconds)."""

    text: str
    most: int = 1
    timeout: int = 5


def question_of(node: Node, context: Context) -> Question:
    """The question of a node that asks one."""
    match node:
        case NumberQuestion():
            return Question(node.prompt, _DIGITS[node.number_question_type], 8)
        case VerifyLocation():
            ask = "Please enter your five-digit zip code."
            if context.place:
                ask = f"You seem to be calling from {context.place}. Press 1 if this is right, or enter your zip code."
            return Question(" ".join(part for part in (node.prompt, ask) if part), 5, 8)
    return Question(node.prompt)


_DIGITS = {"Digits": 30, "Number": 30, "PhoneNumber": 15, "Date": 8, "Currency": 12, "Time": 4, "ZipCode": 5}


def _moment(keys: str, *formats: str) -> bool:
    for layout in formats:
        try:
            datetime.strptime(keys, layout)
        except ValueError:
            continue
        return True
    return False


def number_is_valid(kind: str, keys: str) -> bool:
    """Whether keys answer a NumberQuestion. Dates as MMDDYYYY, times as HHMM, currency in cents."""
    if not keys.isascii() or not keys.isdigit():
        return False
    match kind:
        case "PhoneNumber":
            try:
                return bool(e164(keys))
            except NotANumber:
                return False
        case "Date":
            return len(keys) == 8 and _moment(keys, "%m%d%Y")
        case "Time":
            return len(keys) == 4 and _moment(keys, "%H%M")
        case "ZipCode":
            return len(keys) == 5
    return len(keys) <= _DIGITS[kind]


def accepted(node: Node, keys: str) -> str | None:
    """The keys that a node takes as an answer, as conditions see them; None if they are wrong there."""
    match node:
        case Menu():
            return keys if keys in {str(index + 1) for index in range(len(node.in_order))} else None
        case YesOrNo():
            return keys if keys in ("1", "2") else None
        case AnyKeyPress():
            return "A"
        case SmsPromo():
            return keys
        case NumberQuestion():
            return keys if number_is_valid(node.number_question_type, keys) else None
        case VerifyLocation():
            return keys if keys == "1" or (len(keys) == 5 and keys.isdigit()) else None
    return None


def needs_confirming(node: Node) -> bool:
    """Whether the answer is read back before it counts."""
    return isinstance(node, Menu | YesOrNo | NumberQuestion) and node.confirm_response_enabled


def ring_order(rings: Iterable[Ring], method: str, limit: int, at_once: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """The numbers of a ring group in the groups in which they are rung.

    method: InOrder, Random or Weighted (a heavier number is more likely to come early; weight 0 comes last). The same
    `seed` gives the same order.
    """
    open_ones = [ring for ring in rings if not ring.disabled]
    dice = random.Random(seed)  # noqa: S311 (an order of phones, not a secret)
    if method == "Random":
        dice.shuffle(open_ones)
    elif method == "Weighted":
        drawn = [(dice.random() ** (1 / ring.weight) if ring.weight else -1.0, ring) for ring in open_ones]
        open_ones = [ring for _chance, ring in sorted(drawn, key=lambda pair: -pair[0])]
    numbers = list(dict.fromkeys(ring.number for ring in open_ones))[:limit]
    return tuple(tuple(numbers[start : start + at_once]) for start in range(0, len(numbers), at_once))


def rings_in(value: str, *, several: bool) -> list[Ring]:
    """The numbers that a custom data field names, one or several with commas; what is no number is left out."""
    rings = []
    for part in value[:2000].split(",") if several else [value[:64]]:
        try:
            rings.append(Ring(e164(part)))
        except NotANumber:
            continue
    return rings
