"""Advertisers and campaigns: what the views have in common."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.drafts import futures_of
from campaigns.models import Advertiser, Campaign
from portal.accounts import access
from portal.api import etags
from portal.api.versioning import is_old
from portal.api.views import ApiView
from portal.errors import NotFound

from .links import Links
from .serializers import AdvertiserSerializer, CampaignSerializer
from .terms import old_advertiser, old_campaign, polished, with_draft
from .writes import CREATE, UPSERT, Mode, Written, advertiser_state, campaign_state


class ResourceView(ApiView):
    """A view of advertisers or campaigns in the current and the Network Integration shapes."""

    def post_mode(self, request: Request) -> Mode:
        """POST creates; in Network Integration versions it is an upsert like PUT."""
        return UPSERT if is_old(request.version) else CREATE

    def advertisers(self) -> QuerySet[Advertiser]:
        return access.restrict(Advertiser.objects.filter(network=self.network), self.user)

    def campaigns(self) -> QuerySet[Campaign]:
        """The network's campaigns that the caller may see, with all that a row shows: two statements."""
        rows = Campaign.objects.filter(network=self.network).select_related(
            "advertiser", "network", "overflow", "state"
        )
        return access.restrict(rows, self.user).prefetch_related("caps")

    def _links(self) -> dict[str, Any]:
        return {"links": Links(self.request, self.network)}

    def advertiser_bodies(self, rows: list[Advertiser]) -> list[dict[str, Any]]:
        bodies = AdvertiserSerializer(rows, many=True, context=self._links()).data
        if is_old(self.request.version):
            return [old_advertiser(body, row) for body, row in zip(bodies, rows, strict=True)]
        return list(bodies)

    def _bodies(self, rows: list[Campaign]) -> list[dict[str, Any]]:
        bodies = CampaignSerializer(rows, many=True, context=self._links()).data
        return [polished(body, row) for body, row in zip(bodies, rows, strict=True)]

    def campaign_bodies(self, rows: list[Campaign], **more: Any) -> list[dict[str, Any]]:
        """Campaigns as they are in force, and what their drafts will change; one query more at most, for overflows."""
        bodies = self._bodies(rows)
        futures = self._bodies(futures_of(rows)) if any(row.draft for row in rows) else bodies
        if is_old(self.request.version):
            return [
                old_campaign({**body, **more}, future, row)
                for body, future, row in zip(bodies, futures, rows, strict=True)
            ]
        return [
            {**with_draft(body, future, row), **more} for body, future, row in zip(bodies, futures, rows, strict=True)
        ]

    def advertiser_answer(self, advertiser: Advertiser, status: int = 200) -> Response:
        (body,) = self.advertiser_bodies([advertiser])
        return self.answer(body, state=advertiser_state(advertiser), status=status)

    def campaign_answer(self, campaign: Campaign, status: int = 200, **more: Any) -> Response:
        """The campaign as it stands in the database now."""
        (body,) = self.campaign_bodies([campaign], **more)
        return self.answer(body, state=campaign_state(campaign), status=status)

    def written(self, written: Written) -> Response:
        """The answer to a write: the object read again through what the caller may see."""
        status = 201 if written.created else 200
        if isinstance(written.obj, Advertiser):
            return self.advertiser_answer(self.advertisers().get(pk=written.obj.pk), status)
        return self.campaign_answer(self.campaigns().get(pk=written.obj.pk), status, warnings=written.warnings)

    def seen_version(self, campaign: Campaign) -> str | None:
        """What a write under If-Match must find unchanged; None when the caller does not say what he saw (412 if he saw another)."""
        if not self.request.headers.get("If-Match"):
            return None
        etags.check_match(self.request._request, campaign_state(campaign))
        return campaign.updated_at.isoformat()

    def campaign_at(self, own: str, advertiser: str | None = None, *, bundle: bool = False) -> Campaign:
        """The campaign of an address. Raises NotFound, also for one that the caller may not see."""
        rows = self.campaigns().filter(id_from_network=own)
        if advertiser is not None:
            rows = rows.filter(advertiser__id_from_network=advertiser)
        if bundle:
            rows = rows.filter(campaign_type="Bundled")
        found = rows.first()
        if found is None:
            kind = "bundle" if bundle else "campaign"
            raise NotFound(f"There is no such {kind}.", field=kind)
        return found
