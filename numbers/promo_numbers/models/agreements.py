"""Contracts, requests for more, and the record of use that both are judged by."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from campaigns.models import Campaign
from portal.accounts.models import Network
from promo_numbers.choices import Ceiling, ContractPeriod, RequestState


@pghistory.track()
class Contract(models.Model):
    """What a network bought: numbers per month or year, until when, and what one more costs. Platform staff keep it."""

    network = models.OneToOneField(Network, on_delete=models.CASCADE, primary_key=True, related_name="numbers_contract")
    csm = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The customer success manager: told of every raise and request.",
    )  # fmt: skip
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day.")
    numbers = models.PositiveIntegerField(help_text="Numbers included.")
    period = models.CharField(max_length=5, choices=ContractPeriod, default=ContractPeriod.YEAR)
    overage_price = models.DecimalField(
        max_digits=10, decimal_places=4, default=0, help_text="Of one number above them, for a month."
    )
    currency = models.CharField(max_length=3, default="USD")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="contract_ends_after_start"),
            models.CheckConstraint(condition=Q(overage_price__gte=0), name="contract_price_not_negative"),
            models.CheckConstraint(condition=Q(period__in=ContractPeriod.values), name="contract_known_period"),
        ]

    def __str__(self) -> str:
        return f"Contract of {self.network}"


class LimitRequest(models.Model):
    """Somebody met a limit and asks for more. Network limits are decided by platform staff, a campaign's by its Supers."""

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="limit_requests")
    ceiling = models.CharField(max_length=20, choices=Ceiling)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    more = models.PositiveIntegerField(help_text="How many more numbers.")
    reason = models.TextField()
    visitors_per_hour = models.PositiveIntegerField(null=True, blank=True, help_text="Expected at the busiest time.")
    lifetime_seconds = models.PositiveIntegerField(null=True, blank=True, help_text="How long each keeps his number.")
    limit_then = models.PositiveIntegerField(null=True, blank=True, help_text="The limit when it was asked.")
    used_then = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    granted = models.PositiveIntegerField(null=True, blank=True, help_text="How many more were granted.")
    note = models.TextField(blank=True)
    working = models.JSONField(default=dict, blank=True, help_text="The figures that the decision was made on.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ceiling__in=Ceiling.values), name="request_known_ceiling"),
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="request_known_state"),
            models.CheckConstraint(
                condition=Q(ceiling=Ceiling.CAMPAIGN, campaign__isnull=False)
                | (~Q(ceiling=Ceiling.CAMPAIGN) & Q(campaign=None)),
                name="request_campaign_of_ceiling",
            ),
            models.CheckConstraint(condition=Q(more__gte=1), name="request_asks_for_some"),
            models.UniqueConstraint(
                fields=["network", "ceiling", "campaign", "asked_by"], condition=Q(state="open"),
                nulls_distinct=False, name="request_open_once",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["network", "-id"], name="request_of_network"),
            models.Index(fields=["id"], condition=Q(state="open"), name="request_open"),
        ]

    def __str__(self) -> str:
        return f"{self.more} more: {self.get_ceiling_display()}"


class NumberDay(models.Model):
    """A network's use on one day (UTC): what it held at the day's end, most at once, and what came and went."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="number_days")
    day = models.DateField()
    static_used = models.PositiveIntegerField(default=0)
    dynamic_used = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    released = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["network_id", "day"]
        constraints = [models.UniqueConstraint(fields=["network", "day"], name="number_day_once")]

    def __str__(self) -> str:
        return f"{self.network} on {self.day}"
