"""Limits and what they are raised by: the limits themselves, contracts, use and projection. Only in the current version."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.input import cleaned
from campaigns.api.resources import ResourceView
from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.api import etags, schema
from portal.api.views import ApiView
from portal.errors import Invalid, NotAllowed, NotFound
from promo_numbers.actions import campaign_limit_set, network_limits_set
from promo_numbers.actions.contracts import contract_set
from promo_numbers.models import CampaignNumbers, Contract, NetworkNumbers
from promo_numbers.queries import limit_of_campaign, limits_of_network
from promo_numbers.queries.advice import contract_step, use_steps
from promo_numbers.queries.forecast import BAND_HIGH, BAND_LOW, months_left
from promo_numbers.queries.usage import Usage, today_utc, usage_of

from .agreement_serializers import (
    CampaignLimitInput,
    CampaignLimitSerializer,
    ContractInput,
    ContractSerializer,
    LimitsPageSerializer,
    NetworkLimitsInput,
    NetworkLimitsSerializer,
    UsageSerializer,
)

MAX_DAYS = 366


def known(serializer: type[serializers.Serializer], data: dict[str, Any]) -> dict[str, Any]:
    """The fields of `data`; one that there is not is a slip that must not pass in silence. Raises Invalid."""
    fields = serializer().fields
    if strange := [name for name in data if name not in fields]:
        raise Invalid.of(
            [(name, "unknown_field", f"“{name[:60]}” is no field here; use {', '.join(fields)}.") for name in strange]
        )
    return cleaned(serializer, data)


class CampaignLimitFilter(filters.FilterSet):
    """Which campaigns' limits."""

    campaign = filters.CharFilter(field_name="id_from_network", label="id_from_network of the campaign.")
    advertiser = filters.CharFilter(
        field_name="advertiser__id_from_network", label="id_from_network of the advertiser."
    )
    at_limit = filters.BooleanFilter(method="that_at_limit", label="Only those without a free number (true), or with.")

    class Meta:
        model = Campaign
        fields: list[str] = []

    def that_at_limit(self, queryset: QuerySet[Campaign], name: str, value: bool) -> QuerySet[Campaign]:
        full = {"numbers_limit__used__gte": F("numbers_limit__allowed")}
        return queryset.filter(**full) if value else queryset.exclude(**full)


def _campaign_body(campaign: Campaign, may_raise: bool) -> dict[str, Any]:
    row = campaign.numbers_limit
    return {
        "campaign": campaign.id_from_network, "advertiser": campaign.advertiser.id_from_network, "name": campaign.name,
        **limit_of_campaign(campaign, row).body(), "may_raise": may_raise,
    }  # fmt: skip


