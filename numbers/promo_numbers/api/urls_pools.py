"""Addresses of the API of pools, under /api/<version>/."""

from django.urls import URLPattern, path

from campaigns.api.urls import CAMPAIGN, by_version
from portal.api.fast import documented

from . import allocate, ring_pools
from . import allocate_schema as described

urlpatterns: list[URLPattern] = [
    path(
        "ring_pools/<int:pool>/allocate_number.json", documented(allocate.allocate_number, described.AllocateDescribed)
    ),
    path("bulk.json", documented(allocate.bulk, described.BulkDescribed)),
    path(f"{CAMPAIGN}/ring_pools.json", ring_pools.RingPoolsView.as_view()),
    path(f"{CAMPAIGN}/ring_pools/<str:pool>.json", by_version(ring_pools.RingPoolView, ring_pools.OldRingPoolView)),
]
