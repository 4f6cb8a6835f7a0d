"""Addresses that carriers call."""

from django.urls import path

from .callbacks import CarrierEventsView

urlpatterns = [
    path("carriers/<int:carrier>/events", CarrierEventsView.as_view(), name="carrier-events"),
    path("carriers/<int:carrier>/events/<uuid:attempt>", CarrierEventsView.as_view(), name="carrier-events-of"),
]
