"""Calls that walk through their treatment, and the carriers' accounts that bring them."""

from django.db import models
from django.utils import timezone

from campaigns.choices import VoiceKind
from portal.accounts.models import Network

from .campaign import Campaign


class VoiceAccount(models.Model):
    """A network's account with a carrier. Its secret is kept encrypted (portal.sealing) and never shown again."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="voice_accounts")
    kind = models.CharField(max_length=10, choices=VoiceKind, default=VoiceKind.TWILIO)
    account_sid = models.CharField(max_length=64, help_text="The carrier's own id of the account.")
    secret = models.TextField(editable=False, help_text="Encrypted with a key that SECRET_KEY gives.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["network_id", "kind", "id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["network", "kind", "account_sid"], name="voice_account_once_per_network")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.account_sid}"


class CallFlow(models.Model):
    """Where one phone call stands in its call treatment; written by `actions.flow_step` only.

    It exists from the first webhook on, before a destination is selected. `tree` is the treatment as it stood then: an edit
    meanwhile does not lead a caller astray. `version` counts the steps: a step is written only upon the state that it was
    made from. Foreign keys without a database constraint, as with `Call`.
    """

    id = models.BigAutoField(primary_key=True)
    network = models.ForeignKey(
        Network, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    external_id = models.CharField(max_length=100, help_text="The switch's own id for the call.")
    account = models.ForeignKey(
        VoiceAccount, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False,
        help_text="The carrier's account that brought the call; NULL for the generic webhook.",
    )  # fmt: skip
    call_id = models.BigIntegerField(null=True, unique=True, help_text="The `Call`, once one is written.")
    promo_number = models.CharField(max_length=16, blank=True)
    caller = models.CharField(max_length=64, null=True, help_text="As the switch sent it.")
    tree = models.JSONField(help_text="The treatment as it was when the call came.")
    facts = models.JSONField(default=dict, help_text="What conditions may ask, as far as it does not change in a call.")
    state = models.JSONField(default=dict)
    actions = models.JSONField(
        default=list, help_text="What was answered last; a repeated webhook is answered the same."
    )
    history = models.JSONField(default=list, help_text="What came in and what was done, one short entry each.")
    version = models.IntegerField(default=0)
    keys_kept = models.BooleanField(default=True, help_text="Off once what was pressed is blanked.")
    started_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["network", "external_id"], name="call_flow_once_per_call"),
        ]
        indexes = [
            models.Index(fields=["account", "started_at"], condition=models.Q(ended_at=None), name="call_flow_open"),
            models.Index(fields=["ended_at"], condition=models.Q(keys_kept=True), name="call_flow_keys_kept"),
        ]

    def __str__(self) -> str:
        return f"flow of {self.external_id}"


class FlowMessage(models.Model):
    """A text message that a caller accepted in a call (SmsPromo): due at a time, sent once by a periodic task."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="+")
    flow = models.OneToOneField(CallFlow, on_delete=models.CASCADE, related_name="message")
    account = models.ForeignKey(VoiceAccount, on_delete=models.SET_NULL, null=True, related_name="+")
    sender = models.CharField(max_length=16, help_text="The promo number called.")
    to = models.CharField(max_length=16)
    text = models.TextField()
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, help_text="When sending began: a message is sent once or not at all.")
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=250, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["due_at"], condition=models.Q(claimed_at=None), name="flow_message_due")]

    def __str__(self) -> str:
        return f"message to {self.to}"
