"""Addresses of objects, as `object_url` gives them."""

from urllib.parse import quote

from rest_framework.request import Request

from campaigns.models import Advertiser, Campaign
from portal.accounts.models import Network


class Links:
    """Makes addresses in the request's own version; one for a whole page of rows."""

    def __init__(self, request: Request, network: Network) -> None:
        self.base = request.build_absolute_uri(f"/api/{request.version}/{network.pk}/")

    def advertiser(self, advertiser: Advertiser) -> str:
        return f"{self.base}advertisers/{quote(advertiser.id_from_network, safe='')}.json"

    def campaign(self, campaign: Campaign) -> str:
        own, advertiser = campaign.id_from_network, campaign.advertiser.id_from_network
        return f"{self.base}advertisers/{quote(advertiser, safe='')}/advertiser_campaigns/{quote(own, safe='')}.json"
