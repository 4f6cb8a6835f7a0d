"""Dated versions of the API: which exist and what sets them apart."""

from typing import Any

from rest_framework.request import Request
from rest_framework.versioning import URLPathVersioning

from portal.errors import NotFound

# The Network Integration versions that keep their shapes and status codes. Within them nothing differs in what Headroom
# answers, so each is an accepted address of the same thing.
NETWORK_INTEGRATION = (
    "2015-05-01", "2015-12-10", "2016-01-25", "2016-05-01", "2016-10-01", "2017-04-01", "2018-02-01", "2018-11-01",
    "2019-02-01", "2020-10-01", "2021-02-11", "2022-03-01", "2022-08-01",
)  # fmt: skip
CURRENT = "2026-11-01"
VERSIONS = (*NETWORK_INTEGRATION, CURRENT)
_KNOWN = frozenset(VERSIONS)


def check_version(version: str) -> str:
    """`version` if it exists; NotFound `unknown_version` with the list of those that do."""
    if version in _KNOWN:
        return version
    raise NotFound(
        f"There is no API version “{version[:40]}”; use one of {', '.join(VERSIONS)}.",
        code="unknown_version",
        details={"versions": list(VERSIONS)},
    )


def is_old(version: str | None) -> bool:
    """Whether answers have the Network Integration shapes; a version that does not exist has the current ones."""
    return version in NETWORK_INTEGRATION


def version_in(path: str) -> str | None:
    """The version that a path names, for errors raised before any view is reached."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[1] == "api" else None


class DateVersioning(URLPathVersioning):
    """`request.version` from `/api/<version>/...`; the schema describes the current one."""

    default_version = CURRENT
    version_param = "version"

    def determine_version(self, request: Request, *args: Any, **kwargs: Any) -> str:
        return check_version(kwargs.get(self.version_param, CURRENT))
