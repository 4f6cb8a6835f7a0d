"""Celery tasks of the API."""

from celery import shared_task

from . import idempotency


@shared_task(ignore_result=True)
def clear_idempotency_keys() -> int:
    """Drop idempotency keys that nobody may replay any more."""
    return idempotency.keys_clear()
