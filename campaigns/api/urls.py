"""Addresses of the API under /api/<version>/. Ids in them are the customer's own (`id_from_network`)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from campaigns.voice import twilio
from portal.api.versioning import is_old

from . import advertiser_users, advertisers, bundles, calls, campaigns, network, quick_stats, usage, voice


def by_version(current: Any, older: Any) -> Callable[..., Any]:
    """One address, two views: the Network Integration versions have methods that the current one has not."""
    view, old_view = current.as_view(), older.as_view()

    @csrf_exempt
    @wraps(view)
    def entry(request: HttpRequest, version: str, **path: Any) -> Any:
        return (old_view if is_old(version) else view)(request, version=version, **path)

    return entry


ADVERTISER = "<int:network_id>/advertisers/<str:advertiser>"
CAMPAIGN = f"{ADVERTISER}/advertiser_campaigns/<str:campaign>"
BUNDLE = "<int:network_id>/bundles/<str:bundle>"
VOICE = "<int:network_id>/voice"

urlpatterns = [
    # Calls first: they are looked up with every call.
    path("<int:network_id>/calls.json", calls.calls),
    path("<int:network_id>/calls/<str:call>/events.json", calls.call_events),
    path("<int:network_id>/calls/<str:call>/release.json", calls.CallReleaseView.as_view()),
    path("<int:network_id>/calls/<str:call>.json", calls.CallView.as_view()),
    path("<int:network_id>/calls_in_progress/current_calls.json", calls.CallsInProgressView.as_view()),
    path("calls_in_progress/current_calls.json", calls.AllCallsInProgressView.as_view()),
    path(f"{VOICE}/flow.json", voice.flow_entry),
    path(f"{VOICE}/accounts.json", voice.VoiceAccountsView.as_view()),
    path(f"{VOICE}/accounts/<str:account>.json", voice.VoiceAccountView.as_view()),
    path(f"{VOICE}/twilio/incoming", twilio.incoming, name="voice-twilio-incoming"),
    path(f"{VOICE}/twilio/step", twilio.step, name="voice-twilio-step"),
    path(f"{VOICE}/twilio/leg", twilio.leg, name="voice-twilio-leg"),
    path(f"{VOICE}/twilio/status", twilio.status, name="voice-twilio-status"),
    path("<int:network_id>/network.json", network.NetworkView.as_view()),
    path("<int:network_id>/advertisers.json", advertisers.AdvertisersView.as_view()),
    path(f"{ADVERTISER}.json", by_version(advertisers.AdvertiserView, advertisers.OldAdvertiserView)),
    path(f"{ADVERTISER}/users.json", advertiser_users.AdvertiserUsersView.as_view()),
    path(
        f"{ADVERTISER}/users/<str:person>.json",
        by_version(advertiser_users.AdvertiserUserView, advertiser_users.OldAdvertiserUserView),
    ),
    path(f"{ADVERTISER}/advertiser_campaigns.json", campaigns.AdvertiserCampaignsView.as_view()),
    path(f"{CAMPAIGN}.json", by_version(campaigns.AdvertiserCampaignView, campaigns.OldAdvertiserCampaignView)),
    *(path(f"{CAMPAIGN}/{move}.json", view.as_view()) for move, view in campaigns.MOVE_VIEWS.items()),
    path(f"{CAMPAIGN}/discard_draft.json", campaigns.DiscardDraftView.as_view()),
    path(f"{CAMPAIGN}/quick_stats.json", quick_stats.QuickStatsView.as_view()),
    path(f"{CAMPAIGN}/usage.json", usage.UsageView.as_view()),
    path("<int:network_id>/campaigns.json", campaigns.CampaignsView.as_view()),
    path("<int:network_id>/bundles.json", bundles.BundlesView.as_view()),
    path(f"{BUNDLE}.json", bundles.BundleView.as_view()),
    path(f"{BUNDLE}/destinations.json", bundles.DestinationsView.as_view()),
    path(f"{BUNDLE}/destinations/<str:destination>.json", bundles.DestinationView.as_view()),
    path(f"{BUNDLE}/simulate.json", bundles.SimulateView.as_view()),
]
