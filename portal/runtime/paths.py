"""Where a running Headroom keeps its things, and whether it can."""

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .account import Account, database_account
from .errors import CannotStart

# Below this PostgreSQL may not even finish a first start; it reserves its write-ahead log in advance.
MINIMUM_FREE_BYTES = 300 * 1024 * 1024
# `sun_path` holds 108 bytes with the closing zero on Linux, 104 on macOS.
SOCKET_PATH_LIMIT = 103 if os.uname().sysname == "Darwin" else 107
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432"


@dataclass(frozen=True)
class Home:
    """The folders of one Headroom.

    `var` holds what people look at (settings file, logs, static files). `base` holds the database; it is `var` itself
    unless PostgreSQL's account cannot enter that. `sockets` is where the services listen.
    """

    var: Path
    base: Path
    sockets: Path
    account: Account | None
    notice: str = ""

    @property
    def postgres_data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.base / "postgres"

    @property
    def logs(self) -> Path:
        """The logs of the embedded services. The other processes log to the terminal."""
        return self.var / "log"


def prepare_var(var: Path) -> Path:
    """Make `var` if needed and prove that it can be written. Returns its absolute path."""
    var = var.absolute()
    try:
        var.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=var) as probe:
            probe.write(b"x")
    except OSError as error:
        raise CannotStart(
            f"Headroom cannot write to {var} ({error.strerror}): make that folder writable, "
            "or set HEADROOM_VAR to one that is."
        ) from error
    for thing in var.iterdir():
        # What PostgreSQL's own account holds is judged where it is used.
        if thing.name not in {"postgres", "run"} and not os.access(thing, os.R_OK | os.W_OK):
            raise CannotStart(
                f"{thing} belongs to another user: start Headroom as the user who started it first, "
                "or give the folder to yourself (chown -R)."
            )
    _require_space(var)
    return var


def choose_home(var: Path, *, with_postgres: bool = True) -> Home:
    """Decide where the database and the sockets live for the folder `var`. CannotStart when nothing fits.

    Without PostgreSQL nothing needs an account of its own, and under root none is made.
    """
    var = prepare_var(var)
    account = database_account(var / "postgres") if with_postgres else None
    base, notice = var, ""
    if account is not None and not account.can_enter(var):
        if (var / "postgres" / "PG_VERSION").exists():
            raise CannotStart(
                f"PostgreSQL runs as the user {account.name}, who cannot enter {var} although the database is there: "
                f"let {account.name} pass through the folders above it."
            )
        base = _folder_outside(var)
        account = database_account(base / "postgres")
        notice = (
            f"PostgreSQL does not run as root, and the user {account.name if account else ''} cannot enter {var}: "
            f"the database is kept in {base}."
        )
        _require_space(base)
    sockets = _socket_folder(base, account)
    (var / "log").mkdir(exist_ok=True)
    return Home(var=var, base=base, sockets=sockets, account=account, notice=notice)


def make_folder(folder: Path, account: Account | None) -> None:
    """Make `folder` private to `account` (or to us when that is None)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < MINIMUM_FREE_BYTES:
        raise CannotStart(
            f"The disk of {folder} has only {free // 2**20} MB left and Headroom needs "
            f"{MINIMUM_FREE_BYTES // 2**20} MB: free some space, or set HEADROOM_VAR to a folder on another disk."
        )


def _short_name(path: Path) -> str:
    return f"headroom-{hashlib.sha256(str(path).encode()).hexdigest()[:10]}"


def _folder_outside(var: Path) -> Path:
    """A folder that every user can enter, always the same for the same `var`. Only root comes here.

    /var/lib first: what lies in /var/tmp is swept away after weeks on many machines.
    """
    for parent in (Path("/var/lib"), Path("/var/tmp")):  # noqa: S108 - ownership is checked below
        folder = parent / _short_name(var)
        try:
            folder.mkdir(mode=0o711, exist_ok=True)
        except OSError:
            continue
        _require_own(folder, {0})
        folder.chmod(0o711)
        return folder
    raise CannotStart(f"PostgreSQL cannot run as root and no folder outside {var} can be used: start as another user.")


def _socket_folder(base: Path, account: Account | None) -> Path:
    """`base`/run, or a short one in the temporary folder when a socket's path there would be too long."""
    folder = base / "run"
    if len(os.fsencode(folder)) + len(LONGEST_SOCKET_NAME) > SOCKET_PATH_LIMIT:
        folder = Path("/tmp") / _short_name(base)  # noqa: S108 - ownership is checked
        if folder.exists():
            _require_own(folder, {os.geteuid(), account.uid if account else os.geteuid()})
    try:
        make_folder(folder, account)
    except PermissionError as error:
        raise CannotStart(f"{folder} belongs to another user: start Headroom as that user, or remove it.") from error
    return folder


def _require_own(folder: Path, owners: set[int]) -> None:
    """Refuse a folder in a shared place that somebody else prepared for us."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise CannotStart(f"{folder} belongs to somebody else: remove it.")
