"""Sending, by Celery. Safe to run twice, beside itself, and to miss."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from . import actions
from .models import Delivery, DeliveryState

KEPT_DAYS = 30


@shared_task(ignore_result=True)
def send_deliveries() -> int:
    """Send what is due."""
    return actions.deliveries_send()


@shared_task(ignore_result=True)
def clear_deliveries() -> int:
    """Forget messages that were delivered or given up a month ago."""
    old = timezone.now() - timedelta(days=KEPT_DAYS)
    return Delivery.objects.exclude(state=DeliveryState.WAITING).filter(created_at__lt=old).delete()[0]
