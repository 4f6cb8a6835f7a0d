"""Addresses of the pages of promo numbers, a file for each part."""

from . import urls_agreements, urls_numbers, urls_pools, urls_supply

app_name = "numbers"

urlpatterns = [
    *urls_numbers.urlpatterns,
    *urls_pools.urlpatterns,
    *urls_agreements.urlpatterns,
    *urls_supply.urlpatterns,
]
