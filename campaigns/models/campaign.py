"""Advertisers, campaigns and the destinations of bundles."""

from django.db import models
from django.utils import timezone

from campaigns.choices import ROUTABLE, CampaignStatus, CampaignType, Distribution
from portal.accounts.models import Network, validate_time_zone


class Advertiser(models.Model):
    """A client of the network; owns campaigns. A grant on it holds for all of them."""

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="advertisers")
    id_from_network = models.CharField(max_length=100, help_text="The customer's own id, unique in the network.")
    name = models.CharField(max_length=200)
    extra = models.JSONField(
        default=dict, blank=True, editable=False, help_text="API fields kept and given back unchanged."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["network", "id_from_network"], name="advertiser_id_once_per_network")
        ]
        permissions = [
            ("change_budget_caps", "Can change budget and concurrent call caps"),
            ("operate", "Can go live, pause and release calls"),
            ("manage_numbers", "Can manage promo numbers"),
            ("manage_access", "Can manage who has access"),
        ]

    def __str__(self) -> str:
        return self.name


class Campaign(models.Model):
    """What a caller is calling for.

    A Bundled campaign has no call center: it hands each call to one of its destinations, which are campaigns of the
    other types. Archived, never deleted (calls refer to it). What routing needs of it stands compiled in
    `RoutingProfile`, and what changes with every call in `DestinationState`.
    """

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="campaigns")
    advertiser = models.ForeignKey(Advertiser, on_delete=models.PROTECT, related_name="campaigns")
    id_from_network = models.CharField(max_length=100, help_text="The customer's own id, unique in the network.")
    name = models.CharField(max_length=200)
    campaign_type = models.CharField(max_length=20, choices=CampaignType)
    status = models.CharField(max_length=12, choices=CampaignStatus, default=CampaignStatus.PENDING)
    description = models.TextField(blank=True)
    url = models.URLField(blank=True)
    time_zone = models.CharField(
        max_length=64,
        default="America/New_York",
        validators=[validate_time_zone],
        help_text="Opening hours are read in it.",
    )
    operating_24_7 = models.BooleanField("open around the clock", default=True)
    hours = models.JSONField(
        default=dict, blank=True, help_text="{monday_open, monday_closed, ...}: seconds past local midnight."
    )
    named_regions = models.JSONField(
        default=list, blank=True, help_text="[{name, regions: [{region_type, value, text}]}]; empty = everywhere."
    )
    destination_phone_number = models.CharField(max_length=16, blank=True, help_text="Where calls are sent (E.164).")
    currency = models.CharField(max_length=3, default="USD")
    payin = models.DecimalField(max_digits=10, decimal_places=4, default=0, help_text="Received per connected call.")
    payout = models.DecimalField(max_digits=10, decimal_places=4, default=0, help_text="Paid per connected call.")

    payin_policies = models.JSONField(
        default=list, blank=True, editable=False,
        help_text="Every policy but the unconditional Base, which is `payin`: [{type, amount, condition}] (campaigns.pricing).",
    )  # fmt: skip
    payout_policies = models.JSONField(default=list, blank=True, editable=False, help_text="Likewise beside `payout`.")
    pause_date = models.DateField(null=True, blank=True, help_text="Paused when this day begins in its time zone.")

    # Of a Bundled campaign only; `overflow` and `repeat_caller` are what its call treatment's node says: see
    # campaigns.treatment.bundles.
    distribution = models.CharField(max_length=10, choices=Distribution, default=Distribution.WEIGHTED)
    overflow = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="overflow_of",
        help_text="The else branch: where a call goes when no destination is left.",
    )  # fmt: skip
    repeat_caller = models.BooleanField(
        default=False,
        help_text="Send a caller back to the destination that he was first connected to, even over its cap.",
    )
    repeat_window_days = models.PositiveSmallIntegerField(default=30)

    ivr_tree = models.JSONField(
        null=True, blank=True, editable=False,
        help_text="The call treatment as stored (campaigns.treatment.bundles); NULL = the implied one.",
    )  # fmt: skip
    extra = models.JSONField(
        default=dict, blank=True, editable=False, help_text="API fields kept and given back unchanged."
    )
    draft = models.JSONField(
        null=True, blank=True, editable=False,
        help_text="The terms that going live will change, and only those (campaigns.drafts); NULL = none.",
    )  # fmt: skip
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["network", "id_from_network"], name="campaign_id_once_per_network"),
            models.CheckConstraint(
                condition=models.Q(campaign_type__in=CampaignType.values), name="campaign_known_type"
            ),
            models.CheckConstraint(condition=models.Q(status__in=CampaignStatus.values), name="campaign_known_status"),
            models.CheckConstraint(condition=models.Q(payin__gte=0, payout__gte=0), name="campaign_money_not_negative"),
            models.CheckConstraint(
                condition=models.Q(status=CampaignStatus.LIVE_PENDING, draft__isnull=False)
                | models.Q(status__in=(CampaignStatus.PENDING, CampaignStatus.LIVE), draft__isnull=True)
                | models.Q(status__in=(CampaignStatus.PAUSED, CampaignStatus.SUSPENDED, CampaignStatus.ARCHIVED)),
                name="campaign_draft_says_its_status",
            ),
            models.CheckConstraint(
                condition=models.Q(campaign_type=CampaignType.BUNDLED) | models.Q(overflow=None, repeat_caller=False),
                name="campaign_treatment_only_on_bundle",
            ),
            models.CheckConstraint(
                condition=models.Q(repeat_window_days__range=(1, 365)), name="campaign_repeat_window_in_range"
            ),
        ]
        indexes = [
            models.Index(fields=["network", "name", "id"], name="campaign_list"),
            models.Index(fields=["network", "-id"], name="campaign_newest"),
            models.Index(fields=["network", "status"], name="campaign_by_status"),
        ]
        permissions = [
            ("change_budget_caps", "Can change budget and concurrent call caps"),
            ("operate", "Can go live, pause and release calls"),
            ("manage_numbers", "Can manage promo numbers"),
            ("manage_access", "Can manage who has access"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_bundle(self) -> bool:
        return self.campaign_type == CampaignType.BUNDLED

    @property
    def is_live(self) -> bool:
        """Whether it takes calls at all (status Live, with or without pending changes)."""
        return self.status in ROUTABLE


class BundleDestination(models.Model):
    """A destination campaign's place in a bundle: priority 1 comes first; weight is its share among equals."""

    bundle = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="destinations")
    destination = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="standing_in")
    priority = models.PositiveSmallIntegerField(default=1)
    weight = models.PositiveIntegerField(default=1, help_text="0 = receives no calls.")

    class Meta:
        ordering = ["priority", "id"]
        constraints = [
            models.UniqueConstraint(fields=["bundle", "destination"], name="bundle_destination_once"),
            models.CheckConstraint(condition=models.Q(priority__range=(1, 1000)), name="bundle_priority_in_range"),
            models.CheckConstraint(condition=models.Q(weight__range=(0, 10000)), name="bundle_weight_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.destination} in {self.bundle}"
