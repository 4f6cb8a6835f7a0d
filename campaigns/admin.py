"""Campaigns in the admin. Rights per object and writes through the actions: see `portal.web.object_admin`."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from portal.accounts import access
from portal.accounts.models import Network
from portal.accounts.roles import Role
from portal.web.object_admin import ActionForm, ObjectAdmin, ObjectInline, ReadOnlyAdmin

from . import actions
from .choices import CapKind
from .models import Advertiser, BundleDestination, Call, CallLeg, Campaign, Cap

_CREATED_WITH = ("network", "id_from_network")


def _may_create(request: HttpRequest) -> bool:
    """Whether there is any network in which the user may create (`actions.advertisers.may_add`)."""
    user: Any = request.user
    return user.is_active and (access.stands_above(user) or bool(access.networks_with(user, Role.MEMBER)))


@admin.register(Advertiser)
class AdvertiserAdmin(ObjectAdmin):
    list_display = ("name", "id_from_network", "network")
    list_filter = (("network", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("name", "id_from_network")
    fields = ("network", "name", "id_from_network")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_create(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return _CREATED_WITH if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "network":
            user: Any = request.user
            networks = Network.objects.all()
            if not access.stands_above(user):
                networks = networks.filter(pk__in=access.networks_with(user, Role.MEMBER))
            kwargs["queryset"] = networks
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "id_from_network" in form.base_fields:
            form.base_fields["id_from_network"].required = False
        return form

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Advertiser:
        by: Any = request.user
        if change:
            return actions.advertiser_update(by=by, advertiser=obj, name=form.cleaned_data["name"])
        return actions.advertiser_create(by=by, **form.cleaned_data)

    def erase(self, request: HttpRequest, obj: Any) -> None:
        by: Any = request.user
        actions.advertiser_delete(by=by, advertiser=obj)


class DestinationForm(ActionForm):
    """A bundle's row: the destination is fixed once it stands there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "destination" in self.fields:
            self.fields["destination"].disabled = True


