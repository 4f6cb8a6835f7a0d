"""What was told of a cap's use."""

from django.db import models
from django.db.models import Q

from campaigns.choices import CapKind

from .campaign import Campaign


class AlertState(models.Model):
    """The alerts of one campaign and kind of cap: at most one a day (domain/call-capacity.md), each threshold once a period.

    Written by `actions.alerts_check` only, in the transaction that tells of it.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="alert_states")
    kind = models.CharField(max_length=20, choices=CapKind)
    threshold = models.PositiveSmallIntegerField(default=0, help_text="The highest told in this period; 0 = none.")
    period_since = models.DateTimeField(null=True, blank=True)
    told_on = models.DateField(null=True, blank=True, help_text="In the cap's own zone.")
    recovered_on = models.DateField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind"], name="alert_state_once_per_kind"),
            models.CheckConstraint(condition=Q(kind__in=CapKind.values), name="alert_state_known_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.campaign_id}: {self.threshold} %"
