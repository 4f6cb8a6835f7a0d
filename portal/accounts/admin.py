"""Accounts in the admin, and its one front door: the portal's own sign-in, with its throttle and second factor."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import logout
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import urlencode

from portal.web.object_admin import ObjectAdmin, ReadOnlyAdmin

from . import access, actions, queries
from .models import ApiToken, Membership, Network, NetworkGroup, User


def site_of(request: HttpRequest) -> str:
    """The portal's address as this browser knows it, for links in mails."""
    return f"{request.scheme}://{request.get_host()}"


def admin_login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Never a second sign-in form: it would stand beside the throttle and the second factor. Reads nothing posted."""
    index = reverse("admin:index")
    if request.user.is_authenticated:
        if not admin.site.has_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(index)
    # Where the visitor wanted to go is checked by the sign-in page itself (only addresses of this portal).
    wanted = request.GET.get("next", index)
    return HttpResponseRedirect(f"{resolve_url('account_login')}?{urlencode({'next': wanted})}")


def admin_logout(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """The portal's own sign-out: asks on GET, signs out on POST."""
    return logout(request)


def admin_password_change(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """The portal's own page, which asks for the present password and tells the user by mail."""
    return HttpResponseRedirect(reverse("account_change_password"))


admin.site.login = admin_login  # type: ignore[method-assign]
admin.site.logout = admin_logout  # type: ignore[method-assign,assignment]
admin.site.password_change = admin_password_change  # type: ignore[method-assign,assignment]

# Django's groups have no network, and the others hold secrets or open a way around the actions.
for model in (Group, EmailAddress, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class StaffAdmin(ObjectAdmin):
    """Only for platform staff."""

    def _may(self, request: HttpRequest, right: str, obj: Any) -> bool:
        return self.rights.get(right) is not None and request.user.is_active and access.stands_above(request.user)  # type: ignore[arg-type]


@admin.register(Network)
class NetworkAdmin(ObjectAdmin):
    rights = {"view": "view", "change": "change"}
    list_display = ("name", "time_zone", "currency", "concurrent_call_caps_enabled")
    search_fields = ("name",)
    fields = (*actions.NETWORK_SETTINGS, *actions.NETWORK_CONTRACT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.stands_above(request.user)  # type: ignore[arg-type]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if access.stands_above(request.user) else actions.NETWORK_CONTRACT  # type: ignore[arg-type]

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Network:
        if change:
            return actions.network_update(by=request.user, network=obj, **form.cleaned_data)  # type: ignore[arg-type]
        return actions.network_create(by=request.user, **form.cleaned_data)  # type: ignore[arg-type]


@admin.register(User)
class UserAdmin(StaffAdmin):
    """Accounts, without passwords: those are set by their owners, through the mail or the reset page."""

    rights = {"view": "view", "change": "change"}
    secret_fields = ("password",)
    list_display = ("email", "name", "is_active", "is_platform_staff", "last_login")
    list_filter = ("is_active", "is_platform_staff")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_platform_staff", "is_superuser", "last_login", "date_joined")
    readonly_fields = ("is_superuser", "last_login", "date_joined")
    ordering = ("email",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        users = User.objects.all()
        return users if self._may(request, "view", None) else users.none()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "view", None)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("email", "name", "is_platform_staff")

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> User:
        by: Any = request.user
        if change:
            return actions.user_update(by=by, user=obj, **form.cleaned_data)
        return actions.user_create(by=by, site=site_of(request), **form.cleaned_data)


@admin.register(Membership)
class MembershipAdmin(ObjectAdmin):
    """Roles; new members are added on the Members page, which also writes to them."""

    list_display = ("user", "network", "role", "created_at")
    list_filter = (("network", admin.RelatedOnlyFieldListFilter), "role")
    search_fields = ("user__email", "user__name")
    fields = ("user", "network", "role", "created_at")
    readonly_fields = ("user", "network", "created_at")

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Membership:
        by: Any = request.user
        return actions.member_change_role(by=by, membership=obj, role=form.cleaned_data["role"])

    def erase(self, request: HttpRequest, obj: Any) -> None:
        by: Any = request.user
        actions.member_remove(by=by, membership=obj)


@admin.register(NetworkGroup)
class NetworkGroupAdmin(ObjectAdmin):
    """Groups of a network; who is in one is changed on the Groups page."""

    list_display = ("label", "network")
    list_filter = (("network", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("label",)
    fields = ("network", "label", "people")
    choices = {"network": "manage_members"}

    @admin.display(description="members")
    def people(self, group: NetworkGroup) -> str:
        return ", ".join(str(user) for user in group.user_set.order_by("email")[:100]) or "none yet"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.restrict(Network.objects.all(), request.user, "manage_members").exists()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("network", "people") if obj else ("people",)

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> NetworkGroup:
        by: Any = request.user
        if change:
            return actions.group_rename(by=by, group=obj, label=form.cleaned_data["label"])
        return actions.group_create(by=by, **form.cleaned_data)

    def erase(self, request: HttpRequest, obj: Any) -> None:
        by: Any = request.user
        actions.group_delete(by=by, group=obj)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens without their digests; made and revoked on the API tokens page."""

    secret_fields = ("digest",)
    list_display = ("name", "prefix", "user", "read_only", "expires_at", "revoked_at", "last_used_at")
    list_filter = ("read_only",)
    search_fields = ("name", "prefix", "user__email")
    fields = ("name", "prefix", "user", "read_only", "created_at", "expires_at", "revoked_at", "last_used_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        user: Any = request.user
        return queries.tokens_seen_by(user)

    def _may(self, request: HttpRequest, right: str, obj: Any) -> bool:
        if right != "view" or not request.user.is_active:
            return False
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()
