"""Promo numbers in the admin, a file for each part. Importing them registers them."""

from . import agreements, numbers, pools, supply

__all__ = ["agreements", "numbers", "pools", "supply"]
