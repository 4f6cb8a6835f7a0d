"""The audit trail in the admin: to read."""

from django.contrib import admin

from portal.web.object_admin import ReadOnlyAdmin

from .models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "event", "object_label", "reason", "request_id")
    list_filter = (("network", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("object_label", "event", "request_id", "actor__email")
    list_select_related = ("actor", "network")
    fields = (
        "at", "network", "actor", "token", "event", "object_type", "object_id", "object_label", "changes", "reason",
        "request_id",
    )  # fmt: skip
