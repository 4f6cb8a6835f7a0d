"""Addresses of the API of supply, under /api/<version>/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
