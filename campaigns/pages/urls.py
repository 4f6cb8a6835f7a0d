"""Addresses of the campaign pages. `access` pages stand here too: they belong to the object."""

from django.urls import path

from . import access, advertisers, caps, destinations, lists, summaries, treatment, voice, wizard

app_name = "campaigns"

urlpatterns = [
    path("campaigns/", lists.campaign_index, name="list"),
    path("campaigns/new/", wizard.campaign_new, name="new"),
    path("campaigns/<int:pk>/", summaries.campaign_summary, name="detail"),
    path("campaigns/<int:pk>/edit/", wizard.campaign_wizard, name="wizard"),
    path("campaigns/<int:pk>/edit/<slug:step>/", wizard.campaign_wizard, name="wizard"),
    path("campaigns/<int:pk>/discard/", wizard.campaign_discard, name="discard"),
    path("campaigns/<int:pk>/caps/", caps.campaign_caps, name="caps"),
    path("campaigns/<int:pk>/caps/usage/", caps.usage_change, name="usage"),
    path("campaigns/<int:pk>/treatment/", treatment.campaign_treatment, name="treatment"),
    path("campaigns/<int:pk>/access/", access.campaign_access, name="access"),
    path("campaigns/<int:pk>/status/", summaries.campaign_status, name="status"),
    path("campaigns/<int:pk>/destinations/add/", destinations.destination_new, name="destination-add"),
    path(
        "campaigns/<int:pk>/destinations/<int:destination>/", destinations.destination_edit, name="destination-change"
    ),
    path(
        "campaigns/<int:pk>/destinations/<int:destination>/remove/",
        destinations.destination_gone,
        name="destination-remove",
    ),
    path("voice/", voice.voice_accounts, name="voice"),
    path("voice/<int:pk>/forget/", voice.voice_account_gone, name="voice-forget"),
    path("suggest/campaigns/", lists.suggest_campaigns, name="suggest-campaigns"),
    path("suggest/advertisers/", lists.suggest_advertisers, name="suggest-advertisers"),
    path("suggest/places/", lists.suggest_places, name="suggest-places"),
    path("advertisers/", advertisers.advertiser_index, name="advertisers"),
    path("advertisers/new/", advertisers.advertiser_new, name="advertiser-new"),
    path("advertisers/<int:pk>/", advertisers.advertiser_page, name="advertiser"),
    path("advertisers/<int:pk>/access/", access.advertiser_access, name="advertiser-access"),
    path("advertisers/<int:pk>/edit/", advertisers.advertiser_edit, name="advertiser-edit"),
    path("advertisers/<int:pk>/delete/", advertisers.advertiser_gone, name="advertiser-delete"),
]
