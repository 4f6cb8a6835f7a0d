"""Jobs that users watch (imports), and proposals to take numbers back."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from campaigns.models import Campaign
from portal.accounts.models import Network
from promo_numbers.choices import JobState, ReclaimState

from .numbers import PromoNumber


class NumberImport(models.Model):
    """One CSV file of numbers to add (to `campaign`, or to those that its column names), or of stock (`into_stock`)."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, null=True, blank=True, related_name="number_imports")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    into_stock = models.BooleanField(default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(editable=False, help_text="The file; dropped when the job ends.")
    state = models.CharField(max_length=10, choices=JobState, default=JobState.WAITING)
    rows = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="Rows dealt with; a worker goes on from here.")
    added = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=250, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now, help_text="Last sign of life of the worker.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(state__in=JobState.values), name="number_import_known_state")]
        indexes = [
            models.Index(fields=["seen_at"], condition=Q(state__in=["waiting", "running"]), name="number_import_open")
        ]

    def __str__(self) -> str:
        return self.file_name


class NumberImportRefusal(models.Model):
    """A row that was not taken: its line in the file, what it said, and why not."""

    job = models.ForeignKey(NumberImport, on_delete=models.CASCADE, related_name="refusals")
    line = models.PositiveIntegerField()
    row = models.TextField()
    code = models.CharField(max_length=60)
    reason = models.TextField()

    class Meta:
        ordering = ["job_id", "line"]
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="number_refusal_once_per_line")]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"


class ReclaimProposal(models.Model):
    """A number without a call for 45 days will be taken back unless somebody keeps it or it is called."""

    promo_number = models.ForeignKey(PromoNumber, on_delete=models.CASCADE, related_name="reclaims")
    proposed_on = models.DateField()
    reclaim_on = models.DateField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=ReclaimState, default=ReclaimState.PROPOSED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ReclaimState.values), name="reclaim_known_state"),
            models.UniqueConstraint(fields=["promo_number"], condition=Q(state="proposed"), name="reclaim_open_once"),
        ]

    def __str__(self) -> str:
        return f"Reclaim {self.promo_number} on {self.reclaim_on}"
