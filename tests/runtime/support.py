"""Helpers for tests that start real processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

from portal.runtime.children import MARK, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
# What the test run itself was given must not reach the Headroom under test.
OWN_SETTINGS = {
    "DATABASE_URL",
    "BROKER_URL",
    "CACHE_URL",
    "SECRET_KEY",
    "HEADROOM_EMBEDDED",
    "HEADROOM_VAR",
    "PYTEST_XDIST_WORKER",
}


def environment(var: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who starts Headroom in `var` for the first time."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS}
    return kept | {"HEADROOM_VAR": str(var), "PYTHONUNBUFFERED": "1"} | more


def up_command(*arguments: str) -> list[str]:
    """`manage.py up` without what only a trial needs."""
    return [sys.executable, str(ROOT / "manage.py"), "up", "--no-demo", "--no-traffic", *arguments]


def up_fails(var: Path, *arguments: str, **more: str) -> str:
    """Run `manage.py up`, which must end by itself with code 1; returns all that it said."""
    result = subprocess.run(
        up_command(*arguments),
        env=environment(var, **more),
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    said = result.stdout + result.stderr
    assert result.returncode == 1, said
    assert "Traceback" not in said, said
    return said.strip()


@contextlib.contextmanager
def python(code: str, var: Path) -> Iterator[subprocess.Popen[str]]:
    """Run Python code in a process of its own; what is left of it afterwards is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(var),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def read_until(process: subprocess.Popen[str], text: str, seconds: float = 180) -> str:
    """Read a process's output up to the line that holds `text`. One that hangs is killed after `seconds`."""
    said = ""
    assert process.stdout is not None
    end_it = threading.Timer(seconds, process.kill)
    end_it.start()
    try:
        for line in process.stdout:
            said += line
            if text in line:
                return said
    finally:
        end_it.cancel()
    raise AssertionError(f"{text!r} never came:\n{said}")


def processes_in(var: Path) -> list[psutil.Process]:
    """Every living process of the Headroom in `var`, PostgreSQL's included."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get(MARK) == str(var) or str(var) in " ".join(process.cmdline()):
                found.append(process)
    return found


def assert_all_gone(var: Path, seconds: float = 10) -> None:
    """Nothing that was started for `var` lives on."""
    assert wait_until(lambda: not processes_in(var), seconds), [one.cmdline() for one in processes_in(var)]


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
