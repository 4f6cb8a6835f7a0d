"""Stock, purchases and proposals in the admin: to read. They are changed on their pages, and by the machinery."""

from django.contrib import admin

from portal.web.object_admin import ReadOnlyAdmin
from promo_numbers.models import NumberOrder, ReclaimProposal, StockNumber


@admin.register(StockNumber)
class StockNumberAdmin(ReadOnlyAdmin):
    """Numbers that we hold: for platform staff."""

    list_display = (
        "number",
        "state",
        "kind",
        "area_code",
        "locality",
        "region",
        "network",
        "supplier",
        "missing_since",
    )
    list_filter = ("state", "kind", "supplier")
    list_select_related = ("network",)
    search_fields = ("number",)
    ordering = ("number",)


@admin.register(NumberOrder)
class NumberOrderAdmin(ReadOnlyAdmin):
    """Purchases, each with what became of it."""

    list_display = ("id", "promo_number", "supplier", "state", "looked_up", "look_up_at", "created_at")
    list_filter = ("state", "supplier")
    list_select_related = ("promo_number",)
    search_fields = ("number",)
    raw_id_fields = ("promo_number", "asked_by")


@admin.register(ReclaimProposal)
class ReclaimProposalAdmin(ReadOnlyAdmin):
    """Numbers without calls that are to be taken back."""

    list_display = ("promo_number", "proposed_on", "reclaim_on", "reminded_at", "state", "decided_by", "note")
    list_filter = ("state",)
    list_select_related = ("promo_number", "decided_by")
    search_fields = ("promo_number__number",)
    raw_id_fields = ("promo_number", "decided_by")
