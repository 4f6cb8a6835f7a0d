"""Lists of campaigns and advertisers: what a user may see, filtered; every row's figures in the one statement."""

from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campaigns.choices import CampaignStatus, CampaignType
from campaigns.models import Advertiser, BundleDestination, Campaign, DestinationState
from portal.accounts import access
from portal.accounts.models import Network, User

# So many destinations at their cap are looked at; a network with more of them has another worry than this list.
MOST_AT_CAP = 5000


def _at_cap() -> list[int]:
    """Destinations whose concurrent cap in force is reached, the fullest first.

    A statement of its own: within the list's, PostgreSQL would walk the whole list in its order to find the few.
    """
    full = DestinationState.objects.filter(live_cap__isnull=False, live__gte=F("live_cap"))
    return list(full.order_by("-live", "pk").values_list("pk", flat=True)[:MOST_AT_CAP])


def campaigns_visible(user: User, network: Network) -> QuerySet[Campaign]:
    """The campaigns of `network` that `user` may see."""
    return access.restrict(Campaign.objects.filter(network=network), user)


def advertisers_visible(user: User, network: Network) -> QuerySet[Advertiser]:
    """The advertisers of `network` that `user` may see."""
    return access.restrict(Advertiser.objects.filter(network=network), user)


def _count(rows: QuerySet, by: str) -> Coalesce:
    """A correlated count: computed for the rows of one page only, where a GROUP BY would count the whole list."""
    counted = rows.order_by().values(by).annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(counted), 0)


def campaign_list(
    *,
    user: User,
    network: Network,
    search: str = "",
    campaign_type: str = "",
    status: str = "",
    advertiser: int | None = None,
    at_cap: bool = False,
) -> QuerySet[Campaign]:
    """The campaign list, to be ordered and cut by `portal.web.lists.keyset`.

    search: part of the name, or the customer's own id. status: empty = all but archived. at_cap: destinations whose
    concurrent cap is reached now. Each row has `advertiser`, `state`, `bundle_count` (bundles that it stands in) and
    `destination_count` (what stands in it).
    """
    rows = campaigns_visible(user, network)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(id_from_network__iexact=search))
    if campaign_type == "destination":
        rows = rows.exclude(campaign_type=CampaignType.BUNDLED)
    elif campaign_type in CampaignType.values:
        rows = rows.filter(campaign_type=campaign_type)
    known = status in CampaignStatus.values
    rows = rows.filter(status=status) if known else rows.exclude(status=CampaignStatus.ARCHIVED)
    if advertiser is not None:
        rows = rows.filter(advertiser=advertiser)
    if at_cap:
        rows = rows.filter(pk__in=_at_cap())
    standing = BundleDestination.objects.filter(destination=OuterRef("pk"))
    members = BundleDestination.objects.filter(bundle=OuterRef("pk"))
    return rows.select_related("advertiser", "state").annotate(
        bundle_count=_count(standing, "destination"), destination_count=_count(members, "bundle")
    )


def advertiser_list(*, user: User, network: Network, search: str = "") -> QuerySet[Advertiser]:
    """The advertiser list. Each row has `campaign_count` and `live_count` (campaigns that take calls)."""
    rows = advertisers_visible(user, network)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(id_from_network__iexact=search))
    own = Campaign.objects.filter(advertiser=OuterRef("pk")).exclude(status=CampaignStatus.ARCHIVED)
    live = own.filter(status__in=(CampaignStatus.LIVE, CampaignStatus.LIVE_PENDING))
    return rows.annotate(campaign_count=_count(own, "advertiser"), live_count=_count(live, "advertiser"))


def destinations_at_cap(*, user: User, network: Network) -> QuerySet[Campaign]:
    """Live destinations that stand in a bundle and have no free slot now, fullest first."""
    stands = Exists(BundleDestination.objects.filter(destination=OuterRef("pk")))
    return (
        campaigns_visible(user, network)
        .filter(stands, pk__in=_at_cap(), status__in=(CampaignStatus.LIVE, CampaignStatus.LIVE_PENDING))
        .select_related("state", "advertiser")
        .order_by("-state__live", "name")
    )


def suggestions(rows: QuerySet[Any], text: str, *, limit: int = 20) -> list[str]:
    """Names for a picker, “Name [own id]”, of the campaigns or advertisers in `rows` that `text` may mean."""
    if text := text.rpartition(" [")[0] or text:
        rows = rows.filter(Q(name__icontains=text) | Q(id_from_network__istartswith=text))
    return [picked(row) for row in rows.order_by("name", "id")[:limit]]


def picked(row: Campaign | Advertiser) -> str:
    """How a picker names a row: the own id in brackets is what it is found by."""
    return f"{row.name} [{row.id_from_network}]"


def pick(rows: QuerySet[Any], text: str) -> Any | None:
    """The row that a picker's text means: its own id in brackets, or a name or own id that only one row has."""
    text = text.strip()
    _, bracket, own = text.removesuffix("]").rpartition(" [")
    if bracket and text.endswith("]") and (row := rows.filter(id_from_network=own).first()):
        return row
    found = list(rows.filter(Q(name__iexact=text) | Q(id_from_network=text))[:2])
    return found[0] if len(found) == 1 else None
