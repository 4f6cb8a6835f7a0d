"""Calls, their legs, and what is summed up from them."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from campaigns.choices import CapKind, EndReason, LegKind, Outcome

from .campaign import Campaign


class Call(models.Model):
    """A call as it arrived and what routing decided. Never changed afterwards: what happens then stands on its legs.

    Written by the SQL function `campaigns_route_call`. Foreign keys without a database constraint: checking them would
    lock campaign rows on every call, and campaigns are never deleted (a trigger sees to that).
    """

    id = models.BigAutoField(primary_key=True)
    network = models.ForeignKey(
        "accounts.Network", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="calls", db_constraint=False, db_index=False,
        help_text="The campaign called.",
    )  # fmt: skip
    promo_number = models.CharField(max_length=16, blank=True)
    caller = models.CharField(max_length=16, null=True, help_text="E.164; NULL = withheld or not a number.")
    caller_given = models.CharField(
        max_length=64, blank=True, help_text="As the switch sent it, where it is no number."
    )
    external_id = models.CharField(max_length=100, null=True, help_text="The switch's own id for the call.")
    started_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome)
    refusal = models.CharField(max_length=20, choices=EndReason, blank=True, help_text="Why nobody took it.")
    trace = models.JSONField(
        default=list, help_text="One compact entry per destination; read with `queries.trace_read`."
    )

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["campaign", "-id"], name="call_by_campaign"),
            models.Index(fields=["network", "-id"], name="call_by_network"),
            models.Index(fields=["network", "caller", "-id"], name="call_by_caller"),
            BrinIndex(fields=["started_at"], name="call_by_time", autosummarize=True),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["network", "external_id"],
                condition=models.Q(external_id__isnull=False),
                name="call_external_id_once",
            ),
        ]

    def __str__(self) -> str:
        return self.transaction_id

    @property
    def transaction_id(self) -> str:
        """The id that the API and pages show, in the field's usual shape: two groups of eight hex digits."""
        return self.transaction_id_of(self.pk)

    @staticmethod
    def transaction_id_of(pk: int) -> str:
        """The transaction id of the call with that primary key."""
        return f"{pk >> 32:08X}-{pk & 0xFFFFFFFF:08X}"

    @staticmethod
    def pk_of(transaction_id: str) -> int | None:
        """The primary key behind a transaction id; None if it is not one."""
        high, dash, low = transaction_id.partition("-")
        try:
            if not dash or len(high) != 8 or len(low) != 8:
                return None
            return (int(high, 16) << 32) | int(low, 16)
        except ValueError:
            return None


class CallLeg(models.Model):
    """One destination that a call reached. While it `holds_slot` and has not ended, it IS the slot.

    A slot is a lease: `expires_at` moves on with ringing, answer and heartbeats; the sweeper ends what ran out.
    """

    id = models.BigAutoField(primary_key=True)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="legs", db_constraint=False, db_index=False)
    destination = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="legs", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=10, choices=LegKind)
    holds_slot = models.BooleanField(help_text="Came through a bundle, so it counts against the concurrent cap.")
    over_cap = models.BooleanField(default=False, help_text="A repeat caller sent here although the cap was reached.")
    reserved = models.DecimalField(
        max_digits=10, decimal_places=4, default=0, help_text="Payout counted against the budget."
    )
    selected_at = models.DateTimeField()
    ringing_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, choices=EndReason, blank=True)
    end_detail = models.CharField(
        max_length=250, blank=True, help_text="The switch's raw cause, or why it was released."
    )
    cost = models.DecimalField(
        max_digits=12, decimal_places=4, null=True,
        help_text="Paid out for it, once it has ended; NULL = not priced yet (then `reserved` counts).",
    )  # fmt: skip
    revenue = models.DecimalField(max_digits=12, decimal_places=4, null=True, help_text="Received for it, likewise.")
    trace = models.JSONField(
        null=True, help_text="The decision, where the call's slot moved here from another destination; else NULL."
    )
    left_trace = models.JSONField(
        null=True, help_text="The decision, where the call was to move on from here and nobody was left; else NULL."
    )

    class Meta:
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["call", "id"], name="leg_by_call"),
            models.Index(fields=["destination", "-id"], name="leg_by_destination"),
            models.Index(fields=["destination"], condition=models.Q(ended_at=None), name="leg_live"),
            BrinIndex(fields=["selected_at"], name="leg_by_time", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"leg {self.pk} of call {self.call_id}"


class UnpricedLeg(models.Model):
    """A leg that has ended and that policies will price (`actions.legs_price`)."""

    leg = models.OneToOneField(
        CallLeg, on_delete=models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"leg {self.leg_id}"


class UsageAdjustment(models.Model):
    """A periodic counter set by hand: what it differed by. Who and why stand in the audit trail."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="usage_adjustments")
    kind = models.CharField(max_length=20, choices=CapKind)
    amount = models.DecimalField(max_digits=16, decimal_places=4)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["campaign", "at"], name="usage_adjusted")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[CapKind.BUDGET, CapKind.PERIODIC_CALLS]), name="usage_adjusted_of_period"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount} on {self.kind} of {self.campaign_id}"


class RepeatCaller(models.Model):
    """The destination that a caller was first connected to through a bundle, and when he last was."""

    pk = models.CompositePrimaryKey("bundle_id", "caller")
    bundle = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    caller = models.CharField(max_length=16)
    destination = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    connected_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.caller} at {self.bundle_id}"


class CampaignHour(models.Model):
    """One campaign's hour (UTC): calls to it, and as a destination its answered calls and highest live count.

    Made from calls and legs by `actions.hours_roll_up`; may be rebuilt at any time.
    """

    network = models.ForeignKey("accounts.Network", on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="hours_summed")
    hour = models.DateTimeField()
    calls = models.IntegerField(default=0, help_text="Calls to this campaign (a bundle or called directly).")
    refused = models.IntegerField(default=0)
    refused_by_reason = models.JSONField(default=dict)
    received = models.IntegerField(default=0, help_text="Calls that it received as a destination.")
    answered = models.IntegerField(default=0)
    peak_live = models.IntegerField(default=0)
    ended = models.IntegerField(
        default=0, help_text="Answered calls that ended in it; the money and seconds are theirs."
    )
    seconds = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=4, default=0)
    revenue = models.DecimalField(max_digits=16, decimal_places=4, default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["campaign", "hour"], name="campaign_hour_once")]
        indexes = [models.Index(fields=["network", "hour"], name="campaign_hour_by_network")]

    def __str__(self) -> str:
        return f"{self.campaign_id} at {self.hour}"
