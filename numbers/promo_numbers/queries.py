"""Reads of promo numbers."""

from .models import PromoNumber


def campaign_of_number(network_id: int, number: str) -> int | None:
    """The id of the campaign that `number` (E.164) belongs to in the network, or None."""
    return (
        PromoNumber.objects.filter(network_id=network_id, number=number).values_list("campaign_id", flat=True).first()
    )
