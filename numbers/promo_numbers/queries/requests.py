"""Limit requests: whose one may see, which one may decide, and what they are judged by."""

from typing import Any

from django.db.models import Q, QuerySet

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from promo_numbers.choices import Ceiling, RequestState
from promo_numbers.models import CampaignNumbers, LimitRequest, NetworkNumbers

from .advice import Asked, Recommendation, recommendation
from .usage import usage_of


def requests_visible(user: User, network: Network | None = None) -> QuerySet[LimitRequest]:
    """The requests that `user` may see: those of his networks from Manager on, and always his own while he belongs there."""
    rows = LimitRequest.objects.select_related("network", "campaign", "asked_by", "decided_by")
    if network is not None:
        rows = rows.filter(network=network)
    if not user.is_authenticated or not user.is_active:
        return rows.none()
    if access.stands_above(user):
        return rows
    managed = Q(network__in=access.networks_with(user, Role.MANAGER))
    return rows.filter(managed | Q(asked_by=user, network__in=list(user.roles)))


def requests_found(rows: QuerySet[LimitRequest], *, state: str = "", ceiling: str = "") -> QuerySet[LimitRequest]:
    """Of `rows` those in a state (or `decided`) and of a ceiling; unknown words leave them out."""
    if state == "decided":
        rows = rows.exclude(state__in=[RequestState.OPEN, RequestState.WITHDRAWN])
    elif state in RequestState.values:
        rows = rows.filter(state=state)
    return rows.filter(ceiling=ceiling) if ceiling in Ceiling.values else rows


def may_decide(user: Any, request: LimitRequest) -> bool:
    """Network ceilings: platform staff alone. A campaign's: the Supers of its network too."""
    if not user.is_authenticated or not user.is_active:
        return False
    if access.stands_above(user):
        return True
    return request.ceiling == Ceiling.CAMPAIGN and access.may(user, "decide", request)


def may_ask(user: Any, network: Network) -> bool:
    """Whoever may add numbers anywhere in the network: by his role, or by a grant on one of its campaigns."""
    if not user.is_authenticated or not user.is_active:
        return False
    if access.stands_above(user) or user.roles.get(network.pk, -1) >= Role.MEMBER:
        return True
    return access.restrict(Campaign.objects.filter(network=network), user, "manage_numbers").exists()


def figures_now(network: Network, ceiling: str, campaign: Campaign | None) -> tuple[int | None, int]:
    """(limit, used) of a ceiling as it stands; limit None = none set."""
    if ceiling == Ceiling.CAMPAIGN:
        assert campaign is not None
        return CampaignNumbers.objects.values_list("allowed", "used").get(pk=campaign.pk)
    row = NetworkNumbers.objects.get(pk=network.pk)
    if ceiling == Ceiling.NETWORK_DYNAMIC:
        return row.dynamic_limit, row.dynamic_used
    return row.total_limit, row.total_used


def request_advice(request: LimitRequest) -> Recommendation | None:
    """The recommended figure with its working, from the figures of now; None when the ceiling has no limit any more."""
    limit, used = figures_now(request.network, request.ceiling, request.campaign)
    if limit is None:
        return None
    asked = Asked(
        request.ceiling, limit, used, request.more, request.visitors_per_hour, request.lifetime_seconds
    )  # fmt: skip
    return recommendation(usage_of(request.network), asked)
