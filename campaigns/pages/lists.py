"""The list of campaigns, and what pickers suggest."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from campaigns.choices import CampaignStatus, CampaignType, RegionType
from campaigns.queries.lists import advertisers_visible, campaign_list, campaigns_visible, suggestions
from campaigns.regions import STATES, ZONES, places_like
from portal.accounts.models import Network
from portal.accounts.roles import Role
from portal.web.lists import keyset
from portal.web.pages import network_of, number_in, page, show

from .common import user_of


def may_create(request: HttpRequest, network: Network | None = None) -> bool:
    """Whether to show the buttons that create something in a network; the action checks again."""
    user, network = user_of(request), network or network_of(request)
    return user.is_platform_staff or user.is_superuser or user.roles.get(network.pk, -1) >= Role.MEMBER


@page
def campaign_index(request: HttpRequest) -> HttpResponse:
    """Every campaign that the user may see, filtered."""
    user, network = user_of(request), network_of(request)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "type", "status", "advertiser", "at_cap")}
    advertiser = None
    if (chosen := number_in(request, "advertiser")) is not None:
        advertiser = advertisers_visible(user, network).filter(pk=chosen).first()
    rows = campaign_list(
        user=user, network=network, search=asked["q"], campaign_type=asked["type"], status=asked["status"],
        advertiser=advertiser.pk if advertiser else None, at_cap=bool(asked["at_cap"]),
    )  # fmt: skip
    return show(
        request,
        "campaigns/list.html",
        title="Campaigns",
        page=keyset(rows, request.GET),
        asked=asked,
        filtered=any(asked.values()),
        advertiser=advertiser,
        types=[("destination", "All destination types"), *CampaignType.choices],
        statuses=CampaignStatus.choices,
        may_create=may_create(request),
    )


@page
def suggest_campaigns(request: HttpRequest) -> HttpResponse:
    """Destination campaigns for a picker (JSON list of texts)."""
    rows = campaigns_visible(user_of(request), network_of(request)).exclude(campaign_type=CampaignType.BUNDLED)
    rows = rows.exclude(status=CampaignStatus.ARCHIVED)
    return JsonResponse(suggestions(rows, request.GET.get("q", "").strip()), safe=False)


@page
def suggest_advertisers(request: HttpRequest) -> HttpResponse:
    """Advertisers for a picker (JSON list of texts)."""
    rows = advertisers_visible(user_of(request), network_of(request))
    return JsonResponse(suggestions(rows, request.GET.get("q", "").strip()), safe=False)


@page
def suggest_places(request: HttpRequest) -> HttpResponse:
    """Values for a region of the given type (JSON list of texts)."""
    text, kind = request.GET.get("q", "").strip(), request.GET.get("type", "")
    found: list[str] = []
    if kind == RegionType.CITY and len(text) >= 2:
        found = places_like(text)
    elif kind == RegionType.STATE:
        found = [name for name in STATES if name.lower().startswith(text.lower())]
    elif kind == RegionType.ZONE:
        found = [name for name in ZONES if name.lower().startswith(text.lower())]
    elif kind == RegionType.COUNTRY:
        found = [code for code in ("US", "CA", "MX", "GB") if code.startswith(text.upper())]
    return JsonResponse(found[:20], safe=False)
