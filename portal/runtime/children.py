"""Child processes that never outlive us: started so that they die with their parent, found again if they did not."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

import psutil

from .account import Account

# Every process that one run starts, down to the last grandchild, carries this variable with the run's var folder.
# It identifies them better than recorded process ids, which miss grandchildren and get reused.
MARK = "HEADROOM_RUN"
POSTGRES_NAME = "postgres"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: list[str],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    folder: Path,
    account: Account | None = None,
    farewell: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, so that the terminal's Ctrl-C reaches only us.

    When this process dies, however it dies, the kernel sends the child `farewell` (Linux; elsewhere `reap` finds it at
    the next start). Call it from the main thread: the kernel watches the thread that started the child.
    """
    parent = os.getpid()

    def before_exec() -> None:
        # Runs after the change of user, which would have cleared the signal.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(farewell))
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(  # noqa: S603 - commands are built by this package
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=folder,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,
        preexec_fn=before_exec,
    )


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a child and to all that it started. A group that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def wait_until(condition: Callable[[], bool], seconds: float, *, pause: float = 0.05) -> bool:
    """Wait until `condition()` holds, at most `seconds`. Returns whether it came to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


def end(processes: Iterable[psutil.Process], *, number: signal.Signals = signal.SIGTERM, seconds: float = 5) -> None:
    """Stop processes that are not our children: politely, then after `seconds` by force."""
    remaining = list(processes)
    for process in remaining:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
    _, remaining = psutil.wait_procs(remaining, timeout=seconds)
    for process in remaining:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(remaining, timeout=5)


def marked(mark: str) -> list[psutil.Process]:
    """Return the living processes that a run with this mark started, without PostgreSQL's and without ourselves."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.pid == os.getpid() or process.info["name"] == POSTGRES_NAME:
            continue
        # Other users' processes hide their environment; those are not ours.
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def reap(mark: str) -> int:
    """End what an earlier, killed run with this mark left behind. Returns how many processes that were."""
    leftovers = marked(mark)
    end(leftovers)
    return len(leftovers)
