"""Where a network's events are sent, and what became of each message."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal.accounts.models import Network


class Webhook(models.Model):
    """An address of a network's own that is told of events. `kinds` empty = of all."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    secret = models.TextField(editable=False, help_text="Sealed; shown once, at creation.")
    kinds = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    off_because = models.CharField(max_length=200, blank=True, help_text="Why the portal itself switched it off.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["network", "url"], name="webhook_url_once_per_network")]

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Delivered"
    FAILED = "failed", "Given up"


class Delivery(models.Model):
    """One message to one webhook. Its id is the message's (`webhook-id`), the same at every try."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=60)
    body = models.JSONField()
    # The same key is sent once to a webhook, whatever runs twice.
    key = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now, help_text="Not tried before; while it is tried, its lease.")
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="hook_delivery_known_state"),
            models.UniqueConstraint(fields=["webhook", "key"], name="hook_delivery_once_per_key"),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="waiting"), name="hook_delivery_due"),
            models.Index(fields=["webhook", "-created_at"], name="hook_delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.webhook}"
