"""Notices in the admin: to read. Platform staff see whether a mail went out; everybody else his own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.accounts import access
from portal.web.object_admin import ReadOnlyAdmin, may_enter

from .models import Notice, NoticePreference


class OwnAdmin(ReadOnlyAdmin):
    """Rows that belong to one user."""

    list_filter: Any = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        user: Any = request.user
        rows = self.model._default_manager.all()
        return rows if access.stands_above(user) else rows.filter(user=user)

    def _may(self, request: HttpRequest, right: str, obj: Any) -> bool:
        if right != "view" or not may_enter(request):
            return False
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()


@admin.register(Notice)
class NoticeAdmin(OwnAdmin):
    list_display = ("created_at", "user", "kind", "title", "read_at", "by_mail", "mailed_at", "mail_tries")
    list_filter = ("by_mail", ("mailed_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "user__email", "kind")
    list_select_related = ("user",)


@admin.register(NoticePreference)
class NoticePreferenceAdmin(OwnAdmin):
    """Switched by each user on the page “Notices by mail”."""

    list_display = ("user", "kind", "by_mail")
    search_fields = ("user__email", "kind")
    list_select_related = ("user",)
