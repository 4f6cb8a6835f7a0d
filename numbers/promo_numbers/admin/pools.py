"""RingPools in the admin: settings are changed through the action and its limits; creating and archiving have pages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portal.web.object_admin import ObjectAdmin
from promo_numbers import actions
from promo_numbers.models import RingPool

from .numbers import NumberForm

_SET = (
    "name", "lifetime_seconds", "max_pool_size", "preferred", "destination_phone_number", "fill_immediately", "auto_scale",
    "growth_percent", "growth_ceiling", "scale_max",
)  # fmt: skip
_SHOWN = ("network", "campaign", "id_from_network", "allow_overflow", "exhausted_at", "scale_refusal", "archived_at")


class RingPoolForm(NumberForm):
    """A refused change says which ceiling, its figures, and who may raise it, beside the size."""

    field_names = {"promo_number": "max_pool_size", "count": "max_pool_size"}


@admin.register(RingPool)
class RingPoolAdmin(ObjectAdmin):
    form = RingPoolForm
    rights = {"view": "view", "change": "manage_numbers"}
    list_display = ("name", "campaign", "max_pool_size", "lifetime_seconds", "auto_scale", "exhausted_at", "network")
    list_filter = ("auto_scale",)
    list_select_related = ("campaign", "network")
    search_fields = ("name", "id_from_network", "campaign__name")
    fields = (*_SHOWN[:3], *_SET, *_SHOWN[3:])
    readonly_fields = _SHOWN

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.archived_at is None)

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> RingPool:
        by: Any = request.user
        # The form has put its values onto `obj`: the action starts from the stored row.
        pool = RingPool.objects.select_related("campaign__network").get(pk=obj.pk)
        values = {name: form.cleaned_data[name] for name in _SET if name in form.cleaned_data}
        return actions.ring_pool_update(by=by, pool=pool, **values).pool
