"""Addresses of the pages about calls."""

from django.urls import path

from . import calls

app_name = "calls"

urlpatterns = [
    path("calls/", calls.list_calls, name="list"),
    path("calls/export.csv", calls.export, name="export"),
    path("calls/live/", calls.live, name="live"),
    path("calls/legs/<int:leg>/release/", calls.release, name="release"),
    path("calls/<str:transaction_id>/", calls.detail, name="detail"),
    path("simulate/", calls.simulate_call, name="simulate"),
]
