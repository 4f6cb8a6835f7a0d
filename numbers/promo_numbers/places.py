"""Which number is wished for, from what the API's fields say: local_center, tn_prefix_whitelist, promo_number_looks_like."""

import re
from dataclasses import replace
from typing import Any

from campaigns.regions import STATES
from promo_numbers.choices import PromoType
from promo_numbers.suppliers import Wanted

Problem = tuple[str | None, str, str]

MAX_PREFIXES = 100
_PREFIX = re.compile(r"^\+?1?([2-9]\d{2}\d{0,7})$")
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_CODES = set(STATES.values())

# First three digits of US ZIP codes: (from, to, state). The stock knows states, not streets.
_ZIPS = (
    (5, 5, "NY"), (6, 9, "PR"), (10, 27, "MA"), (28, 29, "RI"), (30, 38, "NH"), (39, 49, "ME"), (50, 54, "VT"),
    (55, 55, "MA"), (56, 59, "VT"), (60, 69, "CT"), (70, 89, "NJ"), (100, 149, "NY"), (150, 196, "PA"), (197, 199, "DE"),
    (200, 200, "DC"), (201, 201, "VA"), (202, 205, "DC"), (206, 219, "MD"), (220, 246, "VA"), (247, 268, "WV"),
    (270, 289, "NC"), (290, 299, "SC"), (300, 319, "GA"), (320, 349, "FL"), (350, 369, "AL"), (370, 385, "TN"),
    (386, 397, "MS"), (398, 399, "GA"), (400, 427, "KY"), (430, 459, "OH"), (460, 479, "IN"), (480, 499, "MI"),
    (500, 528, "IA"), (530, 549, "WI"), (550, 567, "MN"), (570, 577, "SD"), (580, 588, "ND"), (590, 599, "MT"),
    (600, 629, "IL"), (630, 658, "MO"), (660, 679, "KS"), (680, 693, "NE"), (700, 714, "LA"), (716, 729, "AR"),
    (730, 732, "OK"), (733, 733, "TX"), (734, 749, "OK"), (750, 799, "TX"), (800, 816, "CO"), (820, 831, "WY"),
    (832, 838, "ID"), (840, 847, "UT"), (850, 865, "AZ"), (870, 884, "NM"), (885, 885, "TX"), (889, 898, "NV"),
    (900, 961, "CA"), (967, 968, "HI"), (970, 979, "OR"), (980, 994, "WA"), (995, 999, "AK"),
)  # fmt: skip


def state_of_zip(code: str) -> str:
    """The state of a US ZIP code; empty for one that is not in use."""
    three = int(code[:3])
    return next((state for low, high, state in _ZIPS if low <= three <= high), "")


def wishes_of(given: dict[str, Any], kind: str, problems: list[Problem]) -> list[Wanted]:
    """What to look for, in this order; what is wrong is added to `problems`.

    given: local_center, local_number_preferences, tn_prefix_whitelist, promo_number_looks_like, each absent or null where it
    does not matter. local_center is a wish: after its exchange the area code, after its city the state, and any place at all
    only where restrict_search_to_state is off. The whitelist and the look are rules.
    """
    kind = kind if kind in PromoType.values else str(PromoType.LOCAL)
    preferences = given.get("local_number_preferences") or {}
    found = _around(given.get("local_center") or {}, kind, problems)
    if not found or preferences.get("restrict_search_to_state", True) is False:
        found.append(Wanted(kind=kind))
    if allowed := _whitelist(given.get("tn_prefix_whitelist") or [], problems):
        # The whitelist is a rule: of a wish for a place in which it forbids every number nothing is left.
        found = [narrowed for wish in found if (narrowed := _narrow(wish, allowed))] or [
            Wanted(kind=kind, prefixes=allowed)
        ]
    looks = _looks(given.get("promo_number_looks_like"), problems)
    if not looks:
        return found
    return [
        replace(wish, **look) for look in looks for wish in found if not (look.get("prefixes") and wish.prefixes)
    ] or [replace(wish, **look) for look in looks for wish in [Wanted(kind=kind)]]


