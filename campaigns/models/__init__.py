"""The models of campaigns; import them from here."""

from .calls import Call, CallLeg, CampaignHour, RepeatCaller
from .campaign import Advertiser, BundleDestination, Campaign
from .caps import Cap
from .grants import AdvertiserGroupGrant, AdvertiserUserGrant, CampaignGroupGrant, CampaignUserGrant
from .reference import AreaPrefix
from .routing import DestinationState, RoutingProfile
from .voice import CallFlow, VoiceAccount

__all__ = [
    "Advertiser",
    "AdvertiserGroupGrant",
    "AdvertiserUserGrant",
    "AreaPrefix",
    "BundleDestination",
    "Call",
    "CallFlow",
    "CallLeg",
    "Campaign",
    "CampaignGroupGrant",
    "CampaignHour",
    "CampaignUserGrant",
    "Cap",
    "DestinationState",
    "RepeatCaller",
    "RoutingProfile",
    "VoiceAccount",
]
