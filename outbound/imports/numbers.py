"""Numbers of a list to E.164, with the zones that they may stand for: a million in seconds.

North American numbers are checked against the library's patterns once per six digits (area code and exchange) and
remembered; a test holds that this agrees with asking the library every time. Everything else goes to the library each
time (24 µs instead of 1).
"""

import re
from array import array
from collections.abc import Callable
from functools import cache

import phonenumbers
from phonenumbers import timezone as zone_data

from outbound.choices import Refusal

NANP = re.compile(r"^(?:\+?1[ .-]?)?\(?([2-9]\d\d)\)?[ .-]?([2-9]\d\d)[ .-]?(\d{4})$", re.ASCII).match
_NANP_REGIONS = set(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
# Islands' patterns look past the sixth digit: their numbers are asked for one by one.
_ISLAND = re.compile(
    "|".join(
        metadata.leading_digits
        for region in sorted(_NANP_REGIONS)
        if (metadata := phonenumbers.PhoneMetadata.metadata_for_region(region)) and metadata.leading_digits
    )
).match
# What the mainland's patterns take, of any kind, and those that stand for a place: the library's own patterns, asked in one go.
_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan", "voicemail",
)  # fmt: skip


def _patterns(*kinds: str) -> re.Pattern[str]:
    found = []
    for region in ("US", "CA"):
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        found += [desc.national_number_pattern for kind in kinds if (desc := getattr(metadata, kind, None))]
    return re.compile("|".join(f"(?:{pattern})" for pattern in found if pattern))


_VALID, _PLACE = _patterns(*_KINDS).fullmatch, _patterns("fixed_line", "mobile").fullmatch
_UNASKED, _REFUSED, _EACH = -1, -2, -3
UNKNOWN_ZONE = ("Etc/Unknown",)


class Refused(ValueError):
    """A row that cannot be taken; `reason` is of `choices.Refusal`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NumberReader:
    """Reads numbers of one network. `zones_id` gives the id of a set of zones; 0 stands for unknown ones."""

    def __init__(self, country: str, zones_id: Callable[[tuple[str, ...]], int]) -> None:
        self._country = country
        # A country has hundreds of exchanges and a handful of zone sets.
        self._zones_id = cache(zones_id)
        self._national = country in _NANP_REGIONS
        # By the six digits after +1: a zone set's id, or one of the three marks. Two megabytes, whatever the list.
        self._prefixes = array("i", [_UNASKED]) * 1_000_000

    def read(self, text: str) -> tuple[str, int]:
        """(E.164, id of its zones or 0). Raises Refused for what is no number or cannot be one."""
        match = NANP(text)
        if match is not None and (self._national or text[0] == "+" or (len(text) > 10 and text[0] == "1")):
            area, exchange, line = match.groups()
            prefix = int(area + exchange)
            known = self._prefixes[prefix]
            if known == _UNASKED:
                known = self._ask(prefix, area + exchange + line)
            if known >= 0:
                return f"+1{area}{exchange}{line}", known
            if known == _REFUSED:
                raise Refused(Refusal.INVALID_NUMBER)
        return self._slow(text)

    def _ask(self, prefix: int, national: str) -> int:
        if _ISLAND(national):
            answer = _EACH
        elif not _VALID(national):
            answer = _REFUSED
        else:
            number = phonenumbers.PhoneNumber(country_code=1, national_number=int(national))
            ask = zone_data.time_zones_for_geographical_number if _PLACE(national) else zone_data.time_zones_for_number
            answer = self._zones_named(ask(number))
        self._prefixes[prefix] = answer
        return answer

    def _zones_of(self, number: phonenumbers.PhoneNumber) -> int:
        return self._zones_named(zone_data.time_zones_for_number(number))

    def _zones_named(self, names: tuple[str, ...]) -> int:
        zones = tuple(sorted(names))
        return 0 if not zones or zones == UNKNOWN_ZONE else self._zones_id(zones)

    def _slow(self, text: str) -> tuple[str, int]:
        try:
            number = phonenumbers.parse(text, self._country)
        except phonenumbers.NumberParseException as error:
            raise Refused(Refusal.NOT_A_NUMBER) from error
        if not phonenumbers.is_valid_number(number):
            raise Refused(Refusal.INVALID_NUMBER)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), self._zones_of(number)
