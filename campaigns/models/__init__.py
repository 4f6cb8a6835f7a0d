"""The models of campaigns; import them from here."""

from .alerts import AlertState
from .calls import Call, CallLeg, CampaignHour, RepeatCaller, UnpricedLeg, UsageAdjustment
from .campaign import Advertiser, BundleDestination, Campaign
from .caps import Cap
from .grants import AdvertiserGroupGrant, AdvertiserUserGrant, CampaignGroupGrant, CampaignUserGrant
from .people import AdvertiserUser
from .reference import AreaPrefix
from .routing import DestinationState, RoutingProfile
from .voice import CallFlow, FlowMessage, VoiceAccount

__all__ = [
    "Advertiser",
    "AdvertiserGroupGrant",
    "AdvertiserUser",
    "AdvertiserUserGrant",
    "AlertState",
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
    "FlowMessage",
    "RepeatCaller",
    "RoutingProfile",
    "UnpricedLeg",
    "UsageAdjustment",
    "VoiceAccount",
]
