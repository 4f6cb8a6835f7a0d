"""How rights on this app's models are found (see `portal.accounts.access`)."""

from portal.accounts.access import Access, GrantPath
from portal.accounts.access import register as register_access
from portal.accounts.roles import Role

from .models import Advertiser, BundleDestination, Call, CallLeg, Campaign, Cap, VoiceAccount

# The least role for each action; change_budget_caps is Manager's, as the design says, and covers all three kinds of caps.
ROLES = {
    "view": Role.OBSERVER,
    "add": Role.MEMBER,
    "change": Role.MEMBER,
    "manage_numbers": Role.MEMBER,
    "operate": Role.MANAGER,
    "change_budget_caps": Role.MANAGER,
    "manage_access": Role.SUPER,
}


def register() -> None:
    """Advertisers and campaigns carry grants; everything below them inherits through its foreign keys."""
    register_access(
        Advertiser,
        Access(network="network_id", roles={**ROLES, "delete": Role.MANAGER}, grants=(GrantPath("pk", Advertiser),)),
    )
    register_access(
        Campaign,
        Access(
            network="network_id",
            roles=ROLES,
            grants=(GrantPath("pk", Campaign), GrantPath("advertiser_id", Advertiser)),
        ),
    )
    for model, campaign in ((Cap, "campaign"), (BundleDestination, "bundle")):
        register_access(
            model,
            Access(
                network=f"{campaign}__network_id",
                roles=ROLES,
                grants=(GrantPath(f"{campaign}_id", Campaign), GrantPath(f"{campaign}__advertiser_id", Advertiser)),
            ),
        )
    # A call is seen by whoever sees the campaign called; a leg also by whoever sees its destination.
    register_access(
        Call,
        Access(
            network="network_id",
            roles={"view": Role.OBSERVER},
            grants=(GrantPath("campaign_id", Campaign), GrantPath("campaign__advertiser_id", Advertiser)),
        ),
    )
    register_access(
        CallLeg,
        Access(
            network="call__network_id",
            roles={"view": Role.OBSERVER, "operate": Role.MANAGER},
            grants=(GrantPath("destination_id", Campaign), GrantPath("destination__advertiser_id", Advertiser)),
        ),
    )
    # A carrier's account opens the network's phone lines: nothing for grants on single campaigns.
    register_access(
        VoiceAccount,
        Access(
            network="network_id",
            roles={"view": Role.MANAGER, "add": Role.SUPER, "change": Role.SUPER, "delete": Role.SUPER},
        ),
    )
