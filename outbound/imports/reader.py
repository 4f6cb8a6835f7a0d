"""Reading a list: bytes in pieces to rows, whatever wrote the file.

Knows UTF-8 with and without BOM, UTF-16, and Latin-1 (Windows-1252) when it is nothing else; comma, semicolon and tab;
quotes across lines. Never holds more than a piece of the file.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from portal.errors import Invalid

# The older interfaces' names for the number's column come first (domain/outbound.md).
NUMBER_COLUMNS = ("destination", "phone_number", "number", "phone", "to")
ZONE_COLUMNS = ("time_zone", "timezone")
ANI_COLUMNS = ("ani", "caller_id", "from")
NUMBER, ZONE, ANI, IGNORED = "destination", "time_zone", "ani", ""
LONGEST_FIELD = 64 * 1024
MOST_COLUMNS = 100

Pieces = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Layout:
    """Which column means what: places of number, zone and ani (-1 = none), and parameters by place."""

    number: int
    zone: int = -1
    ani: int = -1
    parameters: tuple[tuple[int, str], ...] = ()
    width: int = 1
    names: tuple[str, ...] = field(default=())


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterable[bytes], heard: Callable[[int], None]) -> None:
        self._pieces, self._rest, self._heard = iter(pieces), b"", heard

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next((bytes(piece) for piece in self._pieces if piece), b"")
            self._heard(len(self._rest))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def encoding_of(pieces: Iterable[bytes]) -> str:
    """The encoding of a file, from its mark or from what its bytes can be."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    first = True
    for piece in pieces:
        if first and piece:
            if piece.startswith(codecs.BOM_UTF8):
                return "utf-8-sig"
            if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            head = piece[:200]
            if head.count(0) > len(head) // 4:
                return "utf-16-be" if head[0] == 0 else "utf-16-le"
            first = False
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            return "cp1252" if not any(byte in piece for byte in b"\x81\x8d\x8f\x90\x9d") else "latin-1"
    return "utf-8"


def _delimiter(header: str) -> str:
    # Plum's form has semicolons within the one column, so the header decides, not the rows.
    return max(",;\t", key=header.count) if any(mark in header for mark in ",;\t") else ","


def rows_of(pieces: Pieces, heard: Callable[[int], None] = lambda size: None) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, values) of each row, the header first; empty lines are left out.

    `pieces` is called twice: to find the encoding, and to read. Raises Invalid (field `file`) for what cannot be read.
    """
    stream = io.BufferedReader(_Pieces(pieces(), heard), 1 << 18)  # type: ignore[type-var]
    text = io.TextIOWrapper(stream, encoding=encoding_of(pieces()), errors="replace", newline="")
    first = text.readline(LONGEST_FIELD * 2)
    csv.field_size_limit(LONGEST_FIELD)
    delimiter = _delimiter(first)
    reader = csv.reader(_from(first, text), delimiter=delimiter)
    begins = 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(
            f"Line {begins} cannot be read ({error}): is a quote missing? Mend it and upload the file again.",
            field="file", code="unreadable",
        ) from error  # fmt: skip


def _from(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def layout_of(header: list[str], columns: Mapping[str, str]) -> Layout:
    """The meaning of each column: as `columns` says ({name: destination | time_zone | ani | parameter, "" = leave out}), else
    by the usual names; every other column becomes a call parameter of its own name. Raises Invalid (field `columns`)."""
    names = [name.strip().lstrip("﻿") for name in header]
    lower = [name.lower() for name in names]
    if len(names) > MOST_COLUMNS:
        raise Invalid(
            f"The list has {len(names)} columns; {MOST_COLUMNS} at most.", field="file", code="too_many_columns"
        )
    twice = next((name for name in lower if name and lower.count(name) > 1), None)
    if twice:
        raise Invalid(f"The column “{twice}” stands twice in the header.", field="file", code="column_twice")
    meanings = {str(key).strip().lower(): value for key, value in columns.items()}
    missing = next((key for key in meanings if key not in lower), None)
    if missing is not None:
        raise Invalid(
            f"The list has no column “{missing}”; its columns are {', '.join(names)}.",
            field="columns",
            code="no_column",
        )
    found = {NUMBER: -1, ZONE: -1, ANI: -1}
    for wanted, usual in ((NUMBER, NUMBER_COLUMNS), (ZONE, ZONE_COLUMNS), (ANI, ANI_COLUMNS)):
        mapped = [name for name, meaning in meanings.items() if meaning == wanted]
        chosen = mapped[:1] or [name for name in usual if name in lower and name not in meanings][:1]
        if chosen:
            found[wanted] = lower.index(chosen[0])
    if found[NUMBER] < 0:
        raise Invalid(
            "No column holds the numbers. Name one of them “destination” in the first row, or say which it is."
            f" The first row reads: {', '.join(names)[:200]}",
            field="columns", code="no_number_column",
        )  # fmt: skip
    taken = set(found.values())
    parameters = tuple(
        (place, (meanings.get(lower[place]) or name)[:100])
        for place, name in enumerate(names)
        if place not in taken and name and meanings.get(lower[place]) != IGNORED
    )
    return Layout(found[NUMBER], found[ZONE], found[ANI], parameters, len(names), tuple(names))


def dial_string(text: str) -> tuple[str, dict[str, str]]:
    """Plum's form `tel:+1...;ani=...;postd=...` as (number, {ani, postd, ...}); any other text as it stands."""
    head, *rest = text.split(";")
    options = {}
    for part in rest:
        name, _, value = part.partition("=")
        if name.strip():
            options[name.strip().lower()] = value.strip()
    head = head.strip()
    return (head[4:] if head[:4].lower() == "tel:" else head).strip(), options
