"""When people may be called: sets of time zones, and their next window in each batch."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .batch import Batch


class ZoneSet(models.Model):
    """The zones that a number may stand for, sorted. A call must be inside its window in all of them."""

    id = models.AutoField(primary_key=True)
    zones = ArrayField(models.CharField(max_length=64), unique=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return ", ".join(self.zones)


class Window(models.Model):
    """The window of a batch for one set of zones: the one that is open, or the next. Claims read nothing else.

    Computed by `outbound.schedule`; renewed when it has passed. `open_from` NULL = it never opens again.
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="windows", db_index=False)
    zones = models.ForeignKey(ZoneSet, on_delete=models.PROTECT, related_name="+", db_index=False)
    open_from = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    computed_at = models.DateTimeField(null=True, help_text="NULL = must be computed anew.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["batch", "zones"], name="window_once_per_zones"),
            models.CheckConstraint(
                condition=models.Q(open_from=None, open_until=None) | models.Q(open_until__gt=models.F("open_from")),
                name="window_opens_before_it_closes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zones_id} in {self.batch_id}: {self.open_from} to {self.open_until}"
