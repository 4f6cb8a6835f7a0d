"""Which services are embedded, and the settings that the embedded ones ask for."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

RUNTIME_ENV_NAME = "headroom.env"
SECRET_KEY_NAME = "secret_key"  # noqa: S105 - a file name


def given(name: str, var: Path, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the setting `name` if the person who starts Headroom gave it, else None.

    Loading the settings copies an earlier run's `var/headroom.env` into the environment (portal/settings/env.py); what
    comes from there describes our own services and was given by nobody.
    """
    value = environ.get(name)
    return None if value is None or value == read_runtime_env(var).get(name) else value


def read_runtime_env(var: Path) -> dict[str, str]:
    """Return what an earlier run recorded in `var`/headroom.env."""
    path = var / RUNTIME_ENV_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def write_runtime_env(var: Path, values: Mapping[str, str]) -> None:
    """Record the embedded services for every other `manage.py` command; readable by the owner alone."""
    lines = ["# Written by `manage.py up`; changes are lost at the next start."]
    lines += [f"{name}={value}" for name, value in values.items()]
    _write_private(var / RUNTIME_ENV_NAME, "\n".join(lines) + "\n")


def own_secret_key(var: Path) -> str:
    """Return the secret key kept in `var`, made at the first start: sessions survive a restart."""
    path = var / SECRET_KEY_NAME
    key = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    if not key:
        key = secrets.token_urlsafe(50)
        _write_private(path, key + "\n")
    return key


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step, never readable by others on the way."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(text)
    if os.geteuid() == 0:
        # `sudo make run` in somebody's checkout must not lock that somebody out.
        owner = path.parent.stat()
        os.chown(unfinished, owner.st_uid, owner.st_gid)
    unfinished.replace(path)
