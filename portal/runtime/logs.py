"""The log files of the embedded services. Every other process logs to the terminal."""

from pathlib import Path
from typing import BinaryIO

LARGEST_BYTES = 10 * 1024 * 1024


def open_log(log: Path) -> BinaryIO:
    """Open a log file to append to. One that has grown large is put aside first, over the one put aside before."""
    if log.exists() and log.stat().st_size > LARGEST_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    return log.open("ab")


def last_lines(log: Path, count: int = 12) -> str:
    """The last `count` lines of a log file, indented; empty when there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"  {line}" for line in lines[-count:])
