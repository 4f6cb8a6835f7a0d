"""Whom changes of limits concern, and what they are told."""

from collections.abc import Iterable

from django.urls import reverse

from campaigns.models import Campaign
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from portal.notices.actions import notify
from promo_numbers.choices import Ceiling, RequestState
from promo_numbers.models import Contract, LimitRequest


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


def deciders_of(request: LimitRequest) -> list[User]:
    """The CSM, and for a campaign's ceiling the network's Supers too: they may decide it."""
    people = csm_of(request.network)
    if request.ceiling == Ceiling.CAMPAIGN:
        supers = User.objects.filter(
            memberships__network=request.network, memberships__role__gte=Role.SUPER, is_active=True
        )
        people += list(supers)
    return people


def _where(request: LimitRequest) -> str:
    return f"{request.get_ceiling_display()}" + (f" “{request.campaign}”" if request.campaign else "")


def request_asked(*, by: User, request: LimitRequest) -> None:
    """Tell those who decide."""
    traffic = ""
    if request.visitors_per_hour:
        traffic = f" Expected: {request.visitors_per_hour:,} visitors an hour, a number kept for {request.lifetime_seconds:,} s."
    notify(
        users=without(deciders_of(request), by), network=request.network, kind="limit_request.asked",
        title=f"{by} asks for {request.more:,} more: {_where(request)}",
        body=f"{_where(request)}: {request.used_then:,} of {request.limit_then:,} used, {request.more:,} more asked for"
        f" by {by}. {request.reason}{traffic}",
        link=reverse("numbers:request", args=[request.pk]), key=f"limit_request:{request.pk}:asked",
    )  # fmt: skip


_OUTCOMES = {
    RequestState.APPROVED: "Approved", RequestState.CHANGED: "Approved with another figure",
    RequestState.DECLINED: "Declined",
}  # fmt: skip


def request_decided(*, by: User | None, request: LimitRequest, before: int | None, after: int | None) -> None:
    """Tell whoever asked; and the CSM, when somebody else decided."""
    outcome = _OUTCOMES[RequestState(request.state)]
    figures = ""
    if request.granted:
        figures = f" {request.granted:,} of the {request.more:,} asked for were granted"
        figures += f"; the limit was raised from {before:,} to {after:,}." if after is not None else "."
    notify(
        users=without([request.asked_by, *csm_of(request.network)], by), network=request.network,
        kind="limit_request.decided",
        title=f"{outcome}: {request.more:,} more numbers asked for" if not request.granted
        else f"{outcome}: {request.granted:,} more numbers",
        body=f"{_where(request)}, asked for by {request.asked_by}: {outcome.lower()} by {by or 'the system'}.{figures}"
        + (f" {request.note}" if request.note else ""),
        link=reverse("numbers:request", args=[request.pk]), key=f"limit_request:{request.pk}:decided",
    )  # fmt: skip


def request_withdrawn(*, by: User | None, request: LimitRequest) -> None:
    """Tell those who would have decided."""
    notify(
        users=without(deciders_of(request), by), network=request.network, kind="limit_request.withdrawn",
        title=f"Withdrawn: {request.asked_by} asked for {request.more:,} more",
        body=f"{_where(request)}: nothing is left to decide.",
        link=reverse("numbers:request", args=[request.pk]), key=f"limit_request:{request.pk}:withdrawn", by_mail=False,
    )  # fmt: skip
