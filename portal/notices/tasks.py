"""Mails, by Celery. Safe to run twice and to miss."""

from celery import shared_task

from . import actions


@shared_task
def send_mails() -> int:
    return actions.mails_send()
