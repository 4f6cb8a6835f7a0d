"""The ladder of roles that a user may have in a network."""

from django.db import models


class Role(models.IntegerChoices):
    """A user's role in one network; each step holds everything below it.

    Limited is ours: a member who sees only what was granted to him (an advertiser's own staff, an agency).
    """

    LIMITED = 0, "Limited (only what is granted)"
    OBSERVER = 10, "Observer"
    MEMBER = 20, "Member"
    MANAGER = 30, "Manager"
    SUPER = 40, "Super"
