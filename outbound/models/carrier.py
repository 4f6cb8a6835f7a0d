"""Carriers: who carries the calls, how much they take, and how they are."""

from django.db import models
from django.utils import timezone

from outbound.choices import CarrierKind
from portal.accounts.models import Network
from portal.sealing import unseal


class Carrier(models.Model):
    """An account at a carrier. What changes with every call stands in `CarrierState`."""

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="carriers")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=CarrierKind)
    base_url = models.URLField(blank=True, help_text="Empty = the kind's own address.")
    settings = models.JSONField(default=dict, blank=True, help_text="What the kind needs besides secrets.")
    secrets = models.JSONField(
        default=dict, blank=True, editable=False, help_text="Keys, sealed; never shown, never audited."
    )
    calls_per_second = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, blank=True, help_text="Empty = no limit of its own."
    )
    lines = models.PositiveIntegerField(null=True, blank=True, help_text="Calls at once; empty = no limit of its own.")
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["network", "name"], name="carrier_name_once_per_network"),
            models.CheckConstraint(condition=models.Q(kind__in=CarrierKind.values), name="carrier_known_kind"),
            models.CheckConstraint(
                condition=models.Q(calls_per_second=None) | models.Q(calls_per_second__gt=0),
                name="carrier_pace_positive",
            ),
        ]
        permissions = [("operate_carrier", "Can clear a carrier's back-off")]

    def __str__(self) -> str:
        return self.name

    def secret(self, name: str) -> str:
        """One of its keys; empty when it has none of that name. Raises `portal.sealing.Unreadable`."""
        sealed = self.secrets.get(name)
        return unseal(sealed) if sealed else ""


class CarrierState(models.Model):
    """The carrier's hot row: its next free slot and its health. Written by SQL functions only."""

    carrier = models.OneToOneField(Carrier, on_delete=models.CASCADE, primary_key=True, related_name="state")
    next_slot_at = models.DateTimeField(default=timezone.now, help_text="From when the next call may be dialed.")
    errors_in_row = models.IntegerField(default=0)
    backoff_until = models.DateTimeField(null=True, help_text="Nothing is claimed for it before.")
    slowed = models.SmallIntegerField(default=0, help_text="Its pace is divided by 2 to this power.")
    slowed_at = models.DateTimeField(null=True, help_text="When that last changed.")
    last_error = models.CharField(max_length=250, blank=True)
    last_error_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"State of {self.carrier_id}"
