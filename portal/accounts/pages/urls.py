"""Addresses of accounts and of the audit log (namespace `accounts`)."""

from django.urls import include, path
from django.views.generic import RedirectView

from . import groups, members, networks, tokens

app_name = "accounts"

urlpatterns = [
    path("members/", members.member_list, name="members"),
    path("members/add/", members.member_add, name="member-add"),
    path("members/<int:pk>/", members.member_detail, name="member"),
    path("members/<int:pk>/remove/", members.member_remove, name="member-remove"),
    path("members/<int:pk>/invite/", members.member_invite_again, name="member-invite"),
    path("groups/", groups.group_list, name="groups"),
    path("groups/<int:pk>/", groups.group_detail, name="group"),
    path("groups/<int:pk>/delete/", groups.group_delete, name="group-delete"),
    path("groups/<int:pk>/add/", groups.group_member_add, name="group-add"),
    path("groups/<int:pk>/remove/", groups.group_member_remove, name="group-remove"),
    path("tokens/", tokens.token_list, name="tokens"),
    path("tokens/<int:pk>/revoke/", tokens.token_withdraw, name="token-revoke"),
    path("networks/", networks.network_list, name="networks"),
    path("networks/switch/", networks.network_switch, name="switch-network"),
    path("networks/<int:pk>/settings/", networks.network_settings, name="network"),
    path("audit/", include("portal.audit.urls")),
    # Before allauth's page of that address: nobody may take an unproven e-mail, to be added as somebody else by it.
    path("accounts/email/", RedirectView.as_view(pattern_name="mfa_index"), name="email-fixed"),
]
