"""Addresses of the audit log; they stand in the namespace `accounts`."""

from django.urls import path

from . import pages

urlpatterns = [
    path("", pages.audit_list, name="audit"),
    path("export.csv", pages.audit_export, name="audit-export"),
]
