"""A PostgreSQL and a Valkey that exist for one test run or one benchmark, on nothing that anybody keeps.

`python -m portal.runtime.throwaway COMMAND ...` runs a command on them (`--production`: with the settings of a real
installation, for `check --deploy`).
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from .children import MARK
from .paths import choose_home
from .postgres import Postgres
from .valkey import Valkey

PREFIX = "headroom-throwaway-"


@contextlib.contextmanager
def throwaway_services(*, durable: bool) -> Iterator[dict[str, str]]:
    """Run both services in a temporary folder for the length of the `with` block; afterwards nothing is left.

    Yields the environment that a Django process needs to use them (DATABASE_URL, BROKER_URL, CACHE_URL, SECRET_KEY,
    HEADROOM_EMBEDDED, HEADROOM_VAR); the caller puts it into `os.environ` before settings load. With `durable` commits
    reach the disk as in a real installation (benchmarks); without, a test run is faster. Call it from the main thread.
    """
    _remove_abandoned()
    var = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    # The temporary folder is private by default; as root, PostgreSQL's own account must pass through it.
    var.chmod(0o711)
    home = choose_home(var)
    marked = os.environ | {MARK: str(var)}
    postgres, valkey = Postgres(home, environment=marked, durable=durable), Valkey(home, environment=marked)
    try:
        postgres.start()
        valkey.start()
        yield {
            "DATABASE_URL": postgres.url,
            "BROKER_URL": valkey.broker_url,
            "CACHE_URL": valkey.cache_url,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "HEADROOM_EMBEDDED": "1",
            "HEADROOM_VAR": str(var),
        }
    finally:
        valkey.stop()
        postgres.stop()
        for folder in {home.sockets, home.base, var}:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned() -> None:
    """Remove what runs that were killed left in the temporary folder. Their servers died with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            if owner.isdigit() and not psutil.pid_exists(int(owner)) and folder.lstat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Run a command on throw-away services and return its exit code."""
    production = arguments[:1] == ["--production"]
    command = arguments[1:] if production else arguments
    # A terminated parent must still stop the services.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with throwaway_services(durable=False) as environment:
        if production:
            environment |= {"HEADROOM_EMBEDDED": "0", "DEBUG": "0", "ALLOWED_HOSTS": "portal.example.com"}
            environment["EMAIL_URL"] = "submission://user:password@mail.example.com"
        return subprocess.run(command, env=os.environ | environment, check=False).returncode  # noqa: S603 - the caller's own


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
