"""Opening hours: from the API's flat seconds-past-midnight fields to the open seconds of a week, and back to words."""

from collections.abc import Mapping
from typing import Any

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = 86_400
WEEK = 7 * DAY

Problem = tuple[str | None, str, str]


def clock(seconds: int) -> str:
    """`hh:mm` of seconds past midnight; past 24:00 it names the next day."""
    hours, rest = divmod(seconds, 3600)
    late = " next day" if hours >= 24 else ""
    return f"{hours % 24:02d}:{rest // 60:02d}{late}"


def hours_clean(hours: Mapping[str, Any], problems: list[Problem]) -> dict[str, int]:
    """The valid part of `hours` ({monday_open: 28800, monday_closed: 64800, ...}, seconds past local midnight).

    A day without both fields is closed. Overnight: `_closed` counts on past 86400 (22:00 to 06:00 = 79200 to 108000),
    at most 24 hours after `_open`. What is wrong is added to `problems` as (field, code, message).
    """
    clean: dict[str, int] = {}
    known = {f"{day}_{edge}" for day in DAYS for edge in ("open", "closed")}
    for name in hours:
        if name not in known:
            problems.append(
                (
                    f"hours.{name}",
                    "unknown_field",
                    f"“{name}” is not an hours field; use e.g. monday_open, monday_closed.",
                )
            )
    for day in DAYS:
        opens, closes = hours.get(f"{day}_open"), hours.get(f"{day}_closed")
        if opens is None and closes is None:
            continue
        if opens is None or closes is None:
            missing = f"{day}_open" if opens is None else f"{day}_closed"
            problems.append(
                (f"hours.{missing}", "required", f"{day.title()} has one of its two times; give {missing} too.")
            )
            continue
        if any(isinstance(value, bool) or not isinstance(value, int) for value in (opens, closes)):
            problems.append(
                (
                    f"hours.{day}_open",
                    "not_whole_seconds",
                    f"{day.title()}: give whole seconds past midnight, such as 28800 for 08:00.",
                )
            )
            continue
        if not 0 <= opens < DAY:
            problems.append(
                (f"hours.{day}_open", "out_of_range", f"{day.title()} opens at {opens} s; it must be 0 to {DAY - 1}.")
            )
            continue
        if closes <= opens:
            way_out = (
                f"for overnight hours add {DAY}: {day}_closed = {closes + DAY}"
                if 0 <= closes
                else "it must come after the opening"
            )
            problems.append(
                (
                    f"hours.{day}_closed",
                    "closes_before_opening",
                    f"{day.title()} closes at {closes} s ({clock(max(closes, 0))}), not after it opens at {opens} s ({clock(opens)}); {way_out}.",
                )
            )
            continue
        if closes > opens + DAY:
            problems.append(
                (
                    f"hours.{day}_closed",
                    "out_of_range",
                    f"{day.title()} stays open for more than 24 hours; {day}_closed may be {opens + DAY} at most.",
                )
            )
            continue
        clean[f"{day}_open"], clean[f"{day}_closed"] = opens, closes
    return clean


def hours_compile(hours: Mapping[str, int]) -> list[tuple[int, int]]:
    """The open spans of the week in seconds since Monday 00:00, [from, to); Sunday night wraps into Monday."""
    spans: list[tuple[int, int]] = []
    for index, day in enumerate(DAYS):
        if f"{day}_open" not in hours:
            continue
        start, end = index * DAY + hours[f"{day}_open"], index * DAY + hours[f"{day}_closed"]
        if end > WEEK:
            spans += [(start, WEEK), (0, end - WEEK)]
        else:
            spans.append((start, end))
    return sorted(spans)


def hours_in_words(hours: Mapping[str, int]) -> list[tuple[str, str]]:
    """[(Monday, "08:00-18:00"), ...] for pages; days without hours read “closed”."""
    return [
        (
            day.title(),
            f"{clock(hours[f'{day}_open'])}–{clock(hours[f'{day}_closed'])}" if f"{day}_open" in hours else "closed",
        )
        for day in DAYS
    ]
