"""Batches: what to call, for whom, when, how fast, and how often again."""

import secrets
from base64 import b64encode

from django.db import models
from django.utils import timezone

from campaigns.models import Campaign
from outbound.choices import BatchStatus, CatchUp, ResultFormat
from portal.accounts.models import Network, User
from portal.sealing import seal, unseal

from .carrier import Carrier
from .lists import DoNotCallList


def new_secret() -> str:
    """A secret of Standard Webhooks, with which a batch's results are signed."""
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def new_sealed_secret() -> str:
    """A new secret as it is stored: a copy of the database forges no result."""
    return seal(new_secret())


class Batch(models.Model):
    """A list of people to call with one ani, in their own hours. What changes with every call stands in `BatchState`."""

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="batches")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="batches",
        help_text="The campaign that the ani belongs to: grants on it hold for the batch.",
    )  # fmt: skip
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=BatchStatus, default=BatchStatus.DRAFT)
    pause_reason = models.CharField(max_length=250, blank=True, help_text="Why it is paused, by whom or by what.")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="batches")
    ani = models.CharField(max_length=16, help_text="The number shown to the callee; one of the network's (E.164).")
    priority = models.PositiveSmallIntegerField(
        default=5, help_text="1 to 10: its share when batches compete for the same lines."
    )

    start_url = models.CharField(
        max_length=255, blank=True, help_text="Fetched by the carrier when a call is answered."
    )
    result_url = models.CharField(max_length=255, blank=True, help_text="Where outcomes are POSTed.")
    result_format = models.CharField(max_length=12, choices=ResultFormat, default=ResultFormat.JSON)
    result_each_attempt = models.BooleanField(default=False, help_text="POST each attempt too, not only the outcome.")
    result_secret = models.CharField(
        max_length=250, default=new_sealed_secret, editable=False, help_text="Sealed; see `signing_secret`."
    )
    result_disabled_at = models.DateTimeField(null=True, editable=False, help_text="The receiver said 410 Gone.")
    message_reference = models.CharField(max_length=255, blank=True)
    parameters = models.JSONField(default=dict, blank=True, help_text="Given to every call; a row's own come on top.")

    starts_at = models.DateTimeField(null=True, blank=True, help_text="Empty = as soon as it is started.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty = never.")
    hours = models.JSONField(
        default=dict, help_text="{monday_open, monday_closed, ...}: seconds past midnight of the callee's clock."
    )
    holidays = models.JSONField(default=list, blank=True, help_text="Dates on which nobody is called (callee's date).")
    catch_up = models.CharField(max_length=10, choices=CatchUp, default=CatchUp.CONTINUE)
    calls_per_second = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    lines = models.PositiveIntegerField(null=True, blank=True, help_text="Calls at once.")

    max_attempts = models.PositiveSmallIntegerField(default=1, help_text="Of one person, whatever the outcomes.")
    retry_interval = models.PositiveIntegerField(default=300, help_text="Seconds from dispatch to the next attempt.")
    retries = models.JSONField(
        default=dict, blank=True, help_text="{outcome: {delay: seconds, count: times}}; others: see retry_interval."
    )
    do_not_call_lists = models.ManyToManyField(DoNotCallList, through="BatchDoNotCall", related_name="batches")

    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    extra = models.JSONField(
        default=dict, blank=True, editable=False, help_text="API fields kept and given back unchanged."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=BatchStatus.values), name="batch_known_status"),
            models.CheckConstraint(condition=models.Q(priority__range=(1, 10)), name="batch_priority_in_range"),
            models.CheckConstraint(condition=models.Q(max_attempts__range=(1, 10)), name="batch_attempts_in_range"),
            models.CheckConstraint(
                condition=models.Q(retry_interval__range=(60, 172800)), name="batch_retry_interval_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(calls_per_second=None) | models.Q(calls_per_second__gt=0), name="batch_pace_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at=None)
                | models.Q(expires_at=None)
                | models.Q(expires_at__gt=models.F("starts_at")),
                name="batch_expires_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["network", "-id"], name="batch_list"),
            models.Index(
                fields=["status"], condition=models.Q(status__in=["scheduled", "running", "paused", "stopping"]),
                name="batch_active",
            ),
        ]  # fmt: skip
        permissions = [("operate_batch", "Can start, pause, stop and hang up")]

    def __str__(self) -> str:
        return self.name

    def signing_secret(self) -> str:
        """The secret (`whsec_...`) that results are signed with. Raises `portal.sealing.Unreadable`."""
        return unseal(self.result_secret)


class BatchDoNotCall(models.Model):
    """A do-not-call list that a batch keeps besides those that bind the whole network."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+")
    list = models.ForeignKey(DoNotCallList, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["batch", "list"], name="batch_do_not_call_once")]

    def __str__(self) -> str:
        return f"{self.list_id} for {self.batch_id}"


class BatchState(models.Model):
    """The batch's hot row: how many recipients stand where, its next free slot, its turn. Written by SQL only.

    The counters are kept by a trigger in the transaction that moves a recipient, so they are exact. Who changes a
    batch's status locks this row first: that is what a claim waits for (docs/locking.md).
    """

    batch = models.OneToOneField(Batch, on_delete=models.CASCADE, primary_key=True, related_name="state")
    pending = models.IntegerField(default=0)
    queued = models.IntegerField(default=0)
    dialing = models.IntegerField(default=0)
    connected = models.IntegerField(default=0)
    completed = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    canceled = models.IntegerField(default=0)
    expired = models.IntegerField(default=0)
    suppressed = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0, help_text="Attempts ever claimed.")
    next_slot_at = models.DateTimeField(default=timezone.now, help_text="From when the next call may be dialed.")
    look_at = models.DateTimeField(default=timezone.now, help_text="Claims pass it over before; nothing is due.")
    turn = models.FloatField(default=0, help_text="Calls served, divided by priority: the lowest is next.")
    errors_in_row = models.IntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, help_text="When calls were last claimed.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"State of batch {self.batch_id}"

    @property
    def live(self) -> int:
        """Calls that hold a line: claimed, ringing or connected."""
        return self.queued + self.dialing + self.connected

    @property
    def total(self) -> int:
        return self.pending + self.live + self.ended + self.unknown

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.canceled + self.expired + self.suppressed


class Pace(models.Model):
    """One row: claims take turns on it. The next free slot of the whole portal, whose turn it is, and the last beat."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    next_slot_at = models.DateTimeField(default=timezone.now)
    turn = models.FloatField(default=0)
    beat_at = models.DateTimeField(default=timezone.now, help_text="When a pump last looked: a gap means we were down.")

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="pace_is_one_row")]

    def __str__(self) -> str:
        return "Pace"
