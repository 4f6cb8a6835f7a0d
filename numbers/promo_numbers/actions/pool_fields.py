"""What a RingPool carries, from what people and programs send to what is stored; every problem with its field."""

import math
import re
from typing import Any

from campaigns.callers import NotANumber, e164
from campaigns.models import Campaign
from promo_numbers.choices import PromoType
from promo_numbers.models import RingPool
from promo_numbers.models.pools import MAX_LIFETIME
from promo_numbers.suppliers import Wanted

Problem = tuple[str | None, str, str]

MIN_LIFETIME = 60
MAX_SIZE = 100_000
USE_TOLL_FREE, WAIT = "UseTollFree", "Wait"
FALLBACKS = (USE_TOLL_FREE, WAIT)
DEFAULTS = {
    "lifetime_seconds": 1800, "max_pool_size": 2, "preferred": False, "destination_phone_number": "",
    "fill_immediately": True, "allow_overflow": True, "promo_type": PromoType.LOCAL.value, "auto_scale": False,
    "growth_percent": 10, "growth_ceiling": 10, "scale_max": None,
}  # fmt: skip
# (least, most) of the whole numbers.
_RANGES = {
    "lifetime_seconds": (MIN_LIFETIME, MAX_LIFETIME),
    "max_pool_size": (1, MAX_SIZE),
    "growth_percent": (1, 100),
    "growth_ceiling": (1, 10_000),
    "scale_max": (1, MAX_SIZE),
}
_FLAGS = ("preferred", "fill_immediately", "allow_overflow", "auto_scale")
_OBJECTS = ("local_center", "local_number_preferences", "extra")
FIELDS = (
    "name", *_RANGES, *_FLAGS, *_OBJECTS, "destination_phone_number", "promo_type", "tn_prefix_whitelist",
    "customer_phone_numbers",
)  # fmt: skip
_PREFIX = re.compile(r"^\+?1?([2-9]\d{2}\d{0,7})$")


def pool_values(values: dict[str, Any], campaign: Campaign, problems: list[Problem]) -> dict[str, Any]:
    """`values` in their stored form; what is wrong is added to `problems`."""
    clean = dict(values)
    for name in values:
        if name not in FIELDS:
            problems.append((name, "unknown_field", f"“{name}” cannot be set on a RingPool."))
    if "name" in values:
        clean["name"] = str(values["name"] or "").strip()
        if not 1 <= len(clean["name"]) <= 200:
            problems.append(("name", "required", "A name has 1 to 200 characters."))
    for name, (least, most) in _RANGES.items():
        if name in values and not (name == "scale_max" and values[name] is None):
            _whole(name, values[name], least, most, problems)
    for name in _FLAGS:
        if name in values and not isinstance(values[name], bool):
            problems.append((name, "invalid_type", f"“{name}” is true or false."))
    for name in _OBJECTS:
        if name in values and not isinstance(values[name], dict):
            problems.append((name, "not_an_object", f"“{name}” is an object: {{...}}."))
    if "promo_type" in values and values["promo_type"] not in PromoType.values:
        text = f"“{values['promo_type']}” is not a promo type; use {', '.join(PromoType.values)}."
        problems.append(("promo_type", "unknown_promo_type", text))
    if "destination_phone_number" in values:
        clean["destination_phone_number"] = _number(
            values["destination_phone_number"] or "", "destination_phone_number", campaign, problems
        )
    _whitelist(clean, problems)
    _customers(clean, campaign, problems)
    _preferences(clean, problems)
    return clean


def _whole(name: str, value: Any, least: int, most: int, problems: list[Problem]) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        unit = " seconds" if name == "lifetime_seconds" else ""
        text = f"“{name}” is a whole number from {least:,} to {most:,}{unit}; it is {value}."
        problems.append((name, "out_of_range", text))


def _number(raw: Any, field: str, campaign: Campaign, problems: list[Problem]) -> str:
    text = str(raw).strip()
    if not text:
        return ""
    try:
        return e164(text[:64], campaign.network.country)
    except NotANumber:
        text = f"“{text[:64]}” is not a phone number; write it like +18055550123."
        problems.append((field, "invalid_phone_number", text))
        return ""