class DestinationInline(ObjectInline):
    model = BundleDestination
    fk_name = "bundle"
    form = DestinationForm
    right = "change"
    fields = ("destination", "priority", "weight")
    verbose_name = "destination"
    verbose_name_plural = "destinations"
    autocomplete_fields = ("destination",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("destination")


class CapInline(ObjectInline):
    """The caps as they stand; each is changed on its own page, by whoever holds `change_budget_caps`."""

    model = Cap
    fields = readonly_fields = ("kind", "amount", "reset_period", "currency", "alerts_enabled")
    show_change_link = True


@admin.register(Campaign)
class CampaignAdmin(ObjectAdmin):
    """Campaigns with their destinations, as they are in force; changes of one that was live go into its draft.

    The status moves on the campaign's own page, caps on theirs.
    """

    rights = {"view": "view", "change": "change"}
    list_display = ("name", "campaign_type", "status", "advertiser", "network")
    list_filter = ("campaign_type", "status", ("network", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "id_from_network", "advertiser__name")
    autocomplete_fields = ("advertiser", "overflow")
    _plain = (
        "name", "description", "url", "time_zone", "operating_24_7", "hours", "named_regions", "destination_phone_number",
        "currency", "payin", "payout", "pause_date",
    )  # fmt: skip
    _bundle = ("distribution", "overflow", "repeat_caller", "repeat_window_days")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_create(request)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            first = ("advertiser", "id_from_network", "campaign_type", "name", "destination_phone_number")
            return [(None, {"fields": first})]
        sets: list[tuple[str | None, dict[str, Any]]] = [
            (None, {"fields": ("advertiser", "id_from_network", "campaign_type", "status")}),
            ("Terms", {"fields": self._plain}),
        ]
        return [*sets, ("Bundle", {"fields": self._bundle})] if obj.is_bundle else sets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("advertiser", "id_from_network", "campaign_type", "status") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if obj is None else [DestinationInline] if obj.is_bundle else [CapInline]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "id_from_network" in form.base_fields:
            form.base_fields["id_from_network"].required = False
        return form

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Campaign:
        by: Any = request.user
        if change:
            # The form has put its values onto `obj`: the action starts from the stored row. Only what was changed here is
            # written: the form shows the terms in force, and stating those again would take them out of the draft.
            campaign = Campaign.objects.get(pk=obj.pk)
            values = {name: value for name, value in form.cleaned_data.items() if name in form.changed_data}
            return actions.campaign_update(by=by, campaign=campaign, **values)
        return actions.campaign_create(by=by, **form.cleaned_data)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Destinations, through their actions. Any refusal takes the whole form back."""
        if formset.model is not BundleDestination:
            return
        by: Any = request.user
        bundle = Campaign.objects.get(pk=form.instance.pk)
        formset.save(commit=False)
        for row in formset.deleted_objects:
            actions.destination_remove(by=by, bundle=bundle, destination=row.destination)
        for row, _ in formset.changed_objects:
            actions.destination_update(
                by=by, bundle=bundle, destination=row.destination, priority=row.priority, weight=row.weight
            )
        for row in formset.new_objects:
            actions.destination_add(
                by=by, bundle=bundle, destination=row.destination, priority=row.priority, weight=row.weight
            )


class CapForm(ActionForm):
    """Periods only where the kind has one; the action checks the rest."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("time_zone", "currency"):
            if name in self.fields:
                self.fields[name].help_text = "Empty = the campaign's."
        for field in self.fields.values():
            if isinstance(field.widget, forms.CheckboxInput):
                field.required = False


@admin.register(Cap)
class CapAdmin(ObjectAdmin):
    """Caps: to change for whoever holds `change_budget_caps` on the campaign, to read for the others."""

    form = CapForm
    rights = {"view": "view", "change": "change_budget_caps", "delete": "change_budget_caps"}
    choices = {"campaign": "change_budget_caps"}
    list_display = ("campaign", "kind", "amount", "reset_period")
    list_filter = ("kind",)
    search_fields = ("campaign__name", "campaign__id_from_network")
    _period = ("reset_period", "starts_at", "time_zone")
    _alerts = ("alerts_enabled", "alert_thresholds")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.restrict(Campaign.objects.all(), request.user, "change_budget_caps").exists()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        kind = obj.kind if obj else None
        fields = ["campaign", "kind", "amount"]
        if kind != CapKind.CONCURRENT_CALLS:
            fields += self._period
        if kind in (None, CapKind.BUDGET):
            fields += ["currency", "include_call_fees"]
        elif kind == CapKind.PERIODIC_CALLS:
            fields += ["include_call_fees"]
        return [*fields, *self._alerts]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("campaign", "kind") if obj else ()

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Cap:
        by: Any = request.user
        values = dict(form.cleaned_data)
        campaign, kind = (obj.campaign, obj.kind) if change else (values.pop("campaign"), values.pop("kind"))
        if kind == CapKind.CONCURRENT_CALLS:
            values = {name: value for name, value in values.items() if name in ("amount", *self._alerts)}
        return actions.cap_set(by=by, campaign=campaign, kind=kind, **values)

    def erase(self, request: HttpRequest, obj: Any) -> None:
        by: Any = request.user
        actions.cap_clear(by=by, campaign=obj.campaign, kind=obj.kind)


class LegInline(ObjectInline):
    model = CallLeg
    fields = readonly_fields = ("destination", "kind", "selected_at", "answered_at", "ended_at", "end_reason")


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = ("transaction_id", "started_at", "campaign", "caller", "outcome", "refusal")
    list_filter = ("outcome",)
    search_fields = ("=caller", "=external_id")
    list_select_related = ("campaign",)
    inlines = (LegInline,)


@admin.register(CallLeg)
class CallLegAdmin(ReadOnlyAdmin):
    """Who sees its destination alone sees the leg, and neither the bundle's decision nor what the call brought."""

    list_display = ("id", "call", "destination", "kind", "selected_at", "answered_at", "ended_at", "end_reason")
    list_filter = ("kind",)
    search_fields = ("=call__caller", "=call__external_id")
    list_select_related = ("call", "destination")

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        whole = obj is None or access.may(request.user, "view", obj.call)
        return () if whole else ("trace", "left_trace", "revenue")

    def get_search_fields(self, request: HttpRequest) -> Any:
        """The switch's own id is the whole call's: nobody finds out by asking for it."""
        user: Any = request.user
        everywhere = access.stands_above(user) or all(role >= Role.OBSERVER for role in user.roles.values())
        return self.search_fields if everywhere else ("=call__caller",)
