"""What users were told."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal.accounts.models import Network, User


class Notice(models.Model):
    """One notice to one user: shown under the bell until read, and mailed once if `by_mail`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    network = models.ForeignKey(Network, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=60, help_text="noun.verb, such as number_limit.raised")
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    link = models.CharField(max_length=300, blank=True, help_text="A page of the portal.")
    # The same key is told once, whatever runs twice.
    key = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    by_mail = models.BooleanField(default=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_after = models.DateTimeField(default=timezone.now, help_text="Not tried before.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], condition=~Q(key=""), name="notice_once_per_key"),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_of_user"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(fields=["mail_after"], condition=Q(by_mail=True, mailed_at=None), name="notice_to_mail"),
        ]

    def __str__(self) -> str:
        return self.title


class NoticePreference(models.Model):
    """Whether a user wants notices of a kind by mail too; the longest prefix that fits decides, without one it is yes.

    The bell shows every notice, whatever stands here.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_preferences")
    kind = models.CharField(max_length=60, blank=True, help_text="A kind or the noun that it begins with; blank = all.")
    by_mail = models.BooleanField(default=True)

    class Meta:
        ordering = ["user_id", "kind"]
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_preference_once")]

    def __str__(self) -> str:
        return f"{self.kind or 'all'}: {'by mail' if self.by_mail else 'not by mail'}"
