"""The stock's rows of numbers that a remote supplier holds for us."""

from campaigns.models import AreaPrefix
from portal.accounts.models import Network
from promo_numbers.choices import PromoType
from promo_numbers.models import StockNumber
from promo_numbers.suppliers import Held

_TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")


def stock_record(held: Held, supplier: str, *, state: str, network: Network | None) -> StockNumber:
    """Write down a number that is ours at a supplier, with where it belongs. Safe to repeat."""
    national = held.number[2:] if held.number.startswith("+1") else ""
    area_code = national[:3]
    places = {row.prefix: row for row in AreaPrefix.objects.filter(prefix__in=[f"1{national[:6]}", f"1{area_code}"])}
    place = places.get(f"1{national[:6]}") or places.get(f"1{area_code}")
    row, _ = StockNumber.objects.update_or_create(
        number=held.number,
        defaults={
            "supplier": supplier, "supplier_reference": held.reference, "state": state, "network": network,
            "rests_until": None, "missing_since": None, "area_code": area_code,
            "kind": PromoType.TOLL_FREE if area_code in _TOLL_FREE else PromoType.LOCAL,
            "country": place.country if place else "US", "locality": place.city if place else "",
            "region": place.state[:10] if place else "",
        },
    )  # fmt: skip
    return row
