"""How rights on this app's models are found (see `portal.accounts.access`).

Batches carry no grants of their own: a grant on the campaign (or its advertiser) that the ani belongs to holds.
"""

from campaigns.models import Advertiser, Campaign
from portal.accounts.access import Access, GrantPath
from portal.accounts.access import register as register_access
from portal.accounts.roles import Role

from .models import (
    Attempt,
    Batch,
    BatchImport,
    Carrier,
    DoNotCallEntry,
    DoNotCallList,
    Recipient,
    ResultDelivery,
)

# The least role for each action on a batch and what hangs on it.
ROLES = {"view": Role.OBSERVER, "add": Role.MEMBER, "change": Role.MEMBER, "operate": Role.MANAGER}


def _grants(path: str) -> tuple[GrantPath, ...]:
    """Grants on the batch's campaign and on its advertiser, from a model that reaches its batch by `path`."""
    return (GrantPath(f"{path}campaign_id", Campaign), GrantPath(f"{path}campaign__advertiser_id", Advertiser))


def register() -> None:
    """Register every model that a user may ask for."""
    register_access(Batch, Access(network="network_id", roles=ROLES, grants=_grants("")))
    for model in (Recipient, Attempt, BatchImport, ResultDelivery):
        register_access(model, Access(network="batch__network_id", roles=ROLES, grants=_grants("batch__")))
    register_access(
        Carrier,
        Access(
            network="network_id",
            roles={"view": Role.OBSERVER, "operate": Role.MANAGER, "add": Role.SUPER, "change": Role.SUPER},
        ),
    )
    lists = {"view": Role.OBSERVER, "add": Role.MEMBER, "change": Role.MEMBER, "delete": Role.MANAGER}
    register_access(DoNotCallList, Access(network="network_id", roles=lists))
    register_access(DoNotCallEntry, Access(network="list__network_id", roles=lists))
