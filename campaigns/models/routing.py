"""What the routing function reads (`RoutingProfile`) and changes (`DestinationState`) on every call.

Two narrow tables beside the wide campaign: the first is written when a campaign is edited, the second with every call.
Measured: the split, only the primary key indexed and room left in each page keeps the hot row's updates in place.
"""

from typing import Any

from django.db import models
from psycopg.types.multirange import Multirange

from .campaign import Campaign


class MultirangeField(models.Field):
    """A PostgreSQL multirange of integers, as a list of (from, to) pairs, `to` exclusive. NULL = everything."""

    def __init__(self, *args: Any, range_type: str = "int8multirange", **kwargs: Any) -> None:
        self.range_type = range_type
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "range_type": self.range_type}

    def db_type(self, connection: Any) -> str:
        return self.range_type

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return f"%s::{self.range_type}"

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        return "{" + ",".join(f"[{low},{high})" for low, high in value) + "}"

    def from_db_value(self, value: Multirange | None, expression: Any, connection: Any) -> list[tuple[int, int]] | None:
        if value is None:
            return None
        return [(int(part.lower or 0), int(part.upper or 0)) for part in value]


class RoutingProfile(models.Model):
    """A destination's standing rules, compiled by `actions.profile_compile` whenever its campaign changes."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    routable = models.BooleanField(default=False)
    status = models.CharField(
        max_length=12, default="Pending", help_text="The campaign's, so that a decision can name it."
    )
    time_zone = models.CharField(max_length=64)
    hours = MultirangeField(
        range_type="int4multirange",
        null=True,
        help_text="Open seconds of the local week, Monday 00:00 = 0; NULL = always.",
    )
    regions = MultirangeField(
        range_type="int8multirange", null=True, help_text="Callers' numbers padded to 15 digits; NULL = everywhere."
    )
    payout = models.DecimalField(
        max_digits=10, decimal_places=4, default=0, help_text="Reserved per call: the most that it can cost."
    )
    payin = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    by_policy = models.BooleanField(default=False, help_text="Priced by policies with conditions, not by these two.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Routing profile of {self.campaign_id}"


class DestinationState(models.Model):
    """The hot row: live calls and use of the caps of one destination, with the caps in force beside them.

    Written by SQL functions and triggers only (campaigns/sql). `live` may pass `live_cap` only by repeat callers or
    after the cap was lowered.
    """

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="state", db_constraint=False
    )
    live = models.IntegerField(default=0)
    live_cap = models.IntegerField(null=True, help_text="NULL = no cap in force.")
    calls_used = models.IntegerField(default=0)
    calls_cap = models.IntegerField(null=True)
    calls_since = models.DateTimeField(null=True)
    calls_until = models.DateTimeField(null=True, help_text="NULL = never resets.")
    spend_used = models.DecimalField(max_digits=16, decimal_places=4, default=0)
    spend_cap = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    spend_since = models.DateTimeField(null=True)
    spend_until = models.DateTimeField(null=True)
    fee_per_minute = models.DecimalField(
        max_digits=8,
        decimal_places=4,
        default=0,
        help_text="Counted into spend; 0 unless the budget includes call fees.",
    )

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(live__gte=0), name="destination_live_not_negative")]

    def __str__(self) -> str:
        return f"{self.live} live on {self.campaign_id}"
