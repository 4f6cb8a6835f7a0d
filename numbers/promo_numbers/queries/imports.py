"""Imports of numbers as people watch them."""

from django.db.models import Q, QuerySet

from portal.accounts import access
from portal.accounts.models import Network, User
from promo_numbers.models import NumberImport, NumberImportRefusal


def imports_visible(user: User, network: Network | None = None) -> QuerySet[NumberImport]:
    """The imports that `user` may see, without their files: his own, those of networks where he is a Member or more; the
    stock's for platform staff. `network`: only its own (and the stock's)."""
    rows = NumberImport.objects.defer("content").select_related("campaign", "network", "asked_by")
    if network is not None:
        rows = rows.filter(Q(network=network) | Q(network=None))
    if access.stands_above(user):
        return rows
    own = Q(asked_by=user, network__in=list(user.roles))
    return rows.filter(own | Q(pk__in=access.restrict(NumberImport.objects.all(), user).values("pk")))


def refusals(job: NumberImport) -> QuerySet[NumberImportRefusal]:
    """The rows of an import that were not taken, by line."""
    return NumberImportRefusal.objects.filter(job=job)