def _narrow(wish: Wanted, allowed: tuple[str, ...]) -> Wanted | None:
    if wish.area_codes:
        kept = tuple(prefix for prefix in allowed if prefix[:3] in wish.area_codes)
        return replace(wish, prefixes=kept) if kept else None
    if wish.prefixes:
        kept = tuple(one for one in wish.prefixes if one.startswith(allowed))
        return replace(wish, prefixes=kept) if kept else None
    return replace(wish, prefixes=allowed)


def _around(center: dict[str, Any], kind: str, problems: list[Problem]) -> list[Wanted]:
    def text(name: str) -> str:
        value = center.get(name)
        return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""

    if raw := text("tn_prefix"):
        match = _PREFIX.match(re.sub(r"[\s().-]", "", raw))
        if match is None:
            problems.append(
                ("local_center.tn_prefix", "invalid_prefix", f"“{raw[:20]}” is not the beginning of a number; give 805 or 805555.")
            )  # fmt: skip
            return []
        prefix = match.group(1)
        near = [Wanted(kind=kind, prefixes=(prefix,))] if len(prefix) > 3 else []
        return [*near, Wanted(kind=kind, area_codes=(prefix[:3],))]
    if raw := text("zipcode"):
        state = state_of_zip(raw.rjust(5, "0")) if re.fullmatch(r"\d{4,5}(-\d{4})?", raw) else ""
        if not state:
            problems.append(
                ("local_center.zipcode", "invalid_zipcode", f"“{raw[:20]}” is not a ZIP code; give five digits.")
            )
            return []
        return [Wanted(kind=kind, postal_code=raw[:5].rjust(5, "0"), region=state)]
    city, state = text("city"), text("state")
    code = STATES.get(state.title(), state.upper())
    if state and code not in _CODES:
        problems.append(("local_center.state", "unknown_state", f"“{state[:40]}” is not a state; write it like CA."))
        return []
    near = [Wanted(kind=kind, locality=city[:100], region=code)] if city else []
    return [*near, Wanted(kind=kind, region=code)] if code else near


def _whitelist(given: list[Any], problems: list[Problem]) -> tuple[str, ...]:
    found = set()
    for item in given:
        plain = isinstance(item, str | int) and not isinstance(item, bool)
        match = _PREFIX.match(str(item).strip()) if plain else None
        if match is None:
            problems.append(
                ("tn_prefix_whitelist", "invalid_prefix",
                 "Prefixes are a list of area codes, or of the first digits of numbers, such as [“805”, “805555”].")
            )  # fmt: skip
            return ()
        found.add(match.group(1))
    if len(found) > MAX_PREFIXES:
        problems.append(
            ("tn_prefix_whitelist", "too_many", f"{len(found)} prefixes; give at most {MAX_PREFIXES}.")
        )  # fmt: skip
    return tuple(sorted(found))


def _looks(given: Any, problems: list[Problem]) -> list[dict[str, Any]]:
    """How it should look, best first. A whole number means one like it: of its exchange, or else of its area code. Anything
    less is contained somewhere; `*`, `#`, `?` or x stand for any digit, letters for their keys."""
    raw = str(given or "").strip()
    if not raw:
        return []
    plain = re.sub(r"[\s().+-]", "", raw).upper()
    if not re.search(r"[A-WYZ]", plain):
        plain = plain.replace("X", "*")
    plain = plain.replace("#", "*").replace("?", "*").translate(_KEYPAD)
    if len(plain) == 11 and plain.startswith("1"):
        plain = plain[1:]
    if not re.fullmatch(r"[0-9*]{1,10}", plain) or not re.search(r"\d", plain):
        problems.append(
            ("promo_number_looks_like", "invalid_pattern",
             f"“{raw[:20]}” does not look like a number: give up to ten digits, * for any, such as 805-555-****.")
        )  # fmt: skip
        return []
    if re.fullmatch(r"[2-9]\d{9}", plain):
        return [{"looks_like": plain}, {"prefixes": (plain[:6],)}, {"area_codes": (plain[:3],)}]
    # Ten places say where in the number the digits stand; fewer may stand anywhere.
    begins = re.fullmatch(r"([2-9]\d{2,9})\**", plain)
    return [{"prefixes": (begins.group(1),)}] if begins and len(plain) == 10 else [{"looks_like": plain}]
