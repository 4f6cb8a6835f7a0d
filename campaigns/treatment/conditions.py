"""Reading the condition language: from text to an expression, or to an error that points at the place.

The grammar is `conditions.lark`; what each condition means stands in `expressions`.
"""

import difflib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from . import expressions
from .expressions import DURATIONS, FIELDS, KEYS, WORDS, Always, Compared, Expression, InRegion, Lasted, Not, Pressed

MAX_LENGTH = 2000
MAX_DEPTH = 32
MAX_SECONDS = 7 * 24 * 3600

_VOCABULARY = (*WORDS, "in_region", "pressed", *DURATIONS, *FIELDS, "and", "or", "not", "contains", "present")
# What a terminal of the grammar is called in a sentence.
_NAMES = {
    "BRACKETS": "a name in square brackets", "STRING": "a text in double quotes", "NUMBER": "a number",
    "EQUALITY": "“=”, “!=”", "ORDER": "“<”, “<=”, “>=”, “>”", "LPAR": "“(”", "RPAR": "“)”", "$END": "the end",
}  # fmt: skip
_CONDITIONS = {
    "DURING_HOURS", "REPEAT", "MOBILE", "LANDLINE", "SMS_SENT", "IN_REGION", "PRESSED", "DURATION", "CONNECT_DURATION",
    "AFFILIATE_NAME", "MEDIA_TYPE", "PROMO_NUMBER_DESCRIPTION", "CUSTOM_DATA",
}  # fmt: skip


