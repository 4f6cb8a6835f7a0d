"""Reads of promo numbers."""

from portal.prepared import one

_CAMPAIGN = "SELECT campaign_id FROM numbers_promonumber WHERE network_id = %s AND number = %s"


def campaign_of_number(network_id: int, number: str) -> int | None:
    """The id of the campaign that `number` (E.164) belongs to in the network, or None. Asked with every call."""
    row = one(_CAMPAIGN, (network_id, number))
    return row[0] if row else None
