"""Reads of accounts: members, groups, tokens, networks to switch to."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from . import access
from .models import ApiToken, Membership, Network, NetworkGroup, User
from .roles import Role


def members_of(network: Network, *, text: str = "", role: int | None = None) -> QuerySet[Membership]:
    """The members of a network with their users; `has_mfa` says whether a second factor or a passkey is set up.

    text: part of a name or an e-mail. Recovery codes alone are no second factor.
    """
    factors = Authenticator.objects.filter(user_id=OuterRef("user_id")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    members = network.memberships.select_related("user").annotate(has_mfa=Exists(factors))
    if text:
        members = members.filter(Q(user__email__icontains=text) | Q(user__name__icontains=text))
    if role is not None:
        members = members.filter(role=role)
    return members


def roles_counted(network: Network) -> dict[int, int]:
    """How many members have each role."""
    counts = network.memberships.order_by().values("role").annotate(n=Count("pk"))
    return {row["role"]: row["n"] for row in counts}


def group_rows() -> QuerySet[NetworkGroup]:
    """All groups of networks. (`NetworkGroup.objects` is Django's manager of groups: mypy would read plain groups.)"""
    return QuerySet(NetworkGroup)


def groups_of(network: Network) -> QuerySet[NetworkGroup]:
    """The groups of a network with `size`, the number of people in each."""
    return network.groups.annotate(size=Count("user"))


def tokens_seen_by(user: User) -> QuerySet[ApiToken]:
    """The tokens that `user` may see (never their keys) and revoke.

    His own, those of the members of networks that he is Super of, and for platform staff all.
    """
    tokens = ApiToken.objects.select_related("user")
    if access.stands_above(user):
        return tokens
    managed = Membership.objects.filter(network_id__in=access.networks_with(user, Role.SUPER)).values("user_id")
    return tokens.filter(Q(user=user) | Q(user_id__in=managed))


def tokens_of_members(network: Network, *, but: User) -> QuerySet[ApiToken]:
    """The tokens of a network's members other than `but`."""
    members = network.memberships.values("user_id")
    return ApiToken.objects.select_related("user").filter(user_id__in=members).exclude(user=but)


def networks_found(user: Any, text: str = "") -> QuerySet[Network]:
    """The networks that `user` may look at, whose name holds `text`."""
    found = access.restrict(Network.objects.order_by("name"), user)
    return found.filter(name__icontains=text) if text else found
