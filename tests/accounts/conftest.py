"""What the tests of accounts share."""

import pytest
from django.core.cache import cache

from portal.celery import app


@pytest.fixture
def tasks_at_once():
    """Celery tasks run where they are queued."""
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager = app.conf.task_eager_propagates = False


@pytest.fixture
def clean_cache():
    """The real cache (Valkey), empty: rate limits of earlier tests do not count."""
    cache.clear()
    yield cache
    cache.clear()
