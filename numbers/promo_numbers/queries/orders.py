"""Purchases of numbers."""

from django.db.models import QuerySet

from portal.accounts import access
from portal.accounts.models import Network, User
from promo_numbers.choices import OrderState
from promo_numbers.models import NumberOrder


def orders_open(limit: int = 20) -> QuerySet[NumberOrder]:
    """The oldest orders whose answer is awaited or looked up, of all networks: for platform staff."""
    rows = NumberOrder.objects.filter(state__in=[OrderState.PLACING, OrderState.UNKNOWN])
    return rows.select_related("promo_number__campaign", "promo_number__network", "asked_by").order_by("created_at")[
        :limit
    ]


def orders_visible(user: User, network: Network) -> QuerySet[NumberOrder]:
    """The network's orders that `user` may see."""
    rows = NumberOrder.objects.filter(promo_number__network=network)
    return access.restrict(rows, user).select_related("promo_number__campaign")
