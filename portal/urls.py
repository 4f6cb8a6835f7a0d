"""All addresses: composition, so this may import every app."""

from django.contrib import admin
from django.urls import include, path

from portal.web import operations

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", operations.health, name="health"),
    path("metrics", operations.metrics, name="metrics"),
]
