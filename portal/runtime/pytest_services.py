"""The pytest plugin that gives a test run its own PostgreSQL and Valkey (loaded by `addopts` in pyproject.toml).

With DATABASE_URL set (and BROKER_URL, for what needs it) the tests use those instead and nothing is started.
"""

import os
import re
from collections.abc import Generator

import pytest

from .throwaway import throwaway_services

__all__ = ["pytest_load_initial_conftests", "throwaway_services"]

_given: dict[str, str | None] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start the services before pytest-django, a plain implementation of this hook, loads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        _use_own_databases(worker)
    elif "DATABASE_URL" not in os.environ and "DATABASE_URL_FILE" not in os.environ:
        services = throwaway_services(durable=False)
        environment = services.__enter__()
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)

        def stop() -> None:
            services.__exit__(None, None, None)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

        # Runs at the very end whatever ends the session: success, failure, an error in the arguments, Ctrl-C.
        early_config.add_cleanup(stop)
    return (yield)


def _use_own_databases(worker: str) -> None:
    """Give an xdist worker its own two Valkey databases. pytest-django already gives it its own test database."""
    number = int(re.sub(r"\D", "", worker) or 0) + 1
    for name, parameter, first in (("BROKER_URL", "virtual_host", 0), ("CACHE_URL", "db", 1)):
        url = os.environ.get(name, "")
        os.environ[name] = re.sub(rf"(?<={parameter}=)\d+$", str(number * 2 + first), url) if url else url
        if not url:
            del os.environ[name]
