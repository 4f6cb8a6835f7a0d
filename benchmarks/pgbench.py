"""Running pgbench, from the package that brings the embedded PostgreSQL."""

import importlib.util
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from portal.runtime.postgres import PACKAGE, VERSION

from .services import conninfo

# pgbench -N at this scale has a million accounts: enough that its rows are never contended.
SCALE = 10
MAX_TRIES = 200


@dataclass(frozen=True)
class Run:
    """One run: scripts per second, mean milliseconds of one, how many had to be tried again, and how many failed."""

    per_second: float
    milliseconds: int
    retried: int
    failed: int


def _program() -> str:
    found = importlib.util.find_spec(PACKAGE)
    assert found is not None and found.submodule_search_locations
    return str(Path(found.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin" / "pgbench")


def _call(*arguments: str) -> str:
    done = subprocess.run([_program(), *arguments, conninfo()], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def initialise() -> None:
    """Make pgbench's own tables: the yardstick's."""
    _call("--initialize", "--quiet", f"--scale={SCALE}")


def _figure(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    return float(found.group(1)) if found else 0.0


def measure(*, clients: int, seconds: int, script: str | None = None, values: dict[str, object] | None = None) -> Run:
    """Run `script` (default: the yardstick, `pgbench -N`) with prepared statements and as many clients for a while.

    `values` are the script's variables. An error other than a lost race (40001) raises RuntimeError.
    """
    options = [
        "--protocol=prepared",
        f"--client={clients}",
        f"--jobs={min(clients, 2)}",
        f"--time={seconds}",
        "--no-vacuum",
    ]
    if script is None:
        output = _call(*options, "--skip-some-updates", f"--scale={SCALE}")
    else:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            defined = [f"--define={name}={value}" for name, value in (values or {}).items()]
            output = _call(*options, *defined, f"--max-tries={MAX_TRIES}", f"--file={file.name}")
    return Run(
        per_second=_figure(r"tps = ([\d.]+)", output),
        milliseconds=_figure(r"latency average = ([\d.]+)", output),
        retried=int(_figure(r"number of transactions retried: (\d+)", output)),
        failed=int(_figure(r"number of failed transactions: (\d+)", output)),
    )
