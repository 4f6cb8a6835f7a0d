"""Addresses of the API of pools, under /api/<version>/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
