"""What a batch's fields may hold, with every problem of an input named at once."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.utils import timezone

from campaigns.callers import NotANumber, e164
from campaigns.hours import Problem, hours_clean
from outbound.choices import RETRYABLE, CatchUp, ResultFormat
from outbound.imports.rows import LONGEST_PARAMETERS
from outbound.models import Carrier, DoNotCallList
from outbound.queries.numbers import ani_numbers
from portal.accounts.models import Network

LONGEST_URL = 255
MOST_HOLIDAYS = 400
FIRST_YEAR, END_YEAR = 2000, 2100


def fields_clean(network: Network, values: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The valid part of a batch's fields; what is wrong is added to `problems` as (field, code, message)."""
    clean: dict[str, Any] = {}
    for name, value in values.items():
        check = _CHECKS.get(name)
        if check is None:
            problems.append((name, "unknown_field", f"“{name}” is not a field of a batch."))
            continue
        count = len(problems)
        result = check(network, name, value, problems)
        if len(problems) == count:
            clean |= result if isinstance(result, dict) and name in _WIDE else {name: result}
    return clean


def address_parts(text: str) -> SplitResult:
    """The parts of an address; all are empty where it cannot even be taken apart."""
    try:
        parts = urlsplit(text)
        _ = parts.hostname, parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def schedule_problems(starts_at: datetime | None, expires_at: datetime | None) -> list[Problem]:
    """What is wrong with start and expiry taken together."""
    begin = max(starts_at or timezone.now(), timezone.now())
    if expires_at is not None and expires_at <= begin:
        return [
            (
                "expires_at", "expires_before_start",
                f"It would expire at {expires_at:%Y-%m-%d %H:%M} UTC, before its start at {begin:%Y-%m-%d %H:%M} UTC; choose a later one.",
            )
        ]  # fmt: skip
    return []


def _text(longest: int, required: bool = False) -> Any:
    def check(_network: Network, name: str, value: Any, problems: list[Problem]) -> str:
        text = str(value or "").strip()
        if required and not text:
            problems.append((name, "required", f"Give the batch a {name}."))
        if len(text) > longest:
            problems.append((name, "too_long", f"{len(text)} characters; {longest} at most."))
        return text

    return check


def _number(low: int, high: int, words: str, *, empty: bool = False) -> Any:
    def check(_network: Network, name: str, value: Any, problems: list[Problem]) -> int | None:
        if value is None and empty:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            problems.append((name, "out_of_range", f"{words}: a whole number from {low} to {high}, not {value!r}."))
            return None
        return value

    return check


def _pace(_network: Network, name: str, value: Any, problems: list[Problem]) -> Any:
    if value is None:
        return None
    try:
        pace = round(float(value), 2)
    except (TypeError, ValueError):
        pace = 0.0
    if not 0.01 <= pace <= 10_000:
        problems.append((name, "out_of_range", "Calls per second: 0.01 to 10 000, or empty for no limit of its own."))
    return pace


def _one_of(choices: Any) -> Any:
    def check(_network: Network, name: str, value: Any, problems: list[Problem]) -> Any:
        if value not in choices.values:
            problems.append((name, "unknown_choice", f"“{value}” is none of {', '.join(choices.values)}."))
        return value

    return check


def _moment(_network: Network, name: str, value: Any, problems: list[Problem]) -> datetime | None:
    if value is not None and not (isinstance(value, datetime) and timezone.is_aware(value)):
        problems.append((name, "not_a_moment", f"{name} must be a moment with its time zone, or empty."))
        return None
    # By its year first: at the calendar's ends there is no other zone to convert to.
    if value is not None and not FIRST_YEAR <= value.year < END_YEAR:
        problems.append(
            (
                name,
                "out_of_range",
                f"{name} lies in the year {value.year}; give one from {FIRST_YEAR} to {END_YEAR - 1}.",
            )
        )
        return None
    return value


def _flag(_network: Network, _name: str, value: Any, _problems: list[Problem]) -> bool:
    return bool(value)


