"""All addresses: composition, so this may import every app."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from portal.api.errors import unknown_address
from portal.dashboard import dashboard
from portal.web import operations

urlpatterns = [
    # First, because a call passes here: the fewer patterns before it the better.
    path("api/<str:version>/", include("campaigns.api.urls")),
    path("api/<str:version>/", include("promo_numbers.api.urls")),
    path("api/<str:version>/", include("outbound.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    re_path(r"^api/(?P<rest>.*)$", unknown_address),
    path("", dashboard, name="home"),
    path("", include("campaigns.pages.urls")),
    path("", include("portal.accounts.pages.urls")),
    path("", include("campaigns.pages.call_urls")),
    path("", include("promo_numbers.pages.urls")),
    path("", include("portal.notices.urls")),
    path("", include("portal.hooks.urls")),
    path("", include("outbound.urls")),
    path("", include("outbound.pages.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", operations.favicon),
    path("healthz", operations.health, name="health"),
    path("metrics", operations.metrics, name="metrics"),
]
