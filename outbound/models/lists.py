"""Who must not be called."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from portal.accounts.models import Network, User


class DoNotCallList(models.Model):
    """A list of numbers and prefixes. One that `applies_to_all` binds every batch of the network; others those that name it."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="do_not_call_lists")
    name = models.CharField(max_length=100)
    applies_to_all = models.BooleanField(default=True)
    collects_opt_outs = models.BooleanField(default=False, help_text="Who opts out in a call is written here.")
    prefix_lengths = ArrayField(
        models.SmallIntegerField(), default=list, editable=False,
        help_text="Lengths of the prefixes that stand here (with the +); kept by a trigger for the claim.",
    )  # fmt: skip
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        verbose_name = "do-not-call list"
        constraints = [
            models.UniqueConstraint(fields=["network", "name"], name="do_not_call_name_once_per_network"),
            models.UniqueConstraint(
                fields=["network"], condition=models.Q(collects_opt_outs=True), name="do_not_call_one_for_opt_outs"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DoNotCallEntry(models.Model):
    """A number (+18055550100) or a prefix (+1800*)."""

    id = models.BigAutoField(primary_key=True)
    list = models.ForeignKey(DoNotCallList, on_delete=models.CASCADE, related_name="entries", db_index=False)
    pattern = models.CharField(max_length=17)
    note = models.CharField(max_length=200, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["pattern"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["list", "pattern"], name="do_not_call_pattern_once"),
            models.CheckConstraint(
                condition=models.Q(pattern__regex=r"^\+[0-9]{1,15}\*?$"), name="do_not_call_pattern_shape"
            ),
        ]

    def __str__(self) -> str:
        return self.pattern
