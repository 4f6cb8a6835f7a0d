"""Campaigns: under their advertiser, and the flat list."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import actions
from campaigns.actions.campaigns import MOVES
from campaigns.models import Campaign
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.errors import NotFound

from .filters import CampaignFilter
from .input import cleaned
from .resources import ResourceView
from .serializers import CampaignInput, CampaignSerializer, CampaignWrittenSerializer, MoveSerializer
from .writes import UPDATE, UPSERT, Mode, campaign_write


class _Writes(ResourceView):
    def write(self, request: Request, mode: Mode, advertiser: str, path_id: str | None = None) -> Response:
        return self.written(
            campaign_write(
                request=request._request, by=self.user, network=self.network, advertiser_id=advertiser, path_id=path_id,
                data=self.sent, mode=mode,
            )
        )  # fmt: skip


class CampaignsView(ResourceView):
    """Every campaign of the network, newest first."""

    current_only = True
    queryset = Campaign.objects.none()
    filterset_class = CampaignFilter

    @extend_schema(
        operation_id="campaigns_list", tags=["campaigns"], summary="List campaigns of all advertisers",
        responses=CampaignSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.campaigns())) or []
        return self.get_paginated_response(self.campaign_bodies(rows))


class AdvertiserCampaignsView(_Writes):
    """The campaigns of one advertiser, newest first."""

    queryset = Campaign.objects.none()
    filterset_class = CampaignFilter

    @extend_schema(
        operation_id="advertiser_campaigns_list", tags=["campaigns"], summary="List an advertiser's campaigns",
        responses=CampaignSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, **path: Any) -> Response:
        rows = self.campaigns().filter(advertiser__id_from_network=advertiser)
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        # Who was granted a campaign alone sees it here, without seeing its advertiser.
        if not page and not self.advertisers().filter(id_from_network=advertiser).exists() and not rows.exists():
            raise NotFound("There is no such advertiser.", field="advertiser")
        return self.get_paginated_response(self.campaign_bodies(page))

    @extend_schema(
        operation_id="advertiser_campaigns_create", tags=["campaigns"], summary="Create a campaign",
        parameters=[schema.IDEMPOTENCY_KEY], request=CampaignInput, responses={201: CampaignWrittenSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, advertiser: str, **path: Any) -> Response:
        return self.write(request, self.post_mode(request), advertiser)


class AdvertiserCampaignView(_Writes):
    """One campaign. Campaigns are archived, never deleted."""

    @extend_schema(
        operation_id="advertiser_campaigns_get", tags=["campaigns"], summary="Get a campaign",
        parameters=[schema.IF_NONE_MATCH], responses={200: CampaignSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        return self.campaign_answer(self.campaign_at(campaign, advertiser))

    @extend_schema(
        operation_id="advertiser_campaigns_put", tags=["campaigns"], summary="Create or change a campaign",
        description="What is left out keeps its value.", parameters=[schema.IF_MATCH], request=CampaignInput,
        responses={200: CampaignWrittenSerializer, 201: CampaignWrittenSerializer},
    )  # fmt: skip
    def put(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        return self.write(request, UPSERT, advertiser, campaign)

    @extend_schema(
        operation_id="advertiser_campaigns_patch", tags=["campaigns"], summary="Change a campaign",
        parameters=[schema.IF_MATCH], request=CampaignInput, responses=CampaignWrittenSerializer,
    )  # fmt: skip
    def patch(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        return self.write(request, UPDATE, advertiser, campaign)


class OldAdvertiserCampaignView(AdvertiserCampaignView):
    """The same with POST as an upsert: the Network Integration versions."""

    @extend_schema(exclude=True)
    @idempotent
    def post(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        return self.write(request, UPSERT, advertiser, campaign)


class DiscardDraftView(ResourceView):
    """The changes that have not gone live, dropped."""

    @extend_schema(
        operation_id="advertiser_campaigns_discard_draft", tags=["campaigns"], summary="Drop the changes that are not live",
        parameters=[schema.IDEMPOTENCY_KEY, schema.IF_MATCH], request=None, responses=CampaignSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        """Needs the permission `change`. The terms in force stay as they are."""
        found = self.campaign_at(campaign, advertiser)
        version = self.seen_version(found)
        actions.draft_discard(by=self.user, campaign=found, version=version)
        return self.campaign_answer(self.campaigns().get(pk=found.pk))


class _MoveView(ResourceView):
    """A change of status; needs `operate`. Calls in progress go on."""

    move: str

    def moved(self, request: Request, advertiser: str, campaign: str) -> Response:
        given = cleaned(MoveSerializer, request.data)
        found = self.campaign_at(campaign, advertiser)
        actions.campaign_move_status(
            by=self.user, campaign=found, move=self.move, reason=given.get("reason", ""),
            version=self.seen_version(found),
        )  # fmt: skip
        return self.campaign_answer(self.campaigns().get(pk=found.pk))


def _move_view(move: str, words: str) -> type[_MoveView]:
    class View(_MoveView):
        @extend_schema(
            operation_id=f"advertiser_campaigns_{move}", tags=["campaigns"], summary=words,
            parameters=[schema.IDEMPOTENCY_KEY], request=MoveSerializer, responses=CampaignSerializer,
        )  # fmt: skip
        @idempotent
        def post(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
            """Needs the permission `operate`. Calls in progress go on."""
            return self.moved(request, advertiser, campaign)

    View.move = move
    View.current_only = move == "resume"  # the Network Integration versions know no such thing
    View.__name__ = View.__qualname__ = f"Campaign{move.title().replace('_', '')}View"
    return View


MOVE_VIEWS = {
    move: _move_view(move, words)
    for move, words in (
        ("go_live", "Take a campaign live"),
        ("resume", "Resume a paused campaign on the terms in force; its draft stays"),
        ("pause", "Pause a campaign"), ("archive", "Archive a campaign"),
        ("unarchive", "Take a campaign out of the archive (paused)"),
    )
}  # fmt: skip
assert set(MOVE_VIEWS) == set(MOVES)
