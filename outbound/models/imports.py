"""Imports of lists: jobs that everybody can see."""

from django.db import models
from django.utils import timezone

from outbound.choices import ImportState, Refusal
from portal.accounts.models import User

from .batch import Batch


class BatchImport(models.Model):
    """One list on its way into a batch. Until it is done, none of its rows is in the batch."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=250)
    size = models.BigIntegerField(default=0, help_text="Bytes received.")
    columns = models.JSONField(
        default=dict, blank=True, help_text="{column of the file: destination | time_zone | ani | parameter name}."
    )
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.WAITING)
    step = models.CharField(max_length=60, blank=True, help_text="What it does just now.")
    bytes_read = models.BigIntegerField(default=0)
    rows_read = models.IntegerField(default=0)
    rows_added = models.IntegerField(default=0)
    rows_suppressed = models.IntegerField(default=0, help_text="Of those added: in the batch, but not to be called.")
    rows_refused = models.IntegerField(default=0)
    refused_by_reason = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    cancel_asked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    runs = models.SmallIntegerField(
        default=0, help_text="How often a worker began it; also tells an old one from the new."
    )
    alive_at = models.DateTimeField(null=True, help_text="Last sign of life of the worker that runs it.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "import"
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ImportState.values), name="batch_import_known_state"),
            models.UniqueConstraint(
                fields=["batch"], condition=models.Q(state="running"), name="batch_import_one_running"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100. Rows are added while the file is read, so its bytes tell."""
        if self.state == ImportState.DONE:
            return 100
        return min(99, 100 * self.bytes_read // self.size) if self.size else 0


class ImportChunk(models.Model):
    """A piece of the uploaded file. Kept in the database so that any worker on any machine can run the import."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(BatchImport, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    place = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "place"], name="batch_import_chunk_once")]

    def __str__(self) -> str:
        return f"Part {self.place} of {self.job_id}"


class ImportRejection(models.Model):
    """A row that was not taken: its line in the file, what stood there, and why."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(
        BatchImport, on_delete=models.CASCADE, related_name="rejections", db_index=False, db_constraint=False
    )
    line = models.IntegerField()
    value = models.CharField(max_length=200)
    reason = models.CharField(max_length=20, choices=Refusal)

    class Meta:
        ordering = ["line"]
        default_permissions = ()
        indexes = [models.Index(fields=["job", "line"], name="batch_import_rejection_line")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
