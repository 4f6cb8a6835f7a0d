"""Addresses of the API of supply, under /api/<version>/."""

from django.urls import URLPattern, path

from . import supply

PROPOSAL = "<int:network_id>/reclaim_proposals/<int:proposal>"

urlpatterns: list[URLPattern] = [
    path("<int:network_id>/number_orders.json", supply.NumberOrdersView.as_view()),
    path("<int:network_id>/reclaim_proposals.json", supply.ReclaimProposalsView.as_view()),
    path(f"{PROPOSAL}/keep.json", supply.ReclaimKeepView.as_view()),
    path(f"{PROPOSAL}/release.json", supply.ReclaimReleaseView.as_view()),
]