class ConditionError(ValueError):
    """A text that is no condition. `line` and `column` count from 1; `expected` says what could stand there."""

    def __init__(self, message: str, line: int, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(f"Line {line}, column {column}: {message}")
        self.message, self.line, self.column, self.expected = message, line, column, expected


def _place_of(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def _expected(terminals: Any) -> tuple[str, ...]:
    """What could stand there, in words; the many conditions are named as one."""
    names = set(terminals or ())
    words = ["a condition such as during_hours"] if names >= _CONDITIONS else sorted(
        f"“{name.lower()}”" for name in names & _CONDITIONS
    )  # fmt: skip
    words += [_NAMES.get(name, f"“{name.strip('_').lower()}”") for name in sorted(names - _CONDITIONS)]
    return tuple(dict.fromkeys(words))


def _in_words(expected: tuple[str, ...]) -> str:
    return ", ".join(expected[:-1]) + " or " + expected[-1] if len(expected) > 1 else "".join(expected)


def _found(text: str, position: int) -> str:
    """The word or sign that stands at a position."""
    match = re.match(r"\w+|\S", text[position:])
    return match.group()[:40] if match else ""


def _unexpected(text: str, error: UnexpectedInput) -> ConditionError:
    """An error of the parser in our words."""
    if isinstance(error, UnexpectedToken):
        expected = _expected(error.accepts or error.expected)
        at_end = error.token.type == "$END"
        position = len(text) if at_end else error.token.start_pos or 0
    else:
        assert isinstance(error, UnexpectedCharacters)
        expected, at_end, position = _expected(error.allowed), False, error.pos_in_stream or 0
    line, column = _place_of(text, position)
    found = _found(text, position)
    if at_end:
        return ConditionError(
            f"The condition ends too early; {_in_words(expected)} is missing.", line, column, expected
        )
    if found == '"':
        message = 'This text in quotes is not closed, or a \\ in it is followed by neither \\ nor ".'
    elif found == "[":
        message = "These square brackets are not closed."
    elif close := difflib.get_close_matches(found.lower(), _VOCABULARY, 1, 0.75):
        message = f"“{found}” cannot stand here; did you mean “{close[0]}”?" if close[0] != found.lower() else (
            f"“{found}” cannot stand here; expected {_in_words(expected)}."
        )  # fmt: skip
    else:
        message = f"“{found}” cannot stand here; expected {_in_words(expected)}."
    return ConditionError(message, line, column, expected)


def _at(token: Token) -> expressions.Place:
    return expressions.Place(token.line or 1, token.column or 1)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _name_in(brackets: Token) -> str:
    """The name between square brackets, with or without quotes."""
    inside = brackets[1:-1].strip()
    name = _unquoted(inside) if inside.startswith('"') else inside
    if not name:
        raise ConditionError(
            "These square brackets are empty; a name is missing.", *_line_column(brackets), ("a name",)
        )
    return name


def _line_column(token: Token) -> tuple[int, int]:
    return token.line or 1, token.column or 1


@v_args(inline=True)
class _Builder(Transformer):
    """Builds the expression while the text is read: no tree in between, no recursion over its depth."""

    def start(self, expression: Expression | None) -> Expression:
        return expression if expression is not None else Always()

    def any_of(self, *parts: Expression) -> Expression:
        return expressions.any_of(*parts)

    def all_of(self, *parts: Expression) -> Expression:
        return expressions.all_of(*parts)

    def negated(self, part: Expression) -> Expression:
        return Not(part)

    def word(self, token: Token) -> Expression:
        return expressions.Word(token.lower(), _at(token))

    def in_region(self, token: Token, name: Token | None) -> Expression:
        return InRegion(None if name is None else _name_in(name), _at(token))

    def pressed(self, token: Token, brackets: Token) -> Expression:
        keys = tuple(brackets[1:-1].upper().split())
        if not keys or any(key not in KEYS for key in keys):
            text = "Keys are 0 to 9, * and #, one per menu, with spaces between: pressed[3 1]."
            raise ConditionError(text, *_line_column(brackets), ("keys such as 3 1",))
        return Pressed(keys, _at(token))

    def lasted(self, token: Token, operator: Token, seconds: int) -> Expression:
        return Lasted(token.lower(), str(operator), seconds, _at(token))

    def field(self, token: Token, brackets: Token | None = None) -> tuple[Token, str | None]:
        return token, None if brackets is None else _name_in(brackets)

    def equals(self, field: tuple[Token, str | None], operator: Token, text: Token) -> Expression:
        return Compared(field[0].lower(), field[1], str(operator), _unquoted(text), _at(field[0]))

    def contains(self, field: tuple[Token, str | None], _word: Token, text: Token) -> Expression:
        return Compared(field[0].lower(), field[1], "contains", _unquoted(text), _at(field[0]))

    def present(self, field: tuple[Token, str | None], _word: Token) -> Expression:
        return Compared(field[0].lower(), field[1], "present", "", _at(field[0]))

    def part(self, number: Token, unit: Token) -> tuple[Token, int]:
        return number, int(number[:9]) * {"HOURS": 3600, "MINUTES": 60, "SECONDS": 1}[unit.type]

    def span(self, *parts: Any) -> int:
        first = parts[0] if isinstance(parts[0], Token) else parts[0][0]
        seconds = sum(int(part[:9]) if isinstance(part, Token) else part[1] for part in parts)
        if seconds > MAX_SECONDS or any(len(part if isinstance(part, Token) else part[0]) > 9 for part in parts):
            raise ConditionError("A call does not last longer than a week.", *_line_column(first), ("a shorter time",))
        return seconds


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = (Path(__file__).parent / "conditions.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Builder(), maybe_placeholders=True)


def _check_depth(expression: Expression) -> None:
    """Refuse what is nested too deeply: everything that walks an expression may then recurse."""
    waiting: list[tuple[Expression, int]] = [(expression, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            inner: Expression = node
            while parts := inner.parts_of():
                inner = parts[0]
            place = getattr(inner, "at", None) or expressions.Place(1, 1)
            text = f"This is nested more than {MAX_DEPTH} deep; put parts of it into a Condition node of their own."
            raise ConditionError(text, place.line, place.column, ("a simpler condition",))
        waiting += [(part, depth + 1) for part in node.parts_of()]


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The condition that `text` states; empty text is `Always`. Raises ConditionError with the place of the mistake.

    At most MAX_LENGTH characters and MAX_DEPTH levels. Remembered, since the same text is asked with every call.
    """
    if len(text) > MAX_LENGTH:
        line, column = _place_of(text, MAX_LENGTH)
        raise ConditionError(
            f"A condition has {MAX_LENGTH} characters at most; this one has {len(text)}.", line, column, ("the end",)
        )
    try:
        expression: Expression = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise _unexpected(text, error) from None
    except VisitError as error:
        raise error.orig_exc from None
    _check_depth(expression)
    return expression
