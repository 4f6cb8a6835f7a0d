"""The older interfaces' words: one call with their field names, and times as words (domain facts: docs/api.md)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.utils.dateparse import parse_datetime

from outbound.choices import ResultFormat
from outbound.imports.reader import dial_string
from portal.api.body import Unreadable, read_json
from portal.errors import Invalid

LONGEST_PHONE = 128
MOST_RETRIES = 10
# What once signed a request in, or is asked for in a call: read by nobody here, kept nowhere, never given back.
DROPPED = frozenset({"login", "pin", "password", "oauth_token", "username"})
_UNITS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_STEP = re.compile(r"([+-]?\d{1,6})\s*(second|sec|minute|min|hour|day|week)s?\b", re.IGNORECASE)

Problem = tuple[str | None, str, str]
# Field of a batch -> the names under which it may come, the clearest first.
NAMES: dict[str, tuple[str, ...]] = {
    "starts_at": ("start_timestamp", "scheduled_timestamp", "scheduled_time"),
    "expires_at": ("end_timestamp", "expiration_timestamp", "expiration_time"),
    "max_attempts": ("max_attempts", "max_retries", "max_retry"),
    "retry_interval": ("reattempt_wait", "retry_interval"),
}
PLAIN = ("start_url", "result_url", "message_reference")
OWN = ("ani", "name", "campaign_name", "carrier", "result_format", "is_pci", "time_zone")
KNOWN = frozenset(
    {"phone_number", "csv", "call_parameters", "campaign_parameters", *PLAIN, *OWN, *DROPPED}
    | {name for names in NAMES.values() for name in names}
)


@dataclass
class Order:
    """What was asked for. `batch`: fields of a batch; `calls`: its people; `csv`: a list instead; `named`: which name was used."""

    batch: dict[str, Any]
    number: str = ""
    call: dict[str, Any] = field(default_factory=dict)
    csv: str = ""
    named: dict[str, str] = field(default_factory=dict)


def moment_read(text: str, now: datetime) -> datetime | None:
    """A time as the older interfaces write it: seconds since 1970, ISO 8601, or words (“now”, “+3 days”). None = now or never.

    Raises ValueError.
    """
    text = text.strip()
    if text.lower() in ("", "0", "now", "never"):
        return None
    if text.lower() == "tomorrow":
        return now + timedelta(days=1)
    if text.isascii() and text.isdigit():
        seconds = int(text)
        if not 1_000_000_000 <= seconds < 4_102_444_800:
            raise ValueError(text)
        return datetime.fromtimestamp(seconds, UTC)
    steps = _STEP.findall(text)
    if steps and not _STEP.sub("", text).strip(" ,+"):
        return now + timedelta(seconds=sum(int(count) * _UNITS[unit.lower()] for count, unit in steps))
    at = parse_datetime(text)
    if at is None:
        raise ValueError(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def parameters_read(value: Any) -> dict[str, Any]:
    """Call parameters: an object, its JSON, or a=1&b=2. Raises ValueError, also for what no column could hold."""
    if value in (None, ""):
        return {}
    if isinstance(value, str):
        text = value.strip()
        try:
            # Read as strictly as a body is: what stands in a text escaped nobody has looked at yet.
            as_json = text if text.startswith("{") else json.dumps(dict(parse_qsl(text, strict_parsing=True)))
            value = read_json(as_json.encode("utf-8", "surrogatepass"))
        except Unreadable as error:
            raise ValueError(str(error)) from error
    if not isinstance(value, Mapping):
        raise ValueError("no object")
    return {str(name): item for name, item in value.items()}


def order_read(data: Mapping[str, Any], *, now: datetime, form: bool) -> Order:
    """Read one request. Raises Invalid with every problem, each under the name that was sent."""
    problems: list[Problem] = [
        (name, "unknown_field", f"“{name[:60]}” is not a field here.") for name in sorted(set(data) - KNOWN)[:20]
    ]
    order = Order({name: data[name] for name in PLAIN if data.get(name) not in (None, "")})
    _numbers(data, order, problems)
    _times(data, order, now, problems)
    _retries(data, order, problems)
    for name in ("call_parameters", "campaign_parameters"):
        try:
            order.batch.setdefault("parameters", {}).update(parameters_read(data.get(name)))
        except ValueError:
            problems.append((name, "invalid", f"{name} is a JSON object, or pairs such as a=1&b=2."))
    chosen = data.get("result_format")
    rest = any(name in data for name in ("reattempt_wait", "start_timestamp", "end_timestamp", "is_pci"))
    order.batch["result_format"] = chosen or (
        ResultFormat.CALL_DETAILS if rest else ResultFormat.FORM if form else ResultFormat.JSON
    )
    order.batch["extra"] = {"single": not order.csv, "is_pci": _true(data.get("is_pci"))}
    if problems:
        raise Invalid.of(problems)
    return order


def _true(value: Any) -> bool:
    return value is True or str(value).lower() in ("1", "true", "yes", "on")


def _numbers(data: Mapping[str, Any], order: Order, problems: list[Problem]) -> None:
    given = str(data.get("phone_number") or "")
    order.csv = str(data.get("csv") or "")
    if bool(given.strip()) == bool(order.csv.strip()):
        problems.append(("phone_number", "required", "Give phone_number for one call, or csv for a list; one of them."))
    if len(given) > LONGEST_PHONE:
        problems.append(("phone_number", "too_long", f"{len(given)} characters; {LONGEST_PHONE} at most."))
        return
    number, options = dial_string(given)
    ani = str(data.get("ani") or options.pop("ani", "") or "")
    order.number = number
    order.call = {
        "destination": number,
        **({"time_zone": data["time_zone"]} if data.get("time_zone") else {}),
        **options,
    }
    order.batch["ani"] = ani
    if not ani:
        problems.append(("ani", "required", "Say with which of your numbers to call: ani, or tel:...;ani=... ."))
    name = data.get("campaign_name") or data.get("name")
    order.batch["name"] = str(name or f"Call to {number[:40]}")
    if data.get("carrier") not in (None, ""):
        text = str(data["carrier"])
        if text.isascii() and text.isdigit() and len(text) < 19:
            order.batch["carrier"] = int(text)
        else:
            problems.append(("carrier", "invalid", "carrier is the number of a carrier."))


def _given(data: Mapping[str, Any], order: Order, what: str) -> tuple[str, str]:
    """(the name used, its text) of a batch's field; the first name that holds something counts."""
    for name in NAMES[what]:
        if data.get(name) not in (None, ""):
            order.named[what] = name
            return name, str(data[name])
    return NAMES[what][0], ""


