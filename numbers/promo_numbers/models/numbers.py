"""Promo numbers and the three counters that limit them."""

import pghistory
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Reverse
from django.utils import timezone

from campaigns.models import Campaign
from portal.accounts.models import Network
from promo_numbers.choices import MediaType, NumberState, PromoType

# Description and own id as words; ASCII punctuation parts them, so that “own-17” is found by “own” and by “17”.
WORDS = SearchVector(
    models.Func(
        F("description"), models.Value(" "), F("id_from_network"), arg_joiner=" || ", output_field=models.TextField(),
        template="regexp_replace(%(expressions)s, '[!-/:-@[-`{-~]+', ' ', 'g')",
    ),
    config="simple",
)  # fmt: skip


class PromoNumber(models.Model):
    """A tracking number: static (direct) on a campaign, or dynamic in a RingPool of it. Calls to it are calls to the campaign.

    Never deleted: a released one stays as history, and its number may come again in another row after its rest. Triggers
    (sql/) keep `NetworkNumbers` and `CampaignNumbers` equal to the rows in use.
    """

    # No indexes of the foreign keys' own: those below begin with them, and every number added pays for each.
    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="promo_numbers", db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="promo_numbers", db_index=False)
    ring_pool = models.ForeignKey(
        "RingPool", on_delete=models.PROTECT, null=True, blank=True, related_name="numbers", db_index=False,
        help_text="Of a dynamic number only.",
    )  # fmt: skip
    is_overflow = models.BooleanField(default=False, help_text="Shown when its RingPool is exhausted.")
    number = models.CharField(max_length=16, blank=True, help_text="E.164; empty while it is being bought.")
    state = models.CharField(max_length=10, choices=NumberState, default=NumberState.ACTIVE)
    id_from_network = models.CharField(max_length=100, blank=True, help_text="The customer's own id.")
    description = models.CharField(max_length=200)
    media_type = models.CharField(max_length=60, choices=MediaType, default=MediaType.ONLINE_DISPLAY)
    promo_type = models.CharField(max_length=10, choices=PromoType, default=PromoType.LOCAL)
    custom_data = models.JSONField(default=dict, blank=True, help_text="{name: value}")
    supplier = models.CharField(max_length=20, default="stock", help_text="Where it came from; own = the customer's.")
    last_called_on = models.DateField(null=True, blank=True, editable=False)
    extra = models.JSONField(
        default=dict, blank=True, editable=False, help_text="API fields kept and given back unchanged."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=Q(state=NumberState.ACTIVE), name="number_active_once"
            ),
            models.UniqueConstraint(
                fields=["network", "id_from_network"],
                condition=~Q(id_from_network="") & ~Q(state=NumberState.RELEASED),
                name="number_own_id_once_per_network",
            ),
            models.UniqueConstraint(
                fields=["ring_pool"],
                condition=Q(is_overflow=True, state=NumberState.ACTIVE),
                name="number_one_overflow",
            ),
            models.CheckConstraint(condition=Q(state__in=NumberState.values), name="number_known_state"),
            models.CheckConstraint(
                condition=~Q(number="") | Q(state__in=[NumberState.ORDERED, NumberState.RELEASED]),
                name="number_in_use_has_digits",
            ),
            models.CheckConstraint(
                condition=Q(state=NumberState.RELEASED, released_at__isnull=False)
                | (~Q(state=NumberState.RELEASED) & Q(released_at=None)),
                name="number_released_when",
            ),
            models.CheckConstraint(
                condition=Q(is_overflow=False) | Q(ring_pool__isnull=False), name="number_overflow_in_pool"
            ),
        ]
        indexes = [
            models.Index(fields=["network", "number"], name="number_of_network"),
            models.Index(fields=["network", "-id"], name="number_newest"),
            models.Index(fields=["campaign", "id"], name="number_of_campaign"),
            models.Index(fields=["ring_pool", "id"], condition=Q(ring_pool__isnull=False), name="number_of_pool"),
            # “ends with 0123”: what people remember of a number.
            models.Index("network", Reverse("number"), name="number_backwards"),
            # Words of the description and the own id, from their beginnings (`queries.numbers`).
            GinIndex(WORDS, name="number_words"),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.description} (being bought)"

    @property
    def is_dynamic(self) -> bool:
        return self.ring_pool_id is not None


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange("total_limit", "dynamic_limit", "campaign_default")),
    exclude=["total_used", "dynamic_used"],
)
class NetworkNumbers(models.Model):
    """A network's two limits with their use. null = no limit, 0 = none may be added. A row for every network, by trigger.

    Narrow and hot: every number added or released passes through it. Checks hold the limits whatever writes.
    """

    network = models.OneToOneField(Network, on_delete=models.CASCADE, primary_key=True, related_name="numbers_limits")
    total_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Static and dynamic numbers.")
    dynamic_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Numbers in RingPools.")
    campaign_default = models.PositiveIntegerField(default=10, help_text="Promo Numbers Allowed on a new campaign.")
    total_used = models.PositiveIntegerField(default=0, editable=False)
    dynamic_used = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "network number limits"
        verbose_name_plural = "network number limits"
        constraints = [
            models.CheckConstraint(
                condition=Q(total_limit=None) | Q(total_used__lte=F("total_limit")), name="numbers_network_total"
            ),
            models.CheckConstraint(
                condition=Q(dynamic_limit=None) | Q(dynamic_used__lte=F("dynamic_limit")),
                name="numbers_network_dynamic",
            ),
            models.CheckConstraint(
                condition=Q(total_used__gte=F("dynamic_used")), name="numbers_network_dynamic_within_total"
            ),
        ]

    def __str__(self) -> str:
        return f"Number limits of {self.network}"


@pghistory.track(pghistory.UpdateEvent(condition=pghistory.AnyChange("allowed")), exclude=["used"])
class CampaignNumbers(models.Model):
    """“Promo Numbers Allowed” of a campaign, with its use (static numbers). A row for every campaign, by trigger."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, primary_key=True, related_name="numbers_limit")
    allowed = models.PositiveIntegerField(default=10)
    used = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "campaign number limit"
        constraints = [
            models.CheckConstraint(condition=Q(used__lte=F("allowed")), name="numbers_campaign_allowed"),
        ]

    def __str__(self) -> str:
        return f"Promo Numbers Allowed of {self.campaign}"

    @property
    def free(self) -> int:
        return max(0, self.allowed - self.used)
