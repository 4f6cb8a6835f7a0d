"""Filters of the lists."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django_filters import rest_framework as filters

from campaigns.callers import NotANumber, e164
from campaigns.choices import CampaignStatus, CampaignType, Outcome
from campaigns.models import Call, CallLeg, Campaign
from portal.api.filters import MomentFilter
from portal.errors import Invalid


def _leg(**conditions: Any) -> Exists:
    """Whether the call of the row has a leg that meets the conditions: no join, so no row twice."""
    return Exists(CallLeg.objects.filter(call_id=OuterRef("pk"), **conditions))


class CallFilter(filters.FilterSet):
    """Calls by outcome, campaign called, destination, caller, number, own id and time."""

    outcome = filters.ChoiceFilter(choices=Outcome.choices)
    campaign = filters.CharFilter(
        field_name="campaign__id_from_network", label="id_from_network of the campaign called."
    )
    destination = filters.CharFilter(method="of_destination", label="id_from_network of a destination reached.")
    caller = filters.CharFilter(method="of_caller", label="The caller's number.")
    promo_number = filters.CharFilter(method="of_number", label="The promo number called.")
    external_id = filters.CharFilter(label="Your own id of the call.")
    started_after = MomentFilter(field_name="started_at", lookup_expr="gte")
    started_before = MomentFilter(field_name="started_at", lookup_expr="lt")
    live = filters.BooleanFilter(method="that_live", label="Only calls that have not ended (true) or have (false).")

    class Meta:
        model = Call
        fields: list[str] = []

    def _number(self, value: str, field: str) -> str:
        try:
            return e164(value)
        except NotANumber as error:
            raise Invalid(f"“{value[:64]}” is not a phone number.", field=field, code="invalid_phone_number") from error

    def of_destination(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        reached = Campaign.objects.filter(id_from_network=value)
        return queryset.filter(_leg(destination__in=reached))

    def of_caller(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        return queryset.filter(caller=self._number(value, "caller"))

    def of_number(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        return queryset.filter(promo_number=self._number(value, "promo_number"))

    def that_live(self, queryset: QuerySet[Call], name: str, value: bool) -> QuerySet[Call]:
        live = _leg(ended_at=None)
        return queryset.filter(live) if value else queryset.exclude(live)


class BundleFilter(filters.FilterSet):
    """Bundles by status, advertiser, and words of the name."""

    status = filters.ChoiceFilter(choices=CampaignStatus.choices)
    advertiser = filters.CharFilter(
        field_name="advertiser__id_from_network", label="id_from_network of the advertiser."
    )
    q = filters.CharFilter(method="with_words", label="Part of the name or of the id_from_network.")

    class Meta:
        model = Campaign
        fields: list[str] = []

    def with_words(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(Q(name__icontains=value) | Q(id_from_network__icontains=value))


class CampaignFilter(BundleFilter):
    """Campaigns also by type, and by whether they are at their concurrent call cap."""

    type = filters.ChoiceFilter(field_name="campaign_type", choices=CampaignType.choices)
    at_cap = filters.BooleanFilter(method="that_at_cap", label="At or over the concurrent call cap (true), or not.")

    def that_at_cap(self, queryset: QuerySet[Campaign], name: str, value: bool) -> QuerySet[Campaign]:
        full = Q(state__live_cap__isnull=False, state__live__gte=F("state__live_cap"))
        return queryset.filter(full) if value else queryset.exclude(full)
