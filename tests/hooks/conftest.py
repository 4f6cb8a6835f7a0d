"""Fixtures of the tests of webhooks."""

import pytest

from .receiver import Receiver


@pytest.fixture
def receiver(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    with Receiver() as made:
        yield made