def _times(data: Mapping[str, Any], order: Order, now: datetime, problems: list[Problem]) -> None:
    for what in ("starts_at", "expires_at"):
        name, text = _given(data, order, what)
        try:
            at = moment_read(text, now)
        except (ValueError, OverflowError, OSError):
            problems.append(
                (
                    name,
                    "not_a_moment",
                    f"“{text[:60]}” is no time; write seconds since 1970, now, +3 days, or ISO 8601.",
                )
            )
            continue
        if what == "starts_at" and at is not None and at <= now:
            at = None
        order.batch[what] = at


def _retries(data: Mapping[str, Any], order: Order, problems: list[Problem]) -> None:
    def whole(name: str, text: str, low: int, high: int) -> int | None:
        if not (text.isascii() and text.isdigit() and low <= int(text[:9]) <= high):
            problems.append(
                (name, "out_of_range", f"{name} is a whole number from {low} to {high}, not “{text[:20]}”.")
            )
            return None
        return int(text)

    name, text = _given(data, order, "max_attempts")
    if text:
        older = name != "max_attempts"
        count = whole(name, text, 0 if older else 1, MOST_RETRIES)
        if count is not None:
            # Ten attempts are the most that anybody is called, however the older interface counts.
            order.batch["max_attempts"] = min(count + 1, 10) if older else count
    wait, text = _given(data, order, "retry_interval")
    if text:
        seconds = whole(wait, text, 60, 86_400 if wait == "reattempt_wait" else 172_800)
        if seconds is not None:
            order.batch["retry_interval"] = seconds
    elif name == "max_attempts" and order.batch.get("max_attempts", 1) > 1:
        problems.append(
            ("reattempt_wait", "required", "Give reattempt_wait (60 to 86400 seconds) with max_attempts over 1.")
        )
