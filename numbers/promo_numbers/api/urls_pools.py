"""Addresses of the API of pools, under /api/<version>/."""

from django.urls import URLPattern, path

from . import allocate

urlpatterns: list[URLPattern] = [
    path("ring_pools/<int:pool>/allocate_number.json", allocate.allocate_number, name="allocate-number"),
    path("bulk.json", allocate.bulk, name="allocate-bulk"),
]
