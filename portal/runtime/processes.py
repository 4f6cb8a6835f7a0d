"""The supervisor: runs programs side by side, shows their output, restarts what dies, stops all in order.

honcho prints the lines. Its process manager is not used: it ends everything when one program dies, cannot stop in
order, and puts a process between us and each program, which a `kill -9` leaves behind.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from .children import signal_group, spawn
from .errors import StopRequested

OWN_NAME = "headroom"
TICK_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# Who lived this long was well: its next death counts as the first.
HEALTHY_SECONDS = 60.0


@dataclass(frozen=True)
class Program:
    """A program to run: its name in the log, its command, the seconds it gets to end by itself, settings of its own."""

    name: str
    command: list[str]
    grace: float = 5.0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Running:
    program: Program
    colour: str
    process: subprocess.Popen[bytes] | None = None
    buffer: bytes = b""
    started: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    start_again_at: float | None = None


@dataclass
class Supervisor:
    """Runs programs in `folder` with `environment`. Single-threaded: it works while one of its methods runs."""

    folder: Path
    environment: Mapping[str, str]
    width: int = len(OWN_NAME)
    stop_signals: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._printer = Printer(sys.stdout, width=self.width)
        self._colours = get_colours()
        self._selector = selectors.DefaultSelector()
        self._running: list[_Running] = []
        self._output_is_gone = False

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Take Ctrl-C, SIGTERM and a closed terminal as the wish to stop, for the length of the block."""

        def wish(_number: int, _frame: FrameType | None) -> None:
            self.stop_signals += 1

        before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def say(self, text: str) -> None:
        """Print one line or more in the name of the supervisor."""
        self._print(OWN_NAME, text, None)

    def check(self) -> None:
        """Raise StopRequested if somebody wished to stop."""
        if self.stop_signals:
            raise StopRequested

    def run(self, program: Program) -> int:
        """Run a program to its end, showing its output. Returns its exit code; StopRequested ends it early."""
        running = _Running(program, next(self._colours))
        self._start(running)
        process = running.process
        assert process is not None
        try:
            while process.poll() is None:
                self._pump(TICK_SECONDS)
                self.check()
        finally:
            self._end(running)
        return process.returncode

    def start(self, program: Program) -> None:
        """Start a program that `watch` keeps alive and `stop` ends."""
        running = _Running(program, next(self._colours))
        self._running.append(running)
        self._start(running)

    def watch(self, each_tick: Callable[[], None]) -> None:
        """Show output and restart what dies until somebody wishes to stop. `each_tick` may raise to end it."""
        while not self.stop_signals:
            self._pump(TICK_SECONDS)
            for running in self._running:
                self._revive(running)
            each_tick()

    def stop(self) -> None:
        """End all started programs, the one started last first. A second Ctrl-C meanwhile makes it short."""
        wishes = self.stop_signals
        while self._running:
            running = self._running[-1]
            if running.process is not None and running.process.poll() is None:
                self.say(f"stopping {running.program.name}")
                with contextlib.suppress(ProcessLookupError):
                    running.process.terminate()
                deadline = time.monotonic() + running.program.grace
                while running.process.poll() is None and time.monotonic() < deadline:
                    if self.stop_signals > max(wishes, 1):
                        break
                    self._pump(0.05)
            self._end(running)
            self._running.pop()

    def _start(self, running: _Running) -> None:
        program = running.program
        environment = {**self.environment, **program.environment}
        running.process = spawn(program.command, environment=environment, output=subprocess.PIPE, folder=self.folder)
        running.started, running.start_again_at, running.buffer = time.monotonic(), None, b""
        assert running.process.stdout is not None
        os.set_blocking(running.process.stdout.fileno(), False)
        self._selector.register(running.process.stdout, selectors.EVENT_READ, running)

    def _revive(self, running: _Running) -> None:
        if running.process is not None and running.process.poll() is not None:
            code = running.process.returncode
            self._end(running)
            if time.monotonic() - running.started > HEALTHY_SECONDS:
                running.pause = FIRST_PAUSE_SECONDS
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self.say(f"{running.program.name} ended ({how}) and is started again in {running.pause:g} s")
            running.start_again_at = time.monotonic() + running.pause
            running.pause = min(running.pause * 2, LONGEST_PAUSE_SECONDS)
        elif running.start_again_at is not None and time.monotonic() >= running.start_again_at:
            self._start(running)

    def _end(self, running: _Running) -> None:
        """Forget a program: whatever is left of it is killed, what it wrote last is shown."""
        process, running.process = running.process, None
        if process is None:
            return
        signal_group(process, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        # Bounded: a descendant in a session of its own may keep the pipe open and write on.
        for _ in range(16):
            if not self._read(process.stdout.fileno(), running):
                break
        if running.buffer:
            self._print(running.program.name, running.buffer, running.colour)
            running.buffer = b""
        with contextlib.suppress(KeyError):
            self._selector.unregister(process.stdout)
        process.stdout.close()

    def _pump(self, seconds: float) -> None:
        """Show what the programs wrote, waiting for it for at most `seconds`."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            if not self._read(key.fd, key.data):
                # Closed its output, so it is ending; without this the loop would spin.
                self._selector.unregister(key.fileobj)

    def _read(self, descriptor: int, running: _Running) -> bool:
        """Read and print whole lines. Returns False at the end of the output."""
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        lines = (running.buffer + data).split(b"\n")
        running.buffer = lines.pop()
        if lines:
            self._print(running.program.name, b"\n".join(lines), running.colour)
        return bool(data)

    def _print(self, name: str, text: str | bytes, colour: str | None) -> None:
        if self._output_is_gone:
            return
        try:
            self._printer.write(Message(type="line", data=text, time=datetime.now(), name=name, colour=colour))
        except (BrokenPipeError, OSError):
            # Whoever read us is gone (a closed terminal, `| head`): nobody would see it run, so it ends.
            self._output_is_gone = True
            self.stop_signals += 1
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of the process
