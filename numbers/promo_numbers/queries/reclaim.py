"""Proposals to take numbers back."""

from django.db.models import QuerySet

from portal.accounts import access
from portal.accounts.models import Network, User
from promo_numbers.choices import ReclaimState
from promo_numbers.models import ReclaimProposal


def proposals_all(user: User, network: Network) -> QuerySet[ReclaimProposal]:
    """The network's proposals on numbers that `user` may see, in whatever state."""
    rows = ReclaimProposal.objects.filter(promo_number__network=network)
    return access.restrict(rows, user).select_related("promo_number__campaign__network", "decided_by")


def proposals(user: User, network: Network, *, state: str = "") -> QuerySet[ReclaimProposal]:
    """The same of one state; empty = those still open. To be cut by `keyset`."""
    return proposals_all(user, network).filter(state=state if state in ReclaimState.values else ReclaimState.PROPOSED)
