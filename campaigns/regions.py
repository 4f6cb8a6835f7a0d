"""Regions: from named places to ranges of callers' numbers, and the reference data behind them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from .callers import prefix_range
from .choices import RegionType
from .models import AreaPrefix

Problem = tuple[str | None, str, str]

# Zone regions, by the time zones that the reference data gives an area code.
ZONES = {
    "Eastern": (
        "America/New_York", "America/Toronto", "America/Detroit", "America/Indiana/Indianapolis", "America/Louisville",
        "America/Montreal", "America/Thunder_Bay", "America/Iqaluit",
    ),
    "Central": ("America/Chicago", "America/Winnipeg", "America/Regina", "America/Menominee"),
    "Mountain": ("America/Denver", "America/Edmonton", "America/Phoenix", "America/Boise", "America/Yellowknife"),
    "Pacific": ("America/Los_Angeles", "America/Vancouver", "America/Whitehorse"),
    "Alaska": ("America/Anchorage", "America/Juneau"),
    "Hawaii": ("Pacific/Honolulu",),
    "Atlantic": ("America/Halifax", "America/Puerto_Rico", "America/St_Thomas"),
    "Newfoundland": ("America/St_Johns",),
}  # fmt: skip

STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Washington D.C.": "DC", "District of Columbia": "DC", "Florida": "FL",
    "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS",
    "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI",
    "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV",
    "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC",
    "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA", "Rhode Island": "RI",
    "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN", "Texas": "TX", "Utah": "UT", "Vermont": "VT",
    "Virginia": "VA", "Washington": "WA", "Washington State": "WA", "West Virginia": "WV", "Wisconsin": "WI",
    "Wyoming": "WY", "Alberta": "AB", "British Columbia": "BC", "Manitoba": "MB", "New Brunswick": "NB",
    "Newfoundland and Labrador": "NL", "Nova Scotia": "NS", "Ontario": "ON", "Prince Edward Island": "PE",
    "Quebec": "QC", "Saskatchewan": "SK", "Northwest Territories": "NT", "Yukon": "YT", "Nunavut": "NU",
}  # fmt: skip


def _prefixes(kind: str, value: str) -> set[str]:
    """The prefixes behind one region; empty if there is no such place."""
    value = value.strip()
    if not value:
        return set()
    if kind == RegionType.COUNTRY:
        rows = AreaPrefix.objects.filter(country__iexact=value, level__in=("country", "area"))
        return set(rows.values_list("prefix", flat=True))
    if kind == RegionType.STATE:
        code = STATES.get(value.title(), value.upper())
        rows = AreaPrefix.objects.filter(country__in=("US", "CA"), state=code, level="area")
        return set(rows.values_list("prefix", flat=True))
    if kind == RegionType.CITY:
        city, _, state = (part.strip() for part in value.partition(","))
        if not city or not state:
            return set()
        code = STATES.get(state.title(), state.upper())
        rows = AreaPrefix.objects.filter(country__in=("US", "CA"), state=code, city__iexact=city)
        return set(rows.values_list("prefix", flat=True))
    if kind == RegionType.ZONE:
        return set(
            AreaPrefix.objects.filter(zones__contains=[value.title()], level="area").values_list("prefix", flat=True)
        )
    parts = [re.sub(r"[^\d]", "", part) for part in value.split(",")]
    # 805 and 805-555 are what people write; with a + it is a prefix of any country.
    return {
        digits if written.strip().startswith("+") or len(digits) not in (3, 6) else f"1{digits}"
        for written, digits in zip(value.split(","), parts, strict=True)
        if 1 <= len(digits) <= 15
    }


_WAY_OUT = {
    RegionType.COUNTRY: "use a two-letter country code such as US",
    RegionType.STATE: "use a US or Canadian state such as CO or Colorado",
    RegionType.CITY: "use City, State such as “Denver, CO”",
    RegionType.ZONE: f"use one of {', '.join(ZONES)}",
    RegionType.PREFIX: "use area codes or NPA-NXX separated by commas, such as 805, 720-555",
}


def regions_clean(named_regions: Iterable[Any], problems: list[Problem]) -> list[dict[str, Any]]:
    """The valid part of `named_regions` ([{name, regions: [{region_type, value, text}]}]); problems are added with their path."""
    clean = []
    for i, named in enumerate(named_regions):
        if (
            not isinstance(named, Mapping)
            or not isinstance(named.get("regions"), list)
            or not str(named.get("name", "")).strip()
        ):
            problems.append((f"named_regions.{i}", "invalid", "Each named region needs a name and a list “regions”."))
            continue
        regions = []
        for j, region in enumerate(named["regions"]):
            field = f"named_regions.{i}.regions.{j}"
            kind = region.get("region_type") if isinstance(region, Mapping) else None
            value = str(region.get("value", "")).strip() if isinstance(region, Mapping) else ""
            if kind not in RegionType.values:
                problems.append(
                    (
                        f"{field}.region_type",
                        "unknown_region_type",
                        f"“{kind}” is not a region type; use {', '.join(RegionType.values)}.",
                    )
                )
            elif not _prefixes(kind, value):
                problems.append(
                    (
                        f"{field}.value",
                        "unknown_region",
                        f"“{value}” is not a known {RegionType(kind).label.lower()}; {_WAY_OUT[RegionType(kind)]}.",
                    )
                )
            else:
                regions.append({"region_type": kind, "value": value, "text": str(region.get("text") or value)})
        clean.append({"name": str(named["name"]).strip(), "regions": regions})
    return clean


def regions_compile(named_regions: Iterable[Mapping[str, Any]]) -> list[tuple[int, int]] | None:
    """The ranges of padded numbers that any of the regions covers; None (everywhere) when there are none."""
    regions = [region for named in named_regions for region in named["regions"]]
    if not regions:
        return None
    prefixes: set[str] = set()
    for region in regions:
        prefixes |= _prefixes(region["region_type"], region["value"])
    return sorted(prefix_range(prefix) for prefix in prefixes)


def places_of(numbers: Iterable[str | None]) -> dict[str, str]:
    """Where callers' numbers belong, in words: {"+13035550123": "Denver, CO"}; unknown ones are left out. One query."""
    digits = {number: number.lstrip("+") for number in numbers if number}
    wanted = {text[:n] for text in digits.values() for n in range(1, len(text) + 1)}
    rows = {row.prefix: row for row in AreaPrefix.objects.filter(prefix__in=wanted)} if wanted else {}
    places = {}
    for number, text in digits.items():
        known = [rows[text[:n]] for n in range(1, len(text) + 1) if text[:n] in rows]
        if known:
            best = known[-1]
            state = best.state or next((row.state for row in reversed(known) if row.state), "")
            places[number] = ", ".join(
                part for part in (best.city, state, "" if best.city or state else best.country) if part
            )
    return places


def place_of(number: str | None) -> str:
    """Where a caller's number belongs, in words (“Denver, CO”); empty if nothing is known."""
    return places_of([number]).get(number or "", "")


def is_everywhere(named_regions: Iterable[Mapping[str, Any]], country: str) -> bool:
    """Whether a region list covers the whole country (“a leftover All US region makes everybody in region”)."""
    return any(
        region["region_type"] == RegionType.COUNTRY and region["value"].upper() == country.upper()
        for named in named_regions
        for region in named["regions"]
    )


def places_like(text: str, limit: int = 20) -> list[str]:
    """Cities whose name begins with `text`, as “City, ST”, for the page's suggestions."""
    rows = (
        AreaPrefix.objects.filter(Q(city__istartswith=text), country__in=("US", "CA"))
        .order_by("city", "state")
        .values_list("city", "state")
        .distinct()[:limit]
    )
    return [f"{city}, {state}" for city, state in rows]
