"""Who changed what, when, and why."""

from django.db import models
from django.utils import timezone

from portal.accounts.models import ApiToken, Network, User


class AuditEvent(models.Model):
    """One change: who (and with which token), what on which object, old and new values, the reason, the request.

    Never updated and never deleted by the portal. Objects are kept by name as well as by id: the line stays readable
    whatever becomes of them.
    """

    at = models.DateTimeField(default=timezone.now)
    network = models.ForeignKey(Network, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    token = models.ForeignKey(ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    event = models.CharField(max_length=60, help_text="noun.verb, such as cap.set")
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    object_label = models.CharField(max_length=250)
    changes = models.JSONField(default=dict, help_text="{field: [old, new]}")
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["network", "-id"], name="audit_by_network"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.object_label}"
