"""Filters of the lists."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django_filters import rest_framework as filters

from campaigns.callers import NotANumber, e164
from campaigns.choices import CampaignStatus, CampaignType, Outcome
from campaigns.models import Call, CallLeg, Campaign
from campaigns.queries.calls import campaigns_seen, legs_seen, sees_all
from portal.accounts.models import Network, User
from portal.api.filters import MomentFilter
from portal.errors import Invalid


class CallFilter(filters.FilterSet):
    """Calls by outcome, campaign called, destination, caller, number, own id and time.

    Who sees only a leg of a call learns neither which campaign and number were called nor its own id, nor of its other legs,
    by asking for them either.
    """

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

    def _who(self) -> tuple[User, Network]:
        view = self.request.parser_context["view"]  # type: ignore[union-attr]
        return view.user, view.network

    def _leg(self, **conditions: Any) -> Exists:
        """Whether the call of the row has a leg that he sees and that meets the conditions: no join, so no row twice."""
        user, network = self._who()
        legs = CallLeg.objects.filter(call_id=OuterRef("pk"), **conditions)
        return Exists(legs if sees_all(user, network) else legs.filter(legs_seen(user, network)))

    def filter_queryset(self, queryset: QuerySet[Call]) -> QuerySet[Call]:
        rows = super().filter_queryset(queryset)
        asked = any(self.form.cleaned_data.get(name) for name in ("campaign", "promo_number", "external_id"))
        user, network = self._who()
        if asked and not sees_all(user, network):
            rows = rows.filter(campaign__in=campaigns_seen(user, network).values("pk"))
        return rows

    def _number(self, value: str, field: str) -> str:
        try:
            return e164(value)
        except NotANumber as error:
            raise Invalid(f"“{value[:64]}” is not a phone number.", field=field, code="invalid_phone_number") from error

    def of_destination(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        reached = Campaign.objects.filter(id_from_network=value)
        return queryset.filter(self._leg(destination__in=reached))

    def of_caller(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        return queryset.filter(caller=self._number(value, "caller"))

    def of_number(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        return queryset.filter(promo_number=self._number(value, "promo_number"))

    def that_live(self, queryset: QuerySet[Call], name: str, value: bool) -> QuerySet[Call]:
        live = self._leg(ended_at=None)
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
