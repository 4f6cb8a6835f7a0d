"""What the tests of purchases share."""

from datetime import timedelta

from django.utils import timezone
from promo_numbers.actions import orders
from promo_numbers.models import NumberOrder
from promo_numbers.suppliers import Wanted

WANTED = Wanted(area_codes=("303",))


def order_of(number):
    return NumberOrder.objects.get(promo_number=number)


def look_up(times=1):
    """Let the time of the next look-up come, `times` times."""
    for _ in range(times):
        NumberOrder.objects.filter(state="unknown").update(look_up_at=timezone.now() - timedelta(seconds=1))
        orders.orders_look_up()
