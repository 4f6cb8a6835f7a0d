"""Building the reference data of `AreaPrefix` from the `phonenumbers` package (Apache 2.0).

The package's place data takes seconds and 180 MB to import, so it is read here once, into the database, and never by a
process that serves calls.
"""

from collections.abc import Iterator
from typing import Any

import phonenumbers

from .regions import STATES, ZONES

# Names that the source writes in its own way.
_ODD_STATES = {
    "British Colombia": "BC",
    "Nova Scotia/Prince Edward Island": "NS",
    "Northwest Territories/Nunavut/Yukon": "NT",
}


def _place(text: str) -> tuple[str, str]:
    """(city, state code) from “Jersey City, NJ” or “New Jersey”."""
    city, comma, state = text.rpartition(", ")
    if comma and len(state) == 2:
        return city, state
    return "", STATES.get(text) or _ODD_STATES.get(text, "")


def area_prefixes() -> Iterator[dict[str, Any]]:
    """Rows for `AreaPrefix`: every country's code, and for +1 each area code and each exchange that has a city."""
    from phonenumbers.geodata import GEOCODE_DATA
    from phonenumbers.tzdata import TIMEZONE_DATA

    zone_of = {zone: name for name, zones in ZONES.items() for zone in zones}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if code != 1 and regions[0] != "001":
            yield {"prefix": str(code), "level": "country", "country": regions[0], "state": "", "city": "", "zones": []}
    country_of: dict[str, str] = {}
    for npa in range(200, 1000):
        prefix = f"1{npa}"
        country = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{prefix}2345678"))
        if country is None or npa % 100 == 11:
            continue
        country_of[prefix] = country
        text = GEOCODE_DATA.get(prefix, {}).get("en", "")
        city, state = _place(text)
        zones = sorted({zone_of[zone] for zone in TIMEZONE_DATA.get(prefix, ()) if zone in zone_of})
        yield {"prefix": prefix, "level": "area", "country": country, "state": state, "city": city, "zones": zones}
    for prefix, names in GEOCODE_DATA.items():
        if len(prefix) > 4 and prefix.startswith("1") and prefix[:4] in country_of:
            city, state = _place(names.get("en", ""))
            if city:
                yield {
                    "prefix": prefix, "level": "exchange", "country": country_of[prefix[:4]], "state": state, "city": city, "zones": [],
                }  # fmt: skip


def refresh(model: Any) -> int:
    """Replace all rows of `model` (AreaPrefix, or a migration's version of it). Returns how many there are."""
    rows = [model(**row) for row in area_prefixes()]
    model.objects.all().delete()
    model.objects.bulk_create(rows, batch_size=5000)
    return len(rows)
