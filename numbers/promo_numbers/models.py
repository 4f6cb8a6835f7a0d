"""Promo numbers: the tracking numbers that callers dial."""

from django.db import models
from django.utils import timezone

from campaigns.models import Campaign
from portal.accounts.models import Network


class PromoNumber(models.Model):
    """A static (direct) number of a campaign. Calls to it are calls to the campaign. Active on one campaign at a time."""

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="promo_numbers")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="promo_numbers")
    number = models.CharField(max_length=16, unique=True, help_text="E.164.")
    description = models.CharField(max_length=200)
    media_type = models.CharField(max_length=60, default="Online: Display")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.number
