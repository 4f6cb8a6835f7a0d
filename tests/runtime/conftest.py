"""A folder for one Headroom, and an event loop of one's own."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def var() -> Iterator[Path]:
    """A var folder that PostgreSQL's account may enter; pytest's own temporary folders are private."""
    folder = Path(tempfile.mkdtemp(prefix="headroom-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_loop_is_running() -> Iterator[None]:
    """Playwright (browser tests before this one in the same process) leaves its loop marked as running in this thread."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)
