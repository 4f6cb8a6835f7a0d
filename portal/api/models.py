"""What the API remembers between requests."""

from django.db import models
from django.utils import timezone

from portal.accounts.models import User


class IdempotencyKey(models.Model):
    """An Idempotency-Key that a client sent, and the answer that its request was given (`status` NULL = not yet).

    Only answers of success are kept: whatever was refused wrote nothing, and a retry may run afresh.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    lookup = models.CharField(max_length=64, help_text="Digest of path and key.")
    path = models.TextField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="Digest of the body.")
    served = models.BooleanField(default=False, help_text="A request that commits by itself is at work on it.")
    started_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "lookup"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["started_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return self.key
