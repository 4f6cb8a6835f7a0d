"""What the API tests have in common. The client itself: `client.py`."""

import pytest

from .client import Api, codes

__all__ = ["Api", "codes"]


@pytest.fixture(autouse=True)
def _forget(nothing_remembered):
    """Also in tests that never ask for a client."""
