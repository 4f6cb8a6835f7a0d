"""Addresses of the API of agreements, under /api/<version>/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
