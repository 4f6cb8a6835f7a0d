"""Reading CSV files as people send them: any usual encoding and separator, quotes across lines."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.errors import Invalid

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 100
_SEPARATORS = (",", ";", "\t")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _refuse(message: str, code: str) -> Invalid:
    return Invalid(message, field="file", code=code)


@dataclass(frozen=True)
class Row:
    """One record: the line of the file that it begins on, and its cells by column. `problem`: why it cannot be read."""

    line: int
    cells: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A file of records. `columns` as they were written; `rows()` reads them from the beginning, without blank lines."""

    columns: list[str]
    text: str = field(repr=False)
    separator: str = ","

    def rows(self) -> Iterator[Row]:
        """Every record. Raises Invalid `unreadable_csv` where the quotes do not match."""
        records = _records(self.text, self.separator)
        next(records)
        for line, cells in records:
            named = dict(zip(self.columns, (cell.strip() for cell in cells), strict=False))
            spare = [cell for cell in cells[len(self.columns) :] if cell.strip()]
            problem = (
                f"More cells than the header has columns ({len(self.columns)}): “{spare[0][:60]}”." if spare else ""
            )
            yield Row(line, named, problem)


def _guessed(head: bytes) -> str:
    """UTF-16 without a mark shows by every other byte of Latin letters being zero."""
    most = max(1, len(head) // 2) * 0.7
    return "utf-16-le" if head[1::2].count(0) > most else "utf-16-be" if head[::2].count(0) > most else "utf-8"


def text_of(content: bytes) -> str:
    """The file's text: by its byte order mark, else UTF-8, else Latin-1 (with Windows' own signs). Raises Invalid."""
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), "") or _guessed(content[:200])
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    if "\x00" in text:
        raise _refuse("This is not a text file. Save the sheet as CSV (comma separated) and send that.", "not_text")
    return text


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line it begins on, cells) of every record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    try:
        for cells in reader:
            begins, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield begins, cells
    except csv.Error as error:
        raise _refuse(
            f"The quotes in the record that begins on line {before + 1} do not match ({error}). Double a quote that stands"
            " inside a quoted cell, and close each.",
            "unreadable_csv",
        ) from error


def table_of(content: bytes, *, max_rows: int = MAX_ROWS) -> tuple[Table, int]:
    """The file's table and how many records it has. Raises Invalid for whatever makes the file as a whole unusable."""
    if len(content) > MAX_BYTES:
        raise _refuse(
            f"The file has {len(content) / 1_048_576:.1f} MB; at most {MAX_BYTES // 1_048_576} MB are taken. Split it.",
            "too_large",
        )
    text = text_of(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise _refuse("The file is empty; its first line names the columns.", "empty_file")
    separator = max(_SEPARATORS, key=first.count)
    _line, header = next(_records(text, separator))
    columns = [cell.strip() for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise _refuse(f"The header has {len(columns)} columns; at most {MAX_COLUMNS} are taken.", "too_many_columns")
    table = Table(columns, text, separator)
    count = 0
    for _row in table.rows():
        count += 1
        if count > max_rows:
            raise _refuse(f"The file has more than {max_rows:,} rows. Split it.", "too_many_rows")
    if count == 0:
        raise _refuse("The file has a header and no rows below it.", "no_rows")
    return table, count
