"""Contracts, limit requests and days of use in the admin. A contract is kept here too, through its action; requests are
decided on their own page, where the sum stands."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.roles import Role
from portal.web.object_admin import ObjectAdmin, ReadOnlyAdmin, may_enter
from promo_numbers.actions.contracts import contract_set
from promo_numbers.models import Contract, LimitRequest, NumberDay
from promo_numbers.queries.requests import requests_visible


@admin.register(Contract)
class ContractAdmin(ObjectAdmin):
    """Platform staff set contracts; Managers and Supers read their network's."""

    rights = {"view": "view", "change": "change"}
    list_display = ("network", "numbers", "period", "starts_on", "ends_on", "overage_price", "currency", "csm")
    list_filter = (("csm", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("network__name",)
    list_select_related = ("network", "csm")
    fields = ("network", "csm", "starts_on", "ends_on", "numbers", "period", "overage_price", "currency")

    def has_add_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return user.is_active and access.stands_above(user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("network",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "csm":
            kwargs["queryset"] = User.objects.filter(is_platform_staff=True, is_active=True)
        if db_field.name == "network":
            kwargs["queryset"] = access.restrict(Network.objects.filter(numbers_contract=None), request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Contract:
        by: Any = request.user
        values = dict(form.cleaned_data)
        network = values.pop("network", None) or obj.network
        return contract_set(by=by, network=network, **values)


@admin.register(LimitRequest)
class LimitRequestAdmin(ReadOnlyAdmin):
    """Asked and decided on the pages of limit requests."""

    list_display = ("id", "network", "ceiling", "campaign", "more", "state", "granted", "asked_by", "asked_at")
    list_filter = ("state", "ceiling", ("network", admin.RelatedOnlyFieldListFilter))
    search_fields = ("network__name", "asked_by__email", "reason")
    list_select_related = ("network", "campaign", "asked_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        user: Any = request.user
        return requests_visible(user)

    def _may(self, request: HttpRequest, right: str, obj: Any) -> bool:
        if right != "view" or not may_enter(request):
            return False
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sum is for those who may see the network's use."""
        user: Any = request.user
        if obj is None or access.stands_above(user) or user.roles.get(obj.network_id, -1) >= Role.MANAGER:
            return super().get_exclude(request, obj)
        return ("working",)


@admin.register(NumberDay)
class NumberDayAdmin(ReadOnlyAdmin):
    """The record of use that the projections are made of."""

    list_display = ("network", "day", "static_used", "dynamic_used", "added", "released")
    list_filter = (("network", admin.RelatedOnlyFieldListFilter),)
    date_hierarchy = None
    ordering = ("-day",)
    list_select_related = ("network",)
