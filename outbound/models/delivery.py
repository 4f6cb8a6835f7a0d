"""Results on their way to the customer."""

import uuid

from django.db import models
from django.utils import timezone

from outbound.choices import DeliveryState

from .batch import Batch
from .recipient import Attempt, Recipient


class ResultDelivery(models.Model):
    """One result to be POSTed: of an attempt, or (without one) the final outcome of a recipient.

    Written by triggers in the transaction that makes the result, so none is forgotten. At least once; the deliveries
    of one recipient go out in the order of their ids, the next only when the one before is settled.
    """

    id = models.BigAutoField(primary_key=True)
    message_id = models.UUIDField(default=uuid.uuid4, help_text="webhook-id: the same on every try.")
    batch = models.ForeignKey(
        Batch, on_delete=models.DO_NOTHING, related_name="deliveries", db_constraint=False, db_index=False
    )
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, related_name="deliveries", db_constraint=False, db_index=False
    )
    attempt = models.ForeignKey(
        Attempt, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    tries = models.SmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    last_status = models.SmallIntegerField(null=True, help_text="HTTP status of the last try.")
    last_error = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "result delivery"
        verbose_name_plural = "result deliveries"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(state="pending"), name="delivery_due"),
            models.Index(fields=["recipient", "id"], name="delivery_by_recipient"),
            models.Index(fields=["batch", "-id"], name="delivery_by_batch"),
            models.Index(
                fields=["batch"], condition=models.Q(state="pending", tries__lt=3), name="delivery_holds_batch"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=DeliveryState.values), name="delivery_known_state")
        ]

    def __str__(self) -> str:
        return str(self.message_id)
