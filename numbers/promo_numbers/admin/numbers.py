"""Promo numbers and their limits in the admin: rights per object, writes through the actions and their limits."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from campaigns.models import Campaign
from portal.accounts import access
from portal.web.object_admin import ActionForm, ObjectAdmin
from promo_numbers import actions
from promo_numbers.actions import LimitReached
from promo_numbers.models import CampaignNumbers, NetworkNumbers, PromoNumber
from promo_numbers.queries import numbers_found

_CARRIED = ("description", "media_type", "promo_type", "id_from_network", "custom_data")


class NumberForm(ActionForm):
    """Beside the sentence of a refused add: which ceiling, its figures, and who may raise it."""

    field_names = {"promo_number": "number"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("number", "id_from_network", "custom_data"):
            if name in self.fields:
                self.fields[name].required = False
        if "number" in self.fields:
            self.fields["number"].help_text = "A certain number; empty = any free one of the stock."

    def clean(self) -> dict[str, Any] | None:
        given = super().clean()
        if isinstance(self.refused, LimitReached):
            self.add_error(None, forms.ValidationError(self.refused.explanation, code=self.refused.code))
        return given


@admin.register(PromoNumber)
class PromoNumberAdmin(ObjectAdmin):
    """Added under the same limits, with the same refusals, as everywhere; moved and released on their pages."""

    form = NumberForm
    rights = {"view": "view", "change": "manage_numbers"}
    choices = {"campaign": "manage_numbers"}
    paginator = InfinitePaginator
    list_display = ("number", "state", "campaign", "ring_pool", "description", "media_type", "network")
    list_filter = ("state", "media_type")
    list_select_related = ("campaign", "ring_pool", "network")
    search_fields = ("number", "description")
    autocomplete_fields = ("campaign",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return numbers_found(queryset, search_term), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.restrict(Campaign.objects.all(), request.user, "manage_numbers").exists()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.state != "released")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("campaign", "number", *_CARRIED)
        return (
            "network",
            "campaign",
            "ring_pool",
            "number",
            "state",
            *_CARRIED,
            "supplier",
            "last_called_on",
            "created_at",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return (
            "network", "campaign", "ring_pool", "number", "state", "supplier", "last_called_on", "created_at",
        )  # fmt: skip

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> PromoNumber:
        by: Any = request.user
        values = {**form.cleaned_data, "custom_data": form.cleaned_data.get("custom_data") or {}}
        if change:
            # The form has put its values onto `obj`: the action starts from the stored row.
            return actions.number_update(by=by, number=PromoNumber.objects.get(pk=obj.pk), **values)
        return actions.number_add(by=by, campaign=values.pop("campaign"), **values)


class CampaignLimitForm(ActionForm):
    reason = forms.CharField(widget=UnfoldAdminTextInputWidget, required=False, help_text="Kept; your CSM reads it.")
    confirmed = forms.BooleanField(
        widget=UnfoldBooleanWidget, required=False, label="Raise it though it is large",
        help_text="Needed only after the warning, whose figures stand above.",
    )  # fmt: skip

    class Meta:
        model = CampaignNumbers
        fields = ("allowed",)


@admin.register(CampaignNumbers)
class CampaignNumbersAdmin(ObjectAdmin):
    """“Promo Numbers Allowed”: to change for Super Users of the network and platform staff."""

    form = CampaignLimitForm
    rights = {"view": "view", "change": "raise_number_limit"}
    list_display = ("campaign", "used", "allowed")
    list_select_related = ("campaign",)
    search_fields = ("campaign__name", "campaign__id_from_network")
    ordering = ("campaign_id",)
    fields = ("campaign", "used", "allowed", "reason", "confirmed")
    readonly_fields = ("campaign", "used")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if self.has_change_permission(request, obj) else ("campaign", "used", "allowed")

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> CampaignNumbers:
        by: Any = request.user
        return actions.campaign_limit_set(
            by=by, campaign=Campaign.objects.select_related("network").get(pk=obj.pk),
            allowed=form.cleaned_data["allowed"], reason=form.cleaned_data["reason"], confirmed=form.cleaned_data["confirmed"],
        )  # fmt: skip


class NetworkLimitsForm(ActionForm):
    field_names = {"total": "total_limit", "dynamic": "dynamic_limit"}
    reason = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), required=False)

    class Meta:
        model = NetworkNumbers
        fields = ("total_limit", "dynamic_limit", "campaign_default")


@admin.register(NetworkNumbers)
class NetworkNumbersAdmin(ObjectAdmin):
    """A network's two limits: to change for platform staff alone, to read for its Observers and above."""

    form = NetworkLimitsForm
    rights = {"view": "view", "change": "change"}
    list_display = ("network", "total_used", "total_limit", "dynamic_used", "dynamic_limit", "campaign_default")
    list_select_related = ("network",)
    search_fields = ("network__name",)
    ordering = ("network_id",)
    readonly_fields = ("network", "total_used", "dynamic_used")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("network", "total_used", "total_limit", "dynamic_used", "dynamic_limit", "campaign_default")
        return (*fields, "reason") if self.has_change_permission(request, obj) else fields

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> NetworkNumbers:
        by: Any = request.user
        given = form.cleaned_data
        return actions.network_limits_set(
            by=by, network=obj.network, reason=given["reason"], total=given["total_limit"], dynamic=given["dynamic_limit"],
            campaign_default=given["campaign_default"],
        )  # fmt: skip
