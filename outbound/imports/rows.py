"""Rows of a list to what may be added to a batch."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import available_timezones

from outbound.choices import Refusal

from .numbers import NumberReader, Refused
from .reader import Layout, dial_string

# Text to a JSON string, in C; a million small objects are put together from these faster than by an encoder each.
_quoted = json.encoder.encode_basestring
NONE = "\\N"
# Of one call, all of them together: what every claim, page and result of it carries.
LONGEST_PARAMETERS = 32 * 1024
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": None})


# A row that was read: its line; the number (E.164); the id of its zones, 0 = unknown; the ani, "" = the batch's; the
# parameters in COPY's text form; why it is refused, "" = it is not; what to show then, "" = the number.
Entry = tuple[int, str, int, str, str, str, str]


@dataclass(frozen=True)
class Tools:
    """What rows are read with: the number reader, ids of zone sets, and the reader of anis (E.164; raises Refused)."""

    numbers: NumberReader
    zones_id: Callable[[tuple[str, ...]], int]
    ani: Callable[[str], str]


def escaped(text: str) -> str:
    """A value for COPY's text form."""
    return text.translate(_ESCAPES)


def entries(rows: Iterable[tuple[int, list[str]]], layout: Layout, tools: Tools) -> Iterator[Entry]:
    """What each row says, or why it cannot be taken; rows without any value are left out."""
    known_zones = dict.fromkeys(available_timezones(), 0)
    read, place, parameters, width = tools.numbers.read, layout.number, layout.parameters, layout.width
    for line, row in rows:
        text = row[place].strip() if place < len(row) else ""
        try:
            if len(row) > width and any(row[width:]):
                raise Refused(Refusal.WRONG_COLUMNS)
            if not text:
                if not any(row):
                    continue
                raise Refused(Refusal.EMPTY)
            if text[0] in "tT" or ";" in text:
                number_text, options = dial_string(text)
            else:
                number_text, options = text, None
            number, zones = read(number_text)
            if layout.zone >= 0 and layout.zone < len(row) and (name := row[layout.zone].strip()):
                zones = _zone(name, known_zones, tools)
            given = row[layout.ani].strip() if 0 <= layout.ani < len(row) else ""
            own = {name: row[at] for at, name in parameters if at < len(row) and row[at]}
            if options:
                given = options.pop("ani", "") or given
                own = {**options, **own}
            ani = tools.ani(given) if given else ""
            data = _json(own) if own else NONE
        except Refused as refused:
            yield line, "", 0, "", "", refused.reason, text
            continue
        yield line, number, zones, ani, data, "", text if options else ""


def _json(values: dict[str, str]) -> str:
    """An object of texts, in COPY's text form. Raises Refused when it is too long."""
    inner = ",".join([f"{_quoted(name)}:{_quoted(value)}" for name, value in values.items()])
    if len(inner) > LONGEST_PARAMETERS:
        raise Refused(Refusal.TOO_LONG)
    if "\\u0000" in inner:
        # Nulls cannot stand in jsonb. They are taken out of the values: here, the same letters may be somebody's text.
        bare = {name.replace("\0", ""): value.replace("\0", "") for name, value in values.items()}
        inner = ",".join([f"{_quoted(name)}:{_quoted(value)}" for name, value in bare.items()])
    # Everything else is escaped by JSON already, so only its backslashes remain.
    return "{%s}" % inner.replace("\\", "\\\\")  # noqa: UP031 - an f-string would need four braces


def _zone(name: str, known: dict[str, int], tools: Tools) -> int:
    found = known.get(name)
    if found is None:
        raise Refused(Refusal.UNKNOWN_ZONE)
    if not found:
        found = known[name] = tools.zones_id((name,))
    return found
