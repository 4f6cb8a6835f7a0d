"""A folder for one Headroom."""

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
