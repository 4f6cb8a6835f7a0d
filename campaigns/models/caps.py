"""Caps: budget, periodic calls, concurrent calls."""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone

from campaigns.choices import CapKind, ResetPeriod
from portal.accounts.models import validate_time_zone

from .campaign import Campaign


def default_thresholds() -> list[int]:
    return [75, 90, 100]


@pghistory.track()
class Cap(models.Model):
    """One limit of a campaign, at most one of each kind. No row = no cap; amount 0 = closed.

    budget: money (in `currency`) per period; periodic_calls: calls per period; concurrent_calls: calls at once that
    came through a bundle. A trigger copies what routing needs into `DestinationState` in the same transaction, and
    another refuses a concurrent cap on a Bundled campaign.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="caps")
    kind = models.CharField(max_length=20, choices=CapKind)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    reset_period = models.CharField(max_length=10, choices=ResetPeriod, blank=True)
    starts_at = models.DateField(
        null=True, blank=True, help_text="First day of the first period, in the cap's own zone."
    )
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_time_zone])
    currency = models.CharField(max_length=3, blank=True)
    include_call_fees = models.BooleanField(default=False)
    alerts_enabled = models.BooleanField(default=True)
    alert_thresholds = ArrayField(models.PositiveSmallIntegerField(), default=default_thresholds, help_text="Percent.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["campaign_id", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind"], name="cap_once_per_kind"),
            models.CheckConstraint(condition=Q(kind__in=CapKind.values), name="cap_known_kind"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="cap_not_negative"),
            models.CheckConstraint(
                condition=Q(kind=CapKind.BUDGET)
                | Q(amount=Func(F("amount"), Value(0), function="trunc", output_field=models.DecimalField())),
                name="cap_of_calls_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(kind=CapKind.CONCURRENT_CALLS, reset_period="", starts_at=None, time_zone="")
                | (~Q(kind=CapKind.CONCURRENT_CALLS) & Q(reset_period__in=ResetPeriod.values, starts_at__isnull=False) & ~Q(time_zone="")),
                name="cap_period_belongs_to_kind",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.campaign}"
