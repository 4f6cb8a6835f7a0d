"""All addresses: composition, so this may import every app."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("metrics/", include("django_prometheus.urls")),
]
