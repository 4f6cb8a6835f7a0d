"""Which numbers a network may show to those whom it calls."""

from collections.abc import Iterable

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from promo_numbers.models import PromoNumber

from portal.accounts.models import Network


def ani_numbers(
    network: Network, numbers: Iterable[str], *, using: BaseDatabaseWrapper | None = None
) -> dict[str, int]:
    """{number: its campaign's id} of those of `numbers` (E.164) that the network has in use: the others are no ani.

    `using`: another connection than the thread's own, which may be busy.
    """
    asked = list(numbers)
    if not asked:
        return {}
    rows = PromoNumber.objects.filter(network=network, number__in=asked, released_at=None)
    sql, values = rows.values_list("number", "campaign_id").query.sql_with_params()
    with (using or connection).cursor() as cursor:
        cursor.execute(sql, values)
        return dict(cursor.fetchall())
