"""The reads of promo numbers, shared by pages, API and admin."""

from .limits import LimitView, limit_of_campaign, limits_of_network, limits_on_adding
from .numbers import (
    campaign_of_number,
    direct_numbers,
    facts_of_number,
    media_types,
    number_list,
    numbers_found,
    numbers_visible,
)

__all__ = [
    "LimitView",
    "campaign_of_number",
    "direct_numbers",
    "facts_of_number",
    "limit_of_campaign",
    "limits_of_network",
    "limits_on_adding",
    "media_types",
    "number_list",
    "numbers_found",
    "numbers_visible",
]
