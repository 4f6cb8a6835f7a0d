"""Addresses of the webhook pages."""

from django.urls import path

from . import pages

app_name = "hooks"

urlpatterns = [
    path("webhooks/", pages.webhook_list, name="list"),
    path("webhooks/<int:pk>/", pages.webhook_detail, name="detail"),
    path("webhooks/<int:pk>/delete/", pages.webhook_gone, name="delete"),
    path("webhooks/<int:pk>/messages/<uuid:delivery>/replay/", pages.delivery_again, name="replay"),
]
