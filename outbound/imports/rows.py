"""Rows of a list to rows of the staging table."""

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
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": None})


@dataclass(frozen=True)
class Tools:
    """What rows are read with: the number reader, ids of zone sets, and the reader of anis (E.164; raises Refused)."""

    numbers: NumberReader
    zones_id: Callable[[tuple[str, ...]], int]
    ani: Callable[[str], str]


def escaped(text: str) -> str:
    """A value for COPY's text form."""
    return text.translate(_ESCAPES)


def staged(rows: Iterable[tuple[int, list[str]]], layout: Layout, tools: Tools) -> Iterator[str]:
    """One line of COPY's text form per row: line, number, zones, ani, parameters, refusal, value."""
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
        except Refused as refused:
            yield f"{line}\t{NONE}\t{NONE}\t\t{NONE}\t{refused.reason}\t{escaped(text or ','.join(row))[:200]}\n"
            continue
        # Nulls cannot stand in jsonb; everything else is escaped by JSON already, so only its backslashes remain.
        data = NONE
        if own:
            inner = ",".join([f"{_quoted(name)}:{_quoted(value)}" for name, value in own.items()])
            data = f"{{{inner}}}".replace("\\u0000", "").replace("\\", "\\\\")
        yield f"{line}\t{number}\t{zones or NONE}\t{ani}\t{data}\t{NONE}\t{escaped(text)[:200] if options else NONE}\n"


def _zone(name: str, known: dict[str, int], tools: Tools) -> int:
    found = known.get(name)
    if found is None:
        raise Refused(Refusal.UNKNOWN_ZONE)
    if not found:
        found = known[name] = tools.zones_id((name,))
    return found