def _url(_network: Network, name: str, value: Any, problems: list[Problem]) -> str:
    text = str(value or "").strip()
    if not text:
        return ""
    if len(text) > LONGEST_URL:
        problems.append((name, "too_long", f"The address has {len(text)} characters; {LONGEST_URL} at most."))
    parts = address_parts(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        problems.append(
            (name, "not_an_address", f"“{text[:100]}” is no address; give one such as https://example.com/results.")
        )
    if parts.username or parts.password:
        problems.append((name, "secret_in_address", "A password in the address would stand in logs; leave it out."))
    return text


def _ani(network: Network, name: str, value: Any, problems: list[Problem]) -> dict[str, Any]:
    try:
        number = e164(str(value or ""), network.country)
    except NotANumber:
        problems.append((name, "invalid_phone_number", f"“{str(value)[:64]}” is not a phone number."))
        return {}
    campaign = ani_numbers(network, [number]).get(number)
    if campaign is None:
        problems.append(
            (
                name,
                "foreign_ani",
                f"{number} is not a number of this network, and carriers block such calls; choose one of its promo numbers.",
            )
        )
    return {"ani": number, "campaign_id": campaign}


def _carrier(network: Network, name: str, value: Any, problems: list[Problem]) -> Carrier | None:
    pk = value.pk if isinstance(value, Carrier) else value
    found = Carrier.objects.filter(network=network, pk=pk).first() if isinstance(pk, int) else None
    if found is None:
        problems.append((name, "unknown_carrier", "There is no such carrier in this network."))
    return found


def _mapping(_network: Network, name: str, value: Any, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        problems.append((name, "not_an_object", f"{name} must be names with values."))
        return {}
    return {str(key)[:100]: item for key, item in value.items()}


def _parameters(network: Network, name: str, value: Any, problems: list[Problem]) -> dict[str, Any]:
    """As long as a row's at the most: each of its calls carries them."""
    clean = _mapping(network, name, value, problems)
    length = len(json.dumps(clean, default=str, ensure_ascii=False))
    if length > LONGEST_PARAMETERS:
        problems.append(
            (
                name,
                "too_long",
                f"The parameters have {length:,} characters; {LONGEST_PARAMETERS:,} at most, all together.",
            )
        )
    return clean


def _hours(_network: Network, _name: str, value: Any, problems: list[Problem]) -> dict[str, int]:
    clean = hours_clean(value or {}, problems)
    if not clean:
        problems.append(("hours", "never_open", "No day has hours, so nobody would ever be called; open at least one."))
    return clean


def _holidays(_network: Network, name: str, value: Any, problems: list[Problem]) -> list[str]:
    found = []
    given = list(value or [])
    if len(given) > MOST_HOLIDAYS:
        problems.append(
            (name, "too_many", f"{len(given)} dates; {MOST_HOLIDAYS} at most. Leave out those that are over.")
        )
    for item in given[:MOST_HOLIDAYS]:
        try:
            found.append((item if isinstance(item, date) else date.fromisoformat(str(item))).isoformat())
        except ValueError:
            problems.append((name, "not_a_date", f"“{item}” is no date; write 2026-12-25."))
    return sorted(set(found))


def _retries(_network: Network, name: str, value: Any, problems: list[Problem]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    for outcome, rule in (value or {}).items():
        if outcome not in RETRYABLE:
            problems.append(
                (f"{name}.{outcome}", "unknown_outcome", f"Only {', '.join(RETRYABLE)} can be tried again.")
            )
            continue
        if rule is not None and not isinstance(rule, Mapping):
            problems.append((f"{name}.{outcome}", "not_an_object", "Write {delay: seconds, count: times}."))
            continue
        delay, count = (rule or {}).get("delay"), (rule or {}).get("count")
        if delay is not None and (isinstance(delay, bool) or not isinstance(delay, int) or not 60 <= delay <= 172_800):
            problems.append(
                (f"{name}.{outcome}.delay", "out_of_range", "Seconds to the next try: 60 to 172800 (two days).")
            )
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 9):
            problems.append((f"{name}.{outcome}.count", "out_of_range", "Tries again after this outcome: 0 to 9."))
        clean[outcome] = {key: item for key, item in (("delay", delay), ("count", count)) if item is not None}
    return clean


def _lists(network: Network, name: str, value: Any, problems: list[Problem]) -> list[DoNotCallList]:
    wanted = [item if isinstance(item, int) else item.pk for item in value or []]
    found = list(DoNotCallList.objects.filter(network=network, pk__in=wanted))
    if len(found) != len(set(wanted)):
        problems.append((name, "unknown_list", "One of these do-not-call lists does not exist in this network."))
    return found


# Checks that yield more than their own field.
_WIDE = {"ani"}
_CHECKS: dict[str, Any] = {
    "name": _text(200, required=True),
    "ani": _ani,
    "carrier": _carrier,
    "priority": _number(1, 10, "Priority"),
    "start_url": _url,
    "result_url": _url,
    "result_format": _one_of(ResultFormat),
    "result_each_attempt": _flag,
    "message_reference": _text(255),
    "parameters": _parameters,
    "extra": _mapping,
    "starts_at": _moment,
    "expires_at": _moment,
    "hours": _hours,
    "holidays": _holidays,
    "catch_up": _one_of(CatchUp),
    "calls_per_second": _pace,
    "lines": _number(1, 100_000, "Lines", empty=True),
    "max_attempts": _number(1, 10, "Attempts"),
    "retry_interval": _number(60, 172_800, "Seconds to the next attempt"),
    "retries": _retries,
    "do_not_call_lists": _lists,
}
# What may be changed until a batch is finished; the rest only before it starts.
CHANGEABLE_LIVE = {
    "name", "priority", "expires_at", "hours", "holidays", "catch_up", "calls_per_second", "lines", "max_attempts",
    "retry_interval", "retries", "result_each_attempt", "message_reference", "do_not_call_lists", "extra",
}  # fmt: skip