def _whitelist(clean: dict[str, Any], problems: list[Problem]) -> None:
    given = clean.get("tn_prefix_whitelist")
    if "tn_prefix_whitelist" not in clean:
        return
    found = []
    for item in given if isinstance(given, list) else [None]:
        match = _PREFIX.match(str(item).strip()) if isinstance(item, str | int) and not isinstance(item, bool) else None
        if match is None:
            text = "Prefixes are a list of area codes, or of the first digits of numbers, such as [“805”, “805555”]."
            problems.append(("tn_prefix_whitelist", "invalid_prefix", text))
            return
        found.append(match.group(1))
    if len(found) > 100:
        problems.append(("tn_prefix_whitelist", "too_many", f"{len(found)} prefixes; give at most 100."))
    clean["tn_prefix_whitelist"] = sorted(set(found))


def _customers(clean: dict[str, Any], campaign: Campaign, problems: list[Problem]) -> None:
    if "customer_phone_numbers" not in clean:
        return
    given = clean["customer_phone_numbers"]
    if not isinstance(given, list) or not all(isinstance(item, str | int) for item in given):
        text = "Give your own numbers as a list, such as [“+18055550123”]."
        problems.append(("customer_phone_numbers", "not_a_list", text))
        return
    if len(given) > 1000:
        problems.append(("customer_phone_numbers", "too_many", f"{len(given):,} numbers; give at most 1,000."))
        return
    found = [_number(item, "customer_phone_numbers", campaign, problems) for item in given]
    clean["customer_phone_numbers"] = list(dict.fromkeys(number for number in found if number))


def _preferences(clean: dict[str, Any], problems: list[Problem]) -> None:
    given = clean.get("local_number_preferences")
    strategy = given.get("allocation_fallback_strategy") if isinstance(given, dict) else None
    if strategy not in (None, "", *FALLBACKS):
        text = f"“{str(strategy)[:60]}” is not a way out; use {' or '.join(FALLBACKS)}."
        problems.append(("local_number_preferences.allocation_fallback_strategy", "unknown_strategy", text))


def first_size(pool: RingPool) -> int:
    """How many numbers a new pool begins with: all, or a tenth rounded up and at least one."""
    return pool.max_pool_size if pool.fill_immediately else max(1, math.ceil(pool.max_pool_size / 10))


def waits(pool: RingPool) -> bool:
    """Whether it takes what there is and waits for the rest when the stock has too few numbers."""
    return pool.local_number_preferences.get("allocation_fallback_strategy") == WAIT


def wishes(pool: RingPool) -> list[Wanted]:
    """Which numbers of the stock it takes, in this order: as near as asked for first, wider only as far as allowed.

    tn_prefix_whitelist is a rule: nothing else is taken. local_center (tn_prefix, or city and state) is a wish: after its
    city its state, and any place where restrict_search_to_state is off. UseTollFree takes toll-free ones for the rest.
    """
    kind = pool.promo_type
    center, preferences = pool.local_center, pool.local_number_preferences
    codes = tuple(sorted({prefix[:3] for prefix in pool.tn_prefix_whitelist if len(prefix) == 3}))
    found: list[Wanted] = []
    if pool.tn_prefix_whitelist:
        found += [Wanted(kind=kind, area_codes=codes)] if codes else []
    else:
        found += _around(kind, center)
        if not found or preferences.get("restrict_search_to_state", True) is False:
            found.append(Wanted(kind=kind))
    if preferences.get("allocation_fallback_strategy") == USE_TOLL_FREE and kind != PromoType.TOLL_FREE:
        found.append(Wanted(kind=PromoType.TOLL_FREE))
    return found


def _around(kind: str, center: dict[str, Any]) -> list[Wanted]:
    prefix = re.sub(r"\D", "", str(center.get("tn_prefix") or ""))[-10:]
    if len(prefix) >= 3:
        return [Wanted(kind=kind, area_codes=(prefix[:3],))]
    city, state = (str(center.get(name) or "").strip() for name in ("city", "state"))
    found = []
    if city:
        found.append(Wanted(kind=kind, locality=city, region=state))
    if state:
        found.append(Wanted(kind=kind, region=state))
    return found
