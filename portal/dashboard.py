"""The dashboard: what happens now in the network that the user looks at. Composition, so it may read every app."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from campaigns.models import Advertiser, Campaign
from campaigns.pages.lists import may_create
from campaigns.queries import charts, summaries
from campaigns.queries.lists import advertisers_visible, campaigns_visible, destinations_at_cap
from portal.accounts.models import User
from portal.web.pages import fragment, page, part_of, show

AT_CAP_SHOWN = 8


@page
def dashboard(request: HttpRequest) -> HttpResponse:
    """Calls now, capacity used, destinations at their cap, calls per hour, refusals by reason."""
    network = getattr(request, "network", None)
    if not network:
        return show(request, "portal/no_network.html", title="Welcome")
    assert isinstance(request.user, User)
    at_cap = list(destinations_at_cap(user=request.user, network=network)[: AT_CAP_SHOWN + 1])
    refused = charts.refusals(user=request.user, network=network)
    now: dict[str, Any] = {
        "now": summaries.now(user=request.user, network=network),
        "at_cap": at_cap[:AT_CAP_SHOWN],
        "more_at_cap": len(at_cap) > AT_CAP_SHOWN,
        "refused": refused,
        "refused_total": sum(count for _reason, count in refused),
    }
    if part_of(request) == "now":
        return fragment(request, "portal/parts/dashboard_now.html", **now)
    advertisers: bool | None = None
    campaigns = campaigns_visible(request.user, network).exists()
    if not campaigns:
        advertisers = advertisers_visible(request.user, network).exists()
    return show(
        request,
        "portal/dashboard.html",
        title="Dashboard",
        subtitle=f"{network}: what happens now",
        **now,
        chart=charts.calls_per_hour(user=request.user, network=network),
        has_campaigns=campaigns,
        has_advertisers=advertisers,
        may_create=may_create(request),
        network_is_new=not campaigns and not Advertiser.objects.filter(network=network).exists()
        and not Campaign.objects.filter(network=network).exists(),
    )  # fmt: skip
