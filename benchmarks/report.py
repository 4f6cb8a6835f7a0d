"""What a benchmark found: as text, as Markdown for docs/benchmarks.md, as JSON for machines."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

START, END = "<!-- {name}: written by python -m benchmarks -->", "<!-- end of {name} -->"


@dataclass(frozen=True)
class Options:
    """How long and how much to measure."""

    rounds: int
    seconds: int
    past_calls: int
    campaigns: int


@dataclass(frozen=True)
class Row:
    """One figure beside its yardstick of the same run. `reached` is None where there is no target."""

    case: str
    measured: str
    yardstick: str
    ratio: float
    target: str
    reached: bool | None
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The rows of one benchmark and how they were measured."""

    name: str
    title: str
    method: str
    rows: list[Row]
    measured_on: str = field(default_factory=lambda: time.strftime("%Y-%m-%d"))
    machine: str = field(
        default_factory=lambda: f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )

    @property
    def markdown(self) -> str:
        lines = [f"{self.method} Measured {self.measured_on} on {self.machine}.", ""]
        lines += ["| case | measured | yardstick | ratio | target | |", "|---|---|---|---|---|---|"]
        for row in self.rows:
            mark = "" if row.reached is None else "reached" if row.reached else "**missed**"
            note = f" ({row.note})" if row.note else ""
            lines.append(
                f"| {row.case} | {row.measured}{note} | {row.yardstick} | {row.ratio:.2f} | {row.target} | {mark} |"
            )
        return "\n".join(lines)


def median(figures: Iterable[float]) -> float:
    """The median: one slow round does not count."""
    return statistics.median(figures)


def say(text: str) -> None:
    """One line of progress."""
    print(f"  {text}", file=sys.stderr, flush=True)


def report_of(text: str) -> Report:
    """A report from its JSON."""
    values = json.loads(text)
    return Report(**{**values, "rows": [Row(**row) for row in values["rows"]]})


def write_json(reports: list[Report], path: Path) -> None:
    """The machine-readable result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(report) for report in reports], indent=2) + "\n", encoding="utf-8")


def write_into(page: Path, report: Report) -> None:
    """Replace the report's part of a Markdown page, between its two marks."""
    text = page.read_text(encoding="utf-8")
    start, end = START.format(name=report.name), END.format(name=report.name)
    before, found, rest = text.partition(start)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise SystemExit(f"{page} lacks the marks {start} and {end}")
    page.write_text(f"{before}{start}\n{report.markdown}\n{end}{after}", encoding="utf-8")
