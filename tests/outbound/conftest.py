"""What all tests of outbound's core have in common. The house itself: `house.py`."""

import pytest

from .house import ALWAYS, ANI, numbers, refused

__all__ = ["ALWAYS", "ANI", "numbers", "refused"]


@pytest.fixture(autouse=True)
def _quiet(outbound_settings, no_wake_ups):
    """No broker, and results may go to this machine, also in tests without a house."""
