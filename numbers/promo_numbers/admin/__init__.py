"""Promo numbers in the admin: to read. They are added where their limits are checked, not here."""

from django.contrib import admin

from portal.web.object_admin import ReadOnlyAdmin
from promo_numbers.models import PromoNumber


@admin.register(PromoNumber)
class PromoNumberAdmin(ReadOnlyAdmin):
    list_display = ("number", "campaign", "description", "media_type", "network")
    list_filter = (("network", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("number", "description", "campaign__name")
