"""Who PostgreSQL runs as. It refuses to run as root, so under root it gets a system account of its own."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ACCOUNT_NAME = "headroom"
# Exists on every Unix. Second choice, because other services may run as nobody too and could read the data.
FALLBACK_NAME = "nobody"


@dataclass(frozen=True)
class Account:
    """A system user that a process is started as."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether this user may walk into `folder`. Tried, not computed: access lists and mounts count too."""
        probe = ["/bin/sh", "-c", 'cd "$0"', str(folder)]
        return self._run(probe).returncode == 0

    def can_execute(self, program: Path) -> bool:
        """Whether this user may run `program --version`."""
        try:
            return self._run([str(program), "--version"]).returncode == 0
        except OSError:
            return False

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 - fixed commands
            command, user=self.uid, group=self.gid, extra_groups=[], cwd="/", capture_output=True, check=False
        )


def database_account(data: Path) -> Account | None:
    """Return the account for a PostgreSQL whose data folder is `data`; None means: as whoever we are (not root).

    Data that an ordinary user made stays that user's, so that `sudo make run` after `make run` finds it again.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        owner = _account_of(data.stat().st_uid)
        if owner is not None:
            return owner
    return _account_named(ACCOUNT_NAME) or _created_account() or _account_named(FALLBACK_NAME)


def _account_named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _account_of(uid: int) -> Account | None:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _created_account() -> Account | None:
    """Create the account where the machine has the tool for it. Of two starts at once the slower finds it made."""
    tool = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is None:
        return None
    options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    subprocess.run([tool, *options, ACCOUNT_NAME], capture_output=True, check=False)  # noqa: S603 - fixed command
    return _account_named(ACCOUNT_NAME)
