"""Addresses of the bell's pages."""

from django.urls import path

from . import pages

app_name = "notices"

urlpatterns = [
    path("notices/", pages.notice_list, name="list"),
    path("notices/read/", pages.notices_all_read, name="all-read"),
    path("notices/settings/", pages.notice_settings, name="settings"),
    path("notices/<int:pk>/read/", pages.notice_read, name="read"),
]
