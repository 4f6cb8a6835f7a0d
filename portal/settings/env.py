"""Where every setting comes from.

Order: the process environment; for a name X also `X_FILE` (a path whose content is the value, for secrets);
then, when no `DATABASE_URL` was given, `var/headroom.env`, which `manage.py up` writes for the services it embeds,
so that any other `manage.py` command finds the running database.
"""

import os
from pathlib import Path

from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(os.environ.get("HEADROOM_VAR", BASE_DIR / "var"))
RUNTIME_ENV = VAR_DIR / "headroom.env"

SECRET_NAMES = (
    "SECRET_KEY",
    "DATABASE_URL",
    "BROKER_URL",
    "CACHE_URL",
    "EMAIL_URL",
    "METRICS_TOKEN",
    "TWILIO_AUTH_TOKEN",
)


def read_secret_files() -> None:
    """Set X from the file named by X_FILE, for each secret X that is not itself set."""
    for name in SECRET_NAMES:
        path = os.environ.get(f"{name}_FILE")
        if path and name not in os.environ:
            os.environ[name] = Path(path).read_text(encoding="utf-8").strip()


def read_runtime_env() -> None:
    """Take what `manage.py up` recorded about the embedded services, unless the environment names its own."""
    if "DATABASE_URL" in os.environ or not RUNTIME_ENV.is_file():
        return
    for line in RUNTIME_ENV.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip())


read_secret_files()
read_runtime_env()
env = Env()

# Several web and worker processes share one set of counters through this folder (`manage.py up` empties it at start).
if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

# True while the portal runs on services that it embeds itself (a laptop, a trial, the tests).
EMBEDDED = env.bool("HEADROOM_EMBEDDED", False)
