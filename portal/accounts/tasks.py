"""Celery tasks of accounts."""

from celery import shared_task
from django.core.management import call_command


@shared_task(ignore_result=True)
def clear_expired() -> None:
    """Drop expired sessions."""
    call_command("clearsessions")
