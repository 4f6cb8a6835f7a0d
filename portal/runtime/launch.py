"""What `manage.py up` does, from the first check to the last process stopped."""

import contextlib
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import environment
from .children import MARK, reap
from .errors import CannotStart, StopRequested
from .paths import Home, choose_home, prepare_var
from .postgres import Postgres
from .preflight import answers, own_names, require_broker, require_database, require_port, require_production_settings
from .processes import Program, Supervisor
from .valkey import Valkey

# Threads that run Python per web worker, each with its own database connection: this bounds the load. The number of
# connections only has to be high, because each browser holds some open that do nothing.
WEB_THREADS = min(4, (os.cpu_count() or 1) * 2 + 1)
WEB_CONNECTIONS = 512
WEB_HEAD_START_SECONDS = 20.0
DEMO_MARK = "demo-loaded"
# Seconds. Our own traffic gives a sign of life each minute; a slot whose hang-up it lost need not wait for hours.
TRAFFIC_CALL_LEASE = "900"


@dataclass(frozen=True)
class Options:
    """What the person who starts Headroom chose on the command line."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    demo: bool = True
    traffic: bool = True


@dataclass
class Launch:
    """One run of Headroom out of the checkout `root`, keeping its things in `var`. `commands` are manage.py's."""

    root: Path
    var: Path
    options: Options
    commands: frozenset[str]
    _supervisor: Supervisor = field(init=False)
    _postgres: Postgres | None = field(default=None, init=False)
    _valkey: Valkey | None = field(default=None, init=False)
    _announced: bool = field(default=False, init=False)
    _ask_again_at: float = field(default=0.0, init=False)
    _to_start: list[Program] = field(default_factory=list, init=False)
    _rest_starts_at: float = field(default=0.0, init=False)

    def run(self) -> None:
        """Start everything, keep it running until Ctrl-C or SIGTERM, stop it. CannotStart says what went wrong."""
        self.var = prepare_var(self.var)
        # Without the services' addresses first: what is started before them must not see an earlier run's.
        settings = {name: value for name, value in os.environ.items() if environment.given(name, self.var) is not None}
        settings |= {MARK: str(self.var), "HEADROOM_VAR": str(self.var), "PYTHONUNBUFFERED": "1"}
        settings["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        with exclusive(self.var):
            self._supervisor = Supervisor(self.root, settings)
            with self._supervisor.signals(), contextlib.suppress(StopRequested):
                try:
                    self._start(settings)
                    self._supervisor.watch(self._look_around)
                finally:
                    self._stop()

    def _start(self, settings: dict[str, str]) -> None:
        say = self._supervisor.say
        leftovers = reap(str(self.var))
        if leftovers:
            say(f"The previous run was killed; processes that it left behind were ended: {leftovers}.")
        require_port(self.options.host, self.options.port)
        home = choose_home(self.var, with_postgres="DATABASE_URL" not in settings)
        if home.notice:
            say(home.notice)
        settings["PROMETHEUS_MULTIPROC_DIR"] = str(empty_folder(self.var / "metrics"))
        self._start_services(home, settings)
        self._prepare(home, settings)
        self._to_start = list(self._programs())
        # The web server first and alone: people wait for it, and starting all at once makes each start slow.
        self._start_next(1)
        self._rest_starts_at = time.monotonic() + WEB_HEAD_START_SECONDS

    def _start_next(self, count: int) -> None:
        programs, self._to_start = self._to_start[:count], self._to_start[count:]
        if programs:
            self._supervisor.say(f"Starting {', '.join(program.name for program in programs)}.")
        for program in programs:
            self._supervisor.start(program)

    def _start_services(self, home: Home, settings: dict[str, str]) -> None:
        """Start what was not given, and put the addresses of all into `settings`."""
        say, check = self._supervisor.say, self._supervisor.check
        recorded: dict[str, str] = {}
        if "DATABASE_URL" in settings:
            require_production_settings(settings)
            require_database(settings["DATABASE_URL"])
        else:
            say(f"Starting PostgreSQL (data in {home.postgres_data}).")
            self._postgres = Postgres(home, environment=settings)
            self._postgres.start(while_waiting=check)
            recorded |= {"HEADROOM_EMBEDDED": "1", "DATABASE_URL": self._postgres.url}
            recorded["SECRET_KEY"] = settings.get("SECRET_KEY") or environment.own_secret_key(self.var)
            if self.options.demo:
                # The demo's carrier tells us of its calls here.
                own = f"http://127.0.0.1:{self.options.port}"
                recorded["OUTBOUND_CALLBACK_URL"] = settings.get("OUTBOUND_CALLBACK_URL") or own
            if self.options.demo and self.options.traffic:
                recorded["CALL_LEASE_SECONDS"] = settings.get("CALL_LEASE_SECONDS") or TRAFFIC_CALL_LEASE
        if "BROKER_URL" in settings:
            require_broker(settings["BROKER_URL"])
        else:
            say("Starting Valkey.")
            self._valkey = Valkey(home, environment=settings)
            self._valkey.start(while_waiting=check)
            recorded |= {"BROKER_URL": self._valkey.broker_url}
            recorded["CACHE_URL"] = settings.get("CACHE_URL") or self._valkey.cache_url
        if self._postgres is not None:
            # Only what is ours: a value that was given is given again at the next start, or it is not.
            environment.write_runtime_env(self.var, {name: recorded[name] for name in recorded if name not in settings})
        if self.options.host not in {"127.0.0.1", "localhost", "::1"} and "DATABASE_URL" not in settings:
            recorded.setdefault("ALLOWED_HOSTS", settings.get("ALLOWED_HOSTS") or own_names(self.options.host))
        settings |= recorded

    def _prepare(self, home: Home, settings: dict[str, str]) -> None:
        say = self._supervisor.say
        say("Bringing the database up to date.")
        if self._manage("prepare") != 0:
            raise CannotStart("The database could not be brought up to date; the reason stands above.")
        # Never into a database that somebody else brought.
        mark = home.base / DEMO_MARK
        if self._postgres is None or not self.options.demo or "demo" not in self.commands:
            return
        if self._postgres.is_new:
            mark.unlink(missing_ok=True)
        if not mark.exists():
            say("Loading the demo network.")
            if self._manage("demo") == 0:
                mark.touch()
            else:
                say("The demo network could not be loaded (the reason stands above); the next start tries again.")

    def _manage(self, *arguments: str) -> int:
        return self._supervisor.run(Program(arguments[0], self._manage_command(*arguments)))

    def _manage_command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.root / "manage.py"), *arguments]

    def _programs(self) -> Iterator[Program]:
        """In the order of starting, which backwards is the order of stopping."""
        options = self.options
        yield Program("web", web_command(options.host, options.port, options.workers), grace=8)
        celery = [sys.executable, "-m", "celery", "--quiet", "-A", "portal.celery"]
        worker = ["worker", "--concurrency", str(options.workers), "--without-mingle", "--without-gossip"]
        yield Program("worker", [*celery, *worker], grace=8, environment=self._celery_settings())
        # The file is where beat remembers what it sent last; losing it only sends a periodic task early.
        beat = ["beat", "--schedule", str(self.var / "beat-schedule")]
        yield Program("beat", [*celery, *beat], environment=self._celery_settings())
        if options.demo and self._postgres is not None and "demo_carrier" in self.commands:
            yield Program("carrier", self._manage_command("demo_carrier"), environment=self._celery_settings())
        if options.traffic and self._postgres is not None and "traffic" in self.commands:
            host = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host  # noqa: S104
            address = f"http://[{host}]:{options.port}" if ":" in host else f"http://{host}:{options.port}"
            yield Program("traffic", self._manage_command("traffic", "--base-url", address))

    def _celery_settings(self) -> dict[str, str]:
        """Without a line for every periodic task every few seconds, and, as root, without Celery's page about root."""
        settings = {"LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING")}
        if os.geteuid() == 0:
            settings["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser"
        return settings

    def _look_around(self) -> None:
        """Once per tick: the services live, and when the web server answers for the first time, say where."""
        if self._postgres is not None and self._postgres.has_died():
            raise CannotStart(f"PostgreSQL has died, so all was stopped. Its log ends:\n{self._postgres.last_lines()}")
        if self._valkey is not None and self._valkey.has_died():
            self._supervisor.say("Valkey has died and is started again; it held nothing that is not in the database.")
            self._valkey.start(while_waiting=self._supervisor.check)
        if self._announced or time.monotonic() < self._ask_again_at:
            return
        is_up = answers(self.options.host, self.options.port)
        if is_up or time.monotonic() >= self._rest_starts_at:
            self._start_next(len(self._to_start))
        if is_up:
            self._announced = True
            self._announce()
        self._ask_again_at = time.monotonic() + 0.5

    def _announce(self) -> None:
        say = self._supervisor.say
        shown = "localhost" if self.options.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.options.host  # noqa: S104
        say("")
        say(f"Headroom is ready: http://{shown}:{self.options.port}/")
        if self._postgres is None and os.environ.get("HTTPS") is None:
            say("With a database of its own it expects a proxy with TLS before it; HTTPS=0 is for without.")
        with contextlib.suppress(OSError):
            say((self.var / "demo-logins.txt").read_text(encoding="utf-8").strip())
        say("Stop it with Ctrl-C.")
        say("")

    def _stop(self) -> None:
        self._supervisor.stop()
        for service in (self._valkey, self._postgres):
            if service is not None and service.pid is not None:
                self._supervisor.say(f"stopping {service.name}")
                service.stop()
        if self._postgres is not None or self._announced:
            self._supervisor.say("All is stopped.")


def web_command(host: str, port: int, workers: int) -> list[str]:
    """The command of the web server, for running and for measuring alike."""
    options = ["--interface", "wsgi", "--no-ws", "--http", "1", "--host", host, "--port", str(port)]
    options += ["--workers", str(workers), "--blocking-threads", str(WEB_THREADS)]
    options += ["--blocking-threads-idle-timeout", "600", "--backpressure", str(WEB_CONNECTIONS), "--backlog", "2048"]
    options += ["--respawn-failed-workers", "--workers-kill-timeout", "4", "--log-level", "warning"]
    return [sys.executable, "-m", "granian", *options, "portal.wsgi:application"]


def empty_folder(folder: Path) -> Path:
    """Make `folder`, or empty it: the counters of processes that are gone must not be added to the new ones'."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@contextlib.contextmanager
def exclusive(var: Path) -> Iterator[None]:
    """Hold `var` for one run; CannotStart names the process that has it. A `kill -9` gives it back as well."""
    with (var / "up.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise CannotStart(
                f"Headroom already runs in {var} (process {lock.read().strip() or 'unknown'}): stop it first, "
                "or set HEADROOM_VAR to another folder for a second one."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