class LimitsView(ApiView):
    """The three limits with their use."""

    current_only = True
    queryset = Campaign.objects.none()
    filterset_class = CampaignLimitFilter

    def network_body(self, row: NetworkNumbers) -> dict[str, Any]:
        limits = [view.body() for view in limits_of_network(self.network)]
        return {"limits": limits, "campaign_default": row.campaign_default}

    @staticmethod
    def state(row: NetworkNumbers) -> str:
        return etags.state_of(row.pk, row.total_limit, row.dynamic_limit, row.campaign_default)

    @extend_schema(
        operation_id="promo_number_limits_get", tags=["limits"], summary="Promo number limits with their use",
        description="The network's two limits, and a page of its campaigns' (“Promo Numbers Allowed”).",
        parameters=[schema.IF_NONE_MATCH], responses={200: LimitsPageSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        row = NetworkNumbers.objects.get(pk=self.network.pk)
        row.network = self.network
        rows = Campaign.objects.filter(network=self.network).select_related("advertiser", "numbers_limit")
        found = self.paginate_queryset(self.filter_queryset(access.restrict(rows, self.user))) or []
        may_raise = access.stands_above(self.user) or self.user.roles.get(self.network.pk, -1) >= Role.SUPER
        page = self.get_paginated_response([_campaign_body(campaign, may_raise) for campaign in found])
        network = self.network_body(row) if access.may(self.user, "view", row) else None
        answer = self.answer({"network": network, **page.data}, state=self.state(row))
        if page.has_header("Link") and answer.status_code == 200:
            answer["Link"] = page["Link"]
        return answer

    @extend_schema(
        operation_id="promo_number_limits_patch", tags=["limits"], summary="Set the network's limits",
        description="Platform staff alone. Never below what is in use (409 below_use).", parameters=[schema.IF_MATCH],
        request=NetworkLimitsInput, responses=NetworkLimitsSerializer, filters=False,
    )  # fmt: skip
    def patch(self, request: Request, **path: Any) -> Response:
        access.require(self.user, "view", NetworkNumbers(network=self.network))
        given = known(NetworkLimitsInput, self.sent)
        with transaction.atomic():
            row = NetworkNumbers.objects.select_for_update(no_key=True).get(pk=self.network.pk)
            etags.check_match(request._request, self.state(row))
            row = network_limits_set(by=self.user, network=self.network, **given)
        return self.answer(self.network_body(row), state=self.state(row))


class CampaignLimitView(ResourceView):
    """“Promo Numbers Allowed” of a campaign."""

    current_only = True

    def body(self, campaign: Campaign) -> tuple[dict[str, Any], str]:
        row = CampaignNumbers.objects.select_related("campaign").get(pk=campaign.pk)
        campaign.numbers_limit = row
        body = _campaign_body(campaign, access.may(self.user, "raise_number_limit", row))
        return body, etags.state_of(row.pk, row.allowed)

    @extend_schema(
        operation_id="promo_number_limit_get", tags=["limits"], summary="Promo Numbers Allowed of a campaign",
        parameters=[schema.IF_NONE_MATCH], responses={200: CampaignLimitSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        body, state = self.body(self.campaign_at(campaign, advertiser))
        return self.answer(body, state=state)

    @extend_schema(
        operation_id="promo_number_limit_patch", tags=["limits"], summary="Set Promo Numbers Allowed",
        description="A Super of the network, or platform staff. A raise that is large against the contract is 422"
        " large_raise with its figures until it comes with `confirm`; below what is in use 409 below_use.",
        parameters=[schema.IF_MATCH], request=CampaignLimitInput, responses=CampaignLimitSerializer,
    )  # fmt: skip
    def patch(self, request: Request, advertiser: str, campaign: str, **path: Any) -> Response:
        given = known(CampaignLimitInput, self.sent)
        found = self.campaign_at(campaign, advertiser)
        with transaction.atomic():
            row = CampaignNumbers.objects.select_for_update(no_key=True).get(pk=found.pk)
            etags.check_match(request._request, etags.state_of(row.pk, row.allowed))
            campaign_limit_set(
                by=self.user, campaign=found, allowed=given["allowed"], reason=given["reason"],
                confirmed=given.get("confirm", False),
            )  # fmt: skip
        body, state = self.body(found)
        return self.answer(body, state=state)


def require_use(user: User, network: Any) -> None:
    """Raise NotAllowed unless the network's contract and use are the caller's to see (Manager and above)."""
    if not access.stands_above(user) and user.roles.get(network.pk, -1) < Role.MANAGER:
        raise NotAllowed(
            f"A network's contract and use are not for everybody. {access.who_may('view', Contract)}",
            permission="numbers.view_contract",
        )


class ContractView(ApiView):
    """The network's contract."""

    current_only = True

    def body(self, contract: Contract) -> dict[str, Any]:
        csm = contract.csm.email if contract.csm else None
        return dict(ContractSerializer({
            **{name: getattr(contract, name) for name in ("starts_on", "ends_on", "numbers", "period", "overage_price",
                                                          "currency")},
            "csm": csm, "months_left": months_left(contract, today_utc()),
        }).data)  # fmt: skip

    @staticmethod
    def state(contract: Contract) -> str:
        return etags.state_of(contract.pk, contract.updated_at)

    def found(self) -> Contract | None:
        return Contract.objects.select_related("csm").filter(pk=self.network.pk).first()

    @extend_schema(
        operation_id="contract_get", tags=["limits"], summary="The network's contract", parameters=[schema.IF_NONE_MATCH],
        responses={200: ContractSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        require_use(self.user, self.network)
        contract = self.found()
        if contract is None:
            raise NotFound("There is no contract on record for this network.", field="contract")
        return self.answer(self.body(contract), state=self.state(contract))

    @extend_schema(
        operation_id="contract_put", tags=["limits"], summary="Set the network's contract",
        description="Platform staff alone.", parameters=[schema.IF_MATCH], request=ContractInput,
        responses={200: ContractSerializer, 201: ContractSerializer},
    )  # fmt: skip
    def put(self, request: Request, **path: Any) -> Response:
        given = known(ContractInput, self.sent)
        if given.get("csm") is not None:
            given["csm"] = self.csm(given["csm"])
        with transaction.atomic():
            NetworkNumbers.objects.select_for_update(no_key=True).get(pk=self.network.pk)
            before = self.found()
            etags.check_match(request._request, self.state(before) if before else None)
            contract = contract_set(by=self.user, network=self.network, **given)
        return self.answer(self.body(contract), state=self.state(contract), status=200 if before else 201)

    def csm(self, email: str) -> User:
        """Who is told of a network's requests. Only platform staff come so far as to try addresses."""
        if not access.stands_above(self.user):
            raise NotAllowed("Only platform staff change a contract.", permission="numbers.change_contract")
        found = User.objects.filter(email__iexact=email, is_platform_staff=True).first()
        if found is None:
            raise Invalid(f"“{email[:100]}” is nobody of the platform staff.", field="csm", code="not_staff")
        return found


class UsageView(ApiView):
    """Use by day, trend and projection."""

    current_only = True

    @extend_schema(
        operation_id="promo_number_usage_get", tags=["limits"], summary="Use of numbers by day, and its projection",
        description="For Managers and above. The sums are explained in docs/numbers.md.",
        parameters=[
            OpenApiParameter("days", int, description=f"Days of use, the last is today: 1 to {MAX_DAYS}, 90 by default."),
            schema.IF_NONE_MATCH,
        ],
        responses={200: UsageSerializer, 304: None},
    )  # fmt: skip
    def get(self, request: Request, **path: Any) -> Response:
        require_use(self.user, self.network)
        text = request.query_params.get("days", "90")
        if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAX_DAYS):
            raise Invalid(f"days is a whole number from 1 to {MAX_DAYS}.", field="days", code="out_of_range")
        body = usage_body(usage_of(self.network), int(text))
        return self.answer(body, state=etags.state_of(self.network.pk))


def usage_body(usage: Usage, days: int) -> dict[str, Any]:
    """What the page shows, as figures. The projection has a point a month and the last day."""
    steps = use_steps(usage)
    if usage.contract is not None:
        steps.append(contract_step(usage.contract, usage.carry, usage.used, usage.today))
    ahead = [*range(30, usage.days_left, 30), usage.days_left]
    risk, contract = usage.present_risk, usage.contract
    return {
        "limits": [view.body() for view in limits_of_network(usage.network)],
        "trend_a_day": round(usage.trend.slope, 6), "trend_days": usage.trend.days, "months_left": usage.months_left,
        "carried_by_contract": usage.carry.level if usage.carry else None,
        "overage": {
            "low": round(risk.low, 2), "expected": round(risk.expected, 2), "high": round(risk.high, 2),
            "low_cost": str(risk.low_money), "expected_cost": str(risk.expected_money), "high_cost": str(risk.high_money),
            "currency": contract.currency,
        } if risk and contract else None,
        "steps": [{"what": step.what, "text": step.text} for step in steps],
        "days": [
            {"day": day.day.isoformat(), "static": day.static, "dynamic": day.dynamic}
            for day in usage.days if day.day > usage.today - timedelta(days=days)
        ],
        "projection": [
            {"day": (usage.today + timedelta(days=count)).isoformat(), "low": round(usage.projected(count, BAND_LOW)),
             "projected": round(usage.projected(count)), "high": round(usage.projected(count, BAND_HIGH))}
            for count in ahead
        ],
    }  # fmt: skip
