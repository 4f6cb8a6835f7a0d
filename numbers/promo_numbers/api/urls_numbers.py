"""Addresses of the API of numbers, under /api/<version>/."""

from django.urls import URLPattern, path

from campaigns.api.urls import CAMPAIGN, by_version

from . import numbers

urlpatterns: list[URLPattern] = [
    path(f"{CAMPAIGN}/promo_numbers.json", numbers.PromoNumbersView.as_view()),
    path(
        f"{CAMPAIGN}/promo_numbers/<str:number>.json", by_version(numbers.PromoNumberView, numbers.OldPromoNumberView)
    ),
    path(f"{CAMPAIGN}/promo_numbers_by_id.json", numbers.NumbersByIdView.as_view()),
    path(
        f"{CAMPAIGN}/promo_numbers_by_id/<str:own>.json", by_version(numbers.NumberByIdView, numbers.OldNumberByIdView)
    ),
    path("<int:network_id>/promo_numbers.json", numbers.NetworkNumbersView.as_view()),
    path("<int:network_id>/promo_numbers/<int:number>.json", numbers.NetworkNumberView.as_view()),
]
