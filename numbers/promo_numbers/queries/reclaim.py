"""Proposals to take numbers back."""

from django.db.models import QuerySet

from portal.accounts import access
from portal.accounts.models import Network, User
from promo_numbers.choices import ReclaimState
from promo_numbers.models import ReclaimProposal


def proposals(user: User, network: Network, *, state: str = "") -> QuerySet[ReclaimProposal]:
    """The network's proposals on numbers that `user` may see; state: empty = those still open. To be cut by `keyset`."""
    rows = ReclaimProposal.objects.filter(promo_number__network=network)
    rows = rows.filter(state=state if state in ReclaimState.values else ReclaimState.PROPOSED)
    return access.restrict(rows, user).select_related("promo_number__campaign", "decided_by")


def proposals_open(user: User, network: Network) -> int:
    """How many are open for him."""
    return proposals(user, network).count()
