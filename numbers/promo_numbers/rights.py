"""How rights on this app's models are found (see `portal.accounts.access`).

No grants per number: a number inherits those of its campaign and its advertiser.
"""

from campaigns.models import Advertiser, Campaign
from portal.accounts.access import Access, GrantPath
from portal.accounts.access import register as register_access
from portal.accounts.roles import Role

from .models import (
    CampaignNumbers,
    Contract,
    LimitRequest,
    NetworkNumbers,
    NumberDay,
    NumberImport,
    NumberOrder,
    PromoNumber,
    ReclaimProposal,
    RingPool,
    StockNumber,
)

VIEW_AND_MANAGE = {"view": Role.OBSERVER, "manage_numbers": Role.MEMBER}


def _grants(campaign: str) -> tuple[GrantPath, ...]:
    return (GrantPath(f"{campaign}_id", Campaign), GrantPath(f"{campaign}__advertiser_id", Advertiser))


def register() -> None:
    """Raising a campaign's limit is a Super's; the network's limits and contract are platform staff's: no role has them."""
    for model in (PromoNumber, RingPool):
        register_access(model, Access(network="network_id", roles=VIEW_AND_MANAGE, grants=_grants("campaign")))
    register_access(
        CampaignNumbers,
        Access(
            network="campaign__network_id",
            roles={"view": Role.OBSERVER, "raise_number_limit": Role.SUPER},
            grants=_grants("campaign"),
        ),
    )
    register_access(NetworkNumbers, Access(network="network_id", roles={"view": Role.OBSERVER}))
    for kept in (Contract, NumberDay):
        register_access(kept, Access(network="network_id", roles={"view": Role.MANAGER}))
    register_access(LimitRequest, Access(network="network_id", roles={"view": Role.MANAGER, "decide": Role.SUPER}))
    register_access(NumberImport, Access(network="network_id", roles={"view": Role.MEMBER, "cancel": Role.MANAGER}))
    register_access(StockNumber, Access(network="network_id", roles={}))  # platform staff's alone
    for bought in (NumberOrder, ReclaimProposal):
        register_access(
            bought,
            Access(network="promo_number__network_id", roles=VIEW_AND_MANAGE, grants=_grants("promo_number__campaign")),
        )
