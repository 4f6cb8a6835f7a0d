"""RingPools: pools of dynamic numbers, one for each visitor of a web page for a while."""

import secrets

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from campaigns.models import Campaign
from portal.accounts.models import Network

from .numbers import PromoNumber

MAX_LIFETIME = 30 * 24 * 3600


def new_key() -> str:
    """A pool's key: it stands in the pages of web sites, so it is no secret, but it cannot be guessed either."""
    return secrets.token_urlsafe(18)


class RingPool(models.Model):
    """A pool of dynamic numbers (fields: domain/api-shapes.md). Its numbers are `PromoNumber` rows with `ring_pool`."""

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="ring_pools")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="ring_pools")
    id_from_network = models.CharField(max_length=100, help_text="The customer's own id, unique in the network.")
    name = models.CharField(max_length=200)
    lifetime_seconds = models.PositiveIntegerField(default=1800, help_text="How long a visitor keeps his number.")
    max_pool_size = models.PositiveIntegerField(default=2, help_text="Numbers that visitors share.")
    preferred = models.BooleanField(default=False, help_text="The campaign's pool where none is named.")
    destination_phone_number = models.CharField(
        max_length=16, blank=True, help_text="Shown, untracked, when the pool is exhausted and has no overflow number."
    )
    fill_immediately = models.BooleanField(default=True, help_text="Off: starts at 10 % of its size.")
    allow_overflow = models.BooleanField(default=True, help_text="An overflow number, tracked but not attributed.")
    api_key = models.CharField(max_length=40, unique=True, default=new_key, editable=False)
    promo_type = models.CharField(max_length=10, default="Local")
    local_center = models.JSONField(default=dict, blank=True)
    local_number_preferences = models.JSONField(default=dict, blank=True)
    tn_prefix_whitelist = models.JSONField(default=list, blank=True, help_text="Area codes or longer prefixes.")
    customer_phone_numbers = models.JSONField(
        default=list, blank=True, help_text="The customer's own numbers, taken into the pool before any of the stock."
    )

    auto_scale = models.BooleanField(default=False)
    growth_percent = models.PositiveSmallIntegerField(default=10, help_text="How much it grows at a time.")
    growth_ceiling = models.PositiveSmallIntegerField(default=10, help_text="At most so many numbers at a time.")
    scale_max = models.PositiveIntegerField(null=True, blank=True, help_text="Never larger than this by itself.")

    shrink_to = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="Numbers go back down to this size as visitors leave them."
    )
    scaled_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Last time it grew by itself.")
    scale_refusal = models.TextField(blank=True, editable=False, help_text="Why it could not grow by itself.")
    scale_refused_at = models.DateTimeField(null=True, blank=True, editable=False)
    cleaned_for = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="First day of the last month whose unused numbers were dropped.",
    )
    exhausted_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Last time it ran out.")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    extra = models.JSONField(
        default=dict, blank=True, editable=False, help_text="API fields kept and given back unchanged."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "RingPool"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["network", "id_from_network"], name="pool_id_once_per_network"),
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(preferred=True, archived_at=None), name="pool_one_preferred"
            ),
            models.CheckConstraint(
                condition=Q(lifetime_seconds__range=(60, MAX_LIFETIME)), name="pool_lifetime_in_range"
            ),
            models.CheckConstraint(condition=Q(max_pool_size__range=(1, 100_000)), name="pool_size_in_range"),
            models.CheckConstraint(condition=Q(growth_percent__range=(1, 100)), name="pool_growth_in_range"),
            models.CheckConstraint(condition=Q(growth_ceiling__gte=1), name="pool_ceiling_in_range"),
        ]
        indexes = [models.Index(fields=["campaign", "id"], name="pool_of_campaign")]

    def __str__(self) -> str:
        return self.name


class PoolSlot(models.Model):
    """The hot row of one dynamic number: whose it is until when. One for every number of a pool but its overflow."""

    promo_number = models.OneToOneField(
        PromoNumber, on_delete=models.CASCADE, primary_key=True, related_name="slot", db_constraint=False
    )
    pool = models.ForeignKey(RingPool, on_delete=models.CASCADE, related_name="slots", db_constraint=False)
    visitor = models.CharField(max_length=64, null=True, blank=True, help_text="Digest of who he is.")
    until = models.DateTimeField(help_text="The number is his until then; the past = free.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "visitor"], name="slot_one_number_per_visitor")]
        indexes = [models.Index(fields=["pool", "until"], name="slot_free_first")]

    def __str__(self) -> str:
        return f"Slot of {self.promo_number_id}"


class Allocation(models.Model):
    """One visitor's time with one number: what a call to the number is attributed to."""

    pool = models.ForeignKey(RingPool, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    promo_number = models.ForeignKey(
        PromoNumber, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    visitor = models.CharField(max_length=64)
    params = models.JSONField(default=dict, help_text="What the page said of the visit.")
    started_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["promo_number", "-started_at"], name="allocation_of_number"),
            # Rows come in the order of time: enough to count the last minutes, and next to nothing to keep.
            BrinIndex(fields=["started_at"], name="allocation_by_time", pages_per_range=16),
        ]

    def __str__(self) -> str:
        return f"{self.promo_number_id} from {self.started_at}"


class PoolMiss(models.Model):
    """A request that found no free number. Only ever inserted by visitors; summed up into `PoolUsage` and deleted."""

    pool = models.ForeignKey(RingPool, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "pool misses"

    def __str__(self) -> str:
        return f"{self.pool_id} at {self.at}"


class PoolUsage(models.Model):
    """A pool's use in five minutes, for its chart and for scaling. `peak`: most numbers held at once."""

    pool = models.ForeignKey(RingPool, on_delete=models.CASCADE, related_name="usage")
    at = models.DateTimeField(help_text="Start of the five minutes.")
    size = models.PositiveIntegerField(default=0)
    peak = models.PositiveIntegerField(default=0)
    allocations = models.PositiveIntegerField(default=0)
    exhausted = models.PositiveIntegerField(default=0, help_text="Visitors who found no free number.")

    class Meta:
        ordering = ["pool_id", "at"]
        constraints = [models.UniqueConstraint(fields=["pool", "at"], name="pool_usage_once")]

    def __str__(self) -> str:
        return f"{self.pool} at {self.at}"
