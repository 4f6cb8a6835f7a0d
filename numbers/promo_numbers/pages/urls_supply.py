"""Addresses of the pages of supply."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
