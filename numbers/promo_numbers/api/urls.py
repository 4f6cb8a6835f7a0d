"""Addresses of the API of promo numbers, a file for each part. Allocation first: it is asked for every visitor."""

from . import urls_agreements, urls_numbers, urls_pools, urls_supply

urlpatterns = [
    *urls_pools.urlpatterns,
    *urls_numbers.urlpatterns,
    *urls_agreements.urlpatterns,
    *urls_supply.urlpatterns,
]
