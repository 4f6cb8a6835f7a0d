"""Where numbers come from: the stock, and purchases from suppliers."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal.accounts.models import Network
from promo_numbers.choices import OrderState, PromoType, StockState

from .numbers import PromoNumber


class StockNumber(models.Model):
    """A number that we hold, from whatever supplier, in use or not. `network` null: any network may take it."""

    number = models.CharField(max_length=16, unique=True, help_text="E.164.")
    network = models.ForeignKey(
        Network, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=10, choices=PromoType, default=PromoType.LOCAL)
    country = models.CharField(max_length=2, default="US")
    area_code = models.CharField(max_length=6, blank=True)
    locality = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=10, blank=True, help_text="State or province, such as CA.")
    supplier = models.CharField(max_length=20, default="stock")
    supplier_reference = models.CharField(max_length=64, blank=True, help_text="The supplier's own id of it.")
    state = models.CharField(max_length=10, choices=StockState, default=StockState.FREE)
    rests_until = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when its supplier says that it is not ours any more."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=StockState.values), name="stock_known_state"),
            models.CheckConstraint(
                condition=Q(state=StockState.RESTING, rests_until__isnull=False)
                | (~Q(state=StockState.RESTING) & Q(rests_until=None)),
                name="stock_rests_until",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "area_code", "id"], condition=Q(state="free"), name="stock_free_kind"),
            models.Index(fields=["area_code", "id"], condition=Q(state="free"), name="stock_free_by_area"),
            models.Index(fields=["rests_until"], condition=Q(state="resting"), name="stock_resting"),
            # What the stock page counts.
            models.Index(fields=["area_code", "state"], name="stock_by_area"),
            models.Index(fields=["id"], condition=Q(missing_since__isnull=False), name="stock_missing"),
        ]

    def __str__(self) -> str:
        return self.number


class NumberOrder(models.Model):
    """The purchase of one number. Its id goes to the supplier with the order, so that a lost answer can be looked up.

    placing -> unknown happens once, before the order is sent: whoever changed that row sends it, nobody ever again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    promo_number = models.OneToOneField(PromoNumber, on_delete=models.PROTECT, related_name="order")
    supplier = models.CharField(max_length=20)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="Told when its answer comes late.",
    )  # fmt: skip
    wanted = models.JSONField(default=dict, help_text="What was asked for: area code, locality, kind, ...")
    state = models.CharField(max_length=10, choices=OrderState, default=OrderState.PLACING)
    number = models.CharField(max_length=16, blank=True)
    supplier_reference = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=250, blank=True)
    looked_up = models.PositiveSmallIntegerField(default=0, help_text="How often it was looked up.")
    look_up_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=Q(state__in=OrderState.values), name="order_known_state")]
        indexes = [
            models.Index(fields=["look_up_at"], condition=Q(state__in=["placing", "unknown"]), name="order_open")
        ]

    def __str__(self) -> str:
        return f"Order {self.id}"


class RollUpMark(models.Model):
    """How far a roll-up has come: what began before `until` is summed up."""

    name = models.CharField(max_length=40, primary_key=True)
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} until {self.until}"
