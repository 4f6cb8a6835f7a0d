"""Who works for an advertiser, as Network Integration clients know them."""

from django.db import models
from django.utils import timezone

from portal.accounts.models import User
from portal.accounts.roles import Role

from .campaign import Advertiser


class AdvertiserUser(models.Model):
    """A member of the network who is known under an own id at one advertiser, with a role there.

    What he may do is in the grants on the advertiser, which `actions.advertiser_user_set` makes of the role; this row
    keeps what the API gives back. In the network itself he is a Limited member unless he was more already.
    """

    ROLES = [(role.value, role.label) for role in Role if role != Role.LIMITED]

    advertiser = models.ForeignKey(Advertiser, on_delete=models.CASCADE, related_name="people")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="works_for")
    id_from_network = models.CharField(max_length=100, help_text="The customer's own id, unique at the advertiser.")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    role = models.PositiveSmallIntegerField(choices=ROLES)
    extra = models.JSONField(default=dict, help_text="API fields kept and given back unchanged.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["advertiser", "id_from_network"], name="advertiser_user_id_once"),
            models.UniqueConstraint(fields=["advertiser", "user"], name="advertiser_user_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.advertiser}"
