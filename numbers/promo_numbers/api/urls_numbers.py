"""Addresses of the API of numbers, under /api/<version>/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
