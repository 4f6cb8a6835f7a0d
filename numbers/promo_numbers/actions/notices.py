"""Whom changes of limits concern, and what they are told."""

from collections.abc import Iterable

from django.urls import reverse

from campaigns.models import Campaign
from portal.accounts.models import Network, User
from portal.notices.actions import notify
from promo_numbers.models import Contract


def csm_of(network: Network) -> list[User]:
    """The network's customer success manager; all platform staff while it has none."""
    contract = Contract.objects.select_related("csm").filter(pk=network.pk).first()
    if contract is not None and contract.csm is not None and contract.csm.is_active:
        return [contract.csm]
    return list(User.objects.filter(is_platform_staff=True, is_active=True))


def without(users: Iterable[User], by: User | None) -> list[User]:
    """Nobody is told of what he did himself."""
    return [user for user in users if by is None or user.pk != by.pk]


def limit_raised(*, by: User | None, campaign: Campaign, before: int, after: int, reason: str) -> None:
    """Tell the CSM that “Promo Numbers Allowed” was raised, so that he watches the use (domain/promo-numbers.md)."""
    who = str(by) if by else "The system"
    notify(
        users=without(csm_of(campaign.network), by), network=campaign.network, kind="number_limit.raised",
        title=f"Promo Numbers Allowed raised to {after:,} on {campaign}",
        body=f"{who} raised it from {before:,} to {after:,} on the campaign “{campaign}”: {reason}",
        link=reverse("numbers:direct", args=[campaign.pk]),
    )  # fmt: skip
