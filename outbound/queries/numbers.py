"""Which numbers a network may show to those whom it calls."""

from collections.abc import Iterable

from promo_numbers.models import PromoNumber

from portal.accounts.models import Network


def ani_numbers(network: Network, numbers: Iterable[str]) -> dict[str, int]:
    """{number: its campaign's id} of those of `numbers` (E.164) that the network has in use: the others are no ani."""
    rows = PromoNumber.objects.filter(network=network, number__in=list(numbers))
    if any(field.name == "released_at" for field in PromoNumber._meta.get_fields()):
        rows = rows.filter(released_at=None)
    return dict(rows.values_list("number", "campaign_id"))
