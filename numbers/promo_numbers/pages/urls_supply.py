"""Addresses of the pages of supply: the stock, and numbers to be reclaimed."""

from django.urls import URLPattern, path

from . import reclaim, supply

urlpatterns: list[URLPattern] = [
    path("numbers/stock/", supply.stock, name="stock"),
    path("numbers/stock/<int:pk>/remove/", supply.stock_take_out, name="stock-remove"),
    path("numbers/stock/<int:pk>/assign/", supply.stock_give, name="stock-assign"),
    path("numbers/reclaim/", reclaim.reclaim_index, name="reclaim"),
    path("numbers/reclaim/keep/", reclaim.reclaim_keep_chosen, name="reclaim-keep-chosen"),
    path("numbers/reclaim/<int:pk>/keep/", reclaim.reclaim_decide, {"do": "keep"}, name="reclaim-keep"),
    path("numbers/reclaim/<int:pk>/release/", reclaim.reclaim_decide, {"do": "release"}, name="reclaim-release"),
]
