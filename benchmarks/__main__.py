"""`python -m benchmarks [names]`: run the benchmarks on services of their own and say which targets are reached."""

import argparse
import importlib
import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from .report import Options, Report, report_of, say, write_into, write_json
from .services import prepare, services

NAMES = ("routing", "over_http", "lists", "numbers", "outbound")
ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Exit code 0 when all were measured (whatever the figures); with --strict 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(NAMES)} (all)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--seconds", type=int, default=5, help="of each case in each round (5)")
    parser.add_argument(
        "--past-calls", type=int, default=2_000_000, help="routing: ended calls in the table (2 million)"
    )
    parser.add_argument("--campaigns", type=int, default=100_000, help="lists: rows in the longer list (100 000)")
    parser.add_argument("--full", action="store_true", help="10 million past calls, a million campaigns")
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/benchmarks.md")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target was missed")
    parser.add_argument("--within", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(NAMES)}")
    options = Options(
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        past_calls=10_000_000 if chosen.full else chosen.past_calls,
        campaigns=1_000_000 if chosen.full else chosen.campaigns,
    )
    if chosen.within:
        return _within(chosen.names[0], options, Path(chosen.within))
    # A terminated run must still stop the services.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    reports = []
    for name in chosen.names or NAMES:
        say(f"{name}: starting services")
        report = _measured(name, arguments)
        print(f"\n## {report.title}\n\n{report.markdown}", flush=True)
        if chosen.docs:
            write_into(ROOT / "docs" / "benchmarks.md", report)
        reports.append(report)
    write_json(reports, ROOT / "var" / "benchmarks.json")
    missed = [row for report in reports for row in report.rows if row.reached is False]
    print(f"\n{len(missed)} targets missed." if missed else "\nAll targets reached.")
    return 1 if missed and chosen.strict else 0


def _measured(name: str, arguments: list[str]) -> Report:
    """Run one benchmark in a process of its own: Django reads its settings once, and each needs an empty database."""
    with services() as environment:
        result = Path(environment["HEADROOM_VAR"]) / "report.json"
        options = [argument for argument in arguments if argument not in NAMES]
        command = [sys.executable, "-m", "benchmarks", name, *options, "--within", str(result)]
        subprocess.run(command, env=environment, cwd=ROOT, check=True)
        return report_of(result.read_text(encoding="utf-8"))


def _within(name: str, options: Options, result: Path) -> int:
    prepare()
    report = importlib.import_module(f"benchmarks.{name}").run(options)
    result.write_text(json.dumps(asdict(report)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
