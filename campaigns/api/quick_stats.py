"""A campaign's figures at a glance."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.queries.quick_stats import quick_stats

from .resources import ResourceView


class PeriodSerializer(serializers.Serializer):
    """One period. Of a bundle only calls are known; the rest is its destinations' (null)."""

    calls = serializers.IntegerField(help_text="To a bundle, or received as a destination.")
    connected = serializers.IntegerField(allow_null=True)
    minutes = serializers.FloatField(allow_null=True, help_text="Of connected calls that ended in the period.")
    payout = serializers.FloatField(allow_null=True)
    payin = serializers.FloatField(allow_null=True)


class QuickStatsSerializer(serializers.Serializer):
    """Periods begin in the campaign's time zone, weeks on Monday. The sums are a minute old at most, `live` is exact."""

    id_from_network = serializers.CharField()
    currency = serializers.CharField()
    timezone = serializers.CharField()
    live = serializers.IntegerField(help_text="Calls in progress now.")
    today = PeriodSerializer()
    this_week = PeriodSerializer()
    this_month = PeriodSerializer()


class QuickStatsView(ResourceView):
    """Calls and money of today, this week and this month."""

    @extend_schema(
        operation_id="advertiser_campaigns_quick_stats", tags=["campaigns"], summary="Figures of a campaign at a glance",
        responses=QuickStatsSerializer,
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        found = self.campaign_at(campaign, advertiser)
        head = {
            "id_from_network": found.id_from_network, "currency": found.currency, "timezone": found.time_zone,
        }  # fmt: skip
        return self.answer({**head, **quick_stats(found)})
