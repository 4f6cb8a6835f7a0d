"""The people of a batch, each dialing of them, and everything that was heard about it.

Millions of rows: narrow, without foreign-key constraints (checking them would lock the batch with every row; a trigger
keeps batches that have recipients), and moved by SQL functions only (outbound/sql).
"""

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone

from outbound.choices import AttemptState, CalleeType, EventKind, EventSource, Outcome, Reason, RecipientState

from .batch import Batch
from .carrier import Carrier
from .schedule import ZoneSet


class Recipient(models.Model):
    """One person of a batch. A number stands in a batch once."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(
        Batch, on_delete=models.DO_NOTHING, related_name="recipients", db_constraint=False, db_index=False
    )
    number = models.CharField(max_length=16, help_text="E.164.")
    zones = models.ForeignKey(
        ZoneSet, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    state = models.CharField(max_length=10, choices=RecipientState, default=RecipientState.PENDING)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    attempts = models.SmallIntegerField(default=0, help_text="The last attempt's number.")
    dialed = models.SmallIntegerField(default=0, help_text="Attempts that went out: what max_attempts counts.")
    due_at = models.DateTimeField(help_text="Not before; the window is checked besides.")
    outcome = models.CharField(max_length=14, choices=Outcome, blank=True, help_text="Of the last attempt.")
    ani = models.CharField(max_length=16, blank=True, help_text="Empty = the batch's.")
    parameters = models.JSONField(null=True)

    class Meta:
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["batch", "zones", "due_at"], condition=models.Q(state="pending", dialed=0), name="recipient_due"
            ),
            models.Index(
                fields=["batch", "zones", "due_at"],
                condition=models.Q(state="pending", dialed__gt=0),
                name="recipient_retry_due",
            ),
            models.Index(
                fields=["batch", "state", "id"], condition=~models.Q(state="pending"), name="recipient_by_state"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="recipient_once_per_batch"),
            models.CheckConstraint(condition=models.Q(state__in=RecipientState.values), name="recipient_known_state"),
            models.CheckConstraint(
                condition=models.Q(zones__isnull=False) | models.Q(state="suppressed"), name="recipient_zone_known"
            ),
            models.CheckConstraint(
                condition=models.Q(dialed__lte=models.F("attempts")), name="recipient_dialed_counted"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Attempt(models.Model):
    """One dialing of one recipient; its id is what the carrier is told. History: never overwritten, never reused.

    Written with the claim, before anything is dialed. At most one is open per recipient.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    recipient = models.ForeignKey(
        Recipient, on_delete=models.DO_NOTHING, related_name="tries", db_constraint=False, db_index=False
    )
    batch = models.ForeignKey(
        Batch, on_delete=models.DO_NOTHING, related_name="attempts", db_constraint=False, db_index=False
    )
    carrier = models.ForeignKey(
        Carrier, on_delete=models.DO_NOTHING, related_name="attempts", db_constraint=False, db_index=False
    )
    number = models.SmallIntegerField(help_text="1 for the recipient's first.")
    state = models.CharField(max_length=10, choices=AttemptState, default=AttemptState.QUEUED)
    claimed_at = models.DateTimeField()
    dial_at = models.DateTimeField(help_text="Its slot under the pace.")
    placed_at = models.DateTimeField(null=True)
    ringing_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=14, choices=Outcome, blank=True)
    cause = models.CharField(max_length=100, blank=True, help_text="The carrier's raw code, kept beside our label.")
    callee_type = models.CharField(max_length=16, choices=CalleeType, blank=True)
    duration = models.IntegerField(null=True, help_text="Seconds from answer to end.")
    carrier_call_id = models.CharField(max_length=64, blank=True)
    worker = models.CharField(max_length=60, blank=True)
    look_at = models.DateTimeField(null=True, help_text="When to ask the carrier, unless something is heard before.")
    looks = models.SmallIntegerField(default=0, help_text="How often the carrier was asked.")
    hangup_asked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["recipient_id", "number"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["look_at"], condition=models.Q(look_at__isnull=False), name="attempt_to_look_at"),
            models.Index(
                fields=["batch"], condition=models.Q(state__in=["queued", "dialing", "connected", "unknown"]),
                name="attempt_open",
            ),
            models.Index(
                fields=["carrier", "carrier_call_id"], condition=~models.Q(carrier_call_id=""), name="attempt_at_carrier"
            ),
            models.Index(
                fields=["batch", "-ended_at"], condition=models.Q(ended_at__isnull=False), name="attempt_ended"
            ),
            BrinIndex(fields=["claimed_at"], name="attempt_by_time", autosummarize=True),
        ]  # fmt: skip
        constraints = [
            models.UniqueConstraint(fields=["recipient", "number"], name="attempt_once_per_number"),
            models.UniqueConstraint(
                fields=["recipient"], condition=models.Q(state__in=["queued", "dialing", "connected"]),
                name="attempt_one_open_per_recipient",
            ),
            models.CheckConstraint(condition=models.Q(state__in=AttemptState.values), name="attempt_known_state"),
            models.CheckConstraint(
                condition=models.Q(outcome="") | models.Q(state__in=["completed", "failed"]),
                name="attempt_outcome_at_its_end",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.pk)


class AttemptEvent(models.Model):
    """Something heard about an attempt. All are kept; one that is repeated counts up `heard`."""

    id = models.BigAutoField(primary_key=True)
    attempt = models.ForeignKey(
        Attempt, on_delete=models.DO_NOTHING, related_name="events", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=12, choices=EventKind)
    key = models.CharField(max_length=80, help_text="What makes a repetition: kind, source and the carrier's own mark.")
    source = models.CharField(max_length=8, choices=EventSource)
    at = models.DateTimeField(help_text="When it happened by the carrier's clock.")
    heard_at = models.DateTimeField(default=timezone.now)
    heard = models.SmallIntegerField(default=1)
    data = models.JSONField(null=True, help_text="What came with it, as it came.")

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["attempt", "key"], name="attempt_event_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.attempt_id}"
