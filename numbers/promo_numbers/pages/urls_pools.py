"""Addresses of the pages of pools."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
