"""Callers' numbers: to E.164, and to the key by which regions are found."""

import re
from dataclasses import dataclass

import phonenumbers

# The layouts in which switches send North American numbers; everything else goes to the library (24 µs instead of 1).
_NANP = re.compile(r"^(?:\+?1[ .-]?)?\(?([2-9]\d{2})\)?[ .-]?([2-9]\d{2})[ .-]?(\d{4})$")
# What switches send for a withheld number, as words and as the digits that those words spell.
_WITHHELD = {
    "", "anonymous", "restricted", "unavailable", "private", "unknown", "blocked", "withheld", "no caller id",
    "266696687", "7378742833", "2562533", "8656696", "86282452253", "7748283",
}  # fmt: skip
# Regions that use the North American plan: their national layout is the one above.
_NANP_REGIONS = set(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
KEY_DIGITS = 15


@dataclass(frozen=True)
class Caller:
    """A caller as routing needs him: `e164` and `key` are None when he withheld his number."""

    e164: str | None
    key: int | None
    given: str = ""


class NotANumber(ValueError):
    """The text is neither a phone number nor a known word for a withheld one."""


def number_key(digits: str) -> int:
    """Digits of an E.164 number padded to 15: the order in which a prefix is one range."""
    return int(digits.ljust(KEY_DIGITS, "0")[:KEY_DIGITS])


def prefix_range(prefix: str) -> tuple[int, int]:
    """[from, to) of all numbers that begin with `prefix` (digits after the +)."""
    step = 10 ** (KEY_DIGITS - len(prefix))
    low = int(prefix) * step
    return low, low + step


def e164(raw: str, country: str = "US") -> str:
    """`raw` as +E.164, national layouts read as in `country` (ISO 3166 code). Raises NotANumber.

    Accepts numbers of a possible length; whether one is in service nobody but the network knows.
    """
    text = raw.strip()
    if country in _NANP_REGIONS and (match := _NANP.match(text)):
        return "+1" + "".join(match.groups())
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise NotANumber(text) from error
    if not phonenumbers.is_possible_number(number):
        raise NotANumber(text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def caller_read(raw: str | None, country: str = "US") -> Caller:
    """A caller from what the switch sent. Withheld (None, empty, “anonymous”, ...) gives one without a number.

    Raises NotANumber for anything else that is no number.
    """
    text = (raw or "").strip()
    if text.lower().removeprefix("+") in _WITHHELD:
        return Caller(None, None, text[:64])
    number = e164(text, country)
    return Caller(number, number_key(number[1:]))


def pretty(number: str | None) -> str:
    """A number as people of its country write it; the international form outside North America."""
    if not number:
        return "withheld"
    if number.startswith("+1") and len(number) == 12:
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number
