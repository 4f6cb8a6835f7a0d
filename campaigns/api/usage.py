"""Setting the counter of a budget or periodic cap by hand."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import actions
from campaigns.choices import CapKind
from portal.api import schema
from portal.api.idempotency import idempotent
from portal.errors import Invalid

from .caps import KINDS
from .input import Text, cleaned
from .resources import ResourceView
from .serializers import CampaignSerializer

_COUNTED = [name for name, kind in KINDS.items() if kind != CapKind.CONCURRENT_CALLS]


class UsageSerializer(serializers.Serializer):
    """What a counter is to be in its present period."""

    cap = Text(max_length=40, help_text=f"{' or '.join(_COUNTED)}.")
    used = serializers.DecimalField(16, 4, help_text="0 resets it.")
    reason = Text(max_length=1000, help_text="Kept in the audit trail.")


class UsageView(ResourceView):
    """The use of a campaign's caps, set by hand."""

    current_only = True

    @extend_schema(
        operation_id="advertiser_campaigns_usage", tags=["campaigns"], summary="Reset or override a cap's counter",
        parameters=[schema.IDEMPOTENCY_KEY], request=UsageSerializer, responses=CampaignSerializer,
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        """Needs the permission `campaigns.change_budget_caps`. Calls in progress count on top of what is set."""
        given = cleaned(UsageSerializer, self.sent)
        if given["cap"] not in _COUNTED:
            raise Invalid(
                f"“{given['cap']}” has no counter to set; use {' or '.join(_COUNTED)}.",
                field="cap",
                code="unknown_kind",
            )
        found = self.campaign_at(campaign, advertiser)
        actions.usage_set(
            by=self.user, campaign=found, kind=KINDS[given["cap"]], used=given["used"], reason=given["reason"]
        )
        return self.campaign_answer(self.campaigns().get(pk=found.pk))
