"""Addresses of the pages of pools."""

from django.urls import URLPattern, path

from . import pools

urlpatterns: list[URLPattern] = [
    path("campaigns/<int:pk>/ring-pools/", pools.campaign_pools, name="pools"),
    path("campaigns/<int:pk>/ring-pools/new/", pools.pool_new, name="pool-new"),
    path("ring-pools/", pools.pool_index, name="all-pools"),
    path("ring-pools/sizing/", pools.pool_sizing, name="pool-sizing"),
    path("ring-pools/<int:pk>/", pools.pool_page, name="pool"),
    path("ring-pools/<int:pk>/edit/", pools.pool_edit, name="pool-edit"),
    path("ring-pools/<int:pk>/resize/", pools.pool_resize, name="pool-resize"),
    path("ring-pools/<int:pk>/archive/", pools.pool_archive, name="pool-archive"),
]
