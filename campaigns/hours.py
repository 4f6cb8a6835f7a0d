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


def _day_problem(day: str, opens: Any, closes: Any) -> Problem | None:
    """What is wrong with one day's two times; None if nothing is."""
    name, open_field, closed_field = day.title(), f"{day}_open", f"{day}_closed"
    if opens is None or closes is None:
        missing = open_field if opens is None else closed_field
        return (f"hours.{missing}", "required", f"{name} has one of its two times; give {missing} too.")
    if any(isinstance(value, bool) or not isinstance(value, int) for value in (opens, closes)):
        text = f"{name}: give whole seconds past midnight, such as 28800 for 08:00."
        return (f"hours.{open_field}", "not_whole_seconds", text)
    if not 0 <= opens < DAY:
        text = f"{name} opens at {opens} s; it must be 0 to {DAY - 1}."
        return (f"hours.{open_field}", "out_of_range", text)
    if closes <= opens:
        way_out = "it must come after the opening"
        if closes >= 0:
            way_out = f"for overnight hours add {DAY}: {closed_field} = {closes + DAY}"
        times = f"closes at {closes} s ({clock(max(closes, 0))}), not after it opens at {opens} s ({clock(opens)})"
        return (f"hours.{closed_field}", "closes_before_opening", f"{name} {times}; {way_out}.")
    if closes > opens + DAY:
        text = f"{name} stays open for more than 24 hours; {closed_field} may be {opens + DAY} at most."
        return (f"hours.{closed_field}", "out_of_range", text)
    return None


def hours_clean(hours: Mapping[str, Any], problems: list[Problem]) -> dict[str, int]:
    """The valid part of `hours` ({monday_open: 28800, monday_closed: 64800, ...}, seconds past local midnight).

    A day without both fields is closed. Overnight: `_closed` counts on past 86400 (22:00 to 06:00 = 79200 to 108000),
    at most 24 hours after `_open`. What is wrong is added to `problems` as (field, code, message).
    """
    clean: dict[str, int] = {}
    known = {f"{day}_{edge}" for day in DAYS for edge in ("open", "closed")}
    for name in hours:
        if name not in known:
            text = f"“{name}” is not an hours field; use e.g. monday_open, monday_closed."
            problems.append((f"hours.{name}", "unknown_field", text))
    for day in DAYS:
        opens: Any = hours.get(f"{day}_open")
        closes: Any = hours.get(f"{day}_closed")
        if opens is None and closes is None:
            continue
        if problem := _day_problem(day, opens, closes):
            problems.append(problem)
        else:
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
