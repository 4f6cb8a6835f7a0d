"""Opening hours as data: what is accepted, what is refused and why, and the open seconds of the week."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.hours import DAY, DAYS, WEEK, clock, hours_clean, hours_compile, hours_in_words

spans_of_days = st.dictionaries(
    st.sampled_from(DAYS), st.tuples(st.integers(0, DAY - 1), st.integers(1, DAY)), max_size=7
)


def as_fields(days):
    return {
        f"{day}_{edge}": seconds
        for day, (opens, length) in days.items()
        for edge, seconds in (("open", opens), ("closed", opens + length))
    }


@given(spans_of_days)
def test_whatever_is_clean_stays_as_it_is(days):
    problems = []
    assert hours_clean(as_fields(days), problems) == as_fields(days)
    assert problems == []


@given(spans_of_days, st.integers(0, WEEK - 1))
def test_a_second_is_open_exactly_if_a_day_says_so(days, second):
    spans = hours_compile(as_fields(days))
    assert all(0 <= low < high <= WEEK for low, high in spans)
    day, past = divmod(second, DAY)
    today, yesterday = days.get(DAYS[day]), days.get(DAYS[day - 1])
    expected = bool(today and today[0] <= past < sum(today)) or bool(yesterday and past < sum(yesterday) - DAY)
    assert any(low <= second < high for low, high in spans) == expected


@given(spans_of_days)
def test_open_time_is_neither_lost_nor_made(days):
    assert sum(high - low for low, high in hours_compile(as_fields(days))) == sum(length for _, length in days.values())


def test_sunday_night_goes_on_into_monday():
    assert hours_compile({"sunday_open": 79200, "sunday_closed": 108000}) == [(0, 21600), (6 * DAY + 79200, WEEK)]


@pytest.mark.parametrize(
    ("hours", "field", "code", "words"),
    [
        ({"monday_open": 28800}, "hours.monday_closed", "required", "monday_closed"),
        ({"monday_closed": 28800}, "hours.monday_open", "required", "monday_open"),
        (
            {"monday_open": 64800, "monday_closed": 28800},
            "hours.monday_closed",
            "closes_before_opening",
            "monday_closed = 115200",
        ),
        (
            {"monday_open": 28800, "monday_closed": 28800},
            "hours.monday_closed",
            "closes_before_opening",
            "not after it opens",
        ),
        (
            {"monday_open": 28800, "monday_closed": -5},
            "hours.monday_closed",
            "closes_before_opening",
            "after the opening",
        ),
        ({"monday_open": -1, "monday_closed": 5}, "hours.monday_open", "out_of_range", "must be 0 to"),
        ({"monday_open": DAY, "monday_closed": DAY + 5}, "hours.monday_open", "out_of_range", "must be 0 to"),
        ({"monday_open": 0, "monday_closed": DAY + 1}, "hours.monday_closed", "out_of_range", "more than 24 hours"),
        ({"monday_open": "8", "monday_closed": 5}, "hours.monday_open", "not_whole_seconds", "whole seconds"),
        ({"monday_open": 8.5, "monday_closed": 50}, "hours.monday_open", "not_whole_seconds", "whole seconds"),
        ({"monday_open": True, "monday_closed": 50}, "hours.monday_open", "not_whole_seconds", "whole seconds"),
        ({"mon_open": 0}, "hours.mon_open", "unknown_field", "monday_open"),
    ],
)
def test_what_is_wrong_is_named_with_its_field_and_the_way_out(hours, field, code, words):
    problems = []
    assert hours_clean(hours, problems) == {}
    ((found_field, found_code, message),) = problems
    assert (found_field, found_code) == (field, code)
    assert words in message


def test_one_bad_day_leaves_the_others():
    problems = []
    clean = hours_clean({"monday_open": 5, "tuesday_open": 0, "tuesday_closed": 60}, problems)
    assert clean == {"tuesday_open": 0, "tuesday_closed": 60} and len(problems) == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "00:00"), (28800, "08:00"), (86340, "23:59"), (86400, "00:00 next day"), (108000, "06:00 next day")],
)
def test_the_clock_in_words(seconds, words):
    assert clock(seconds) == words


def test_a_week_in_words():
    words = dict(
        hours_in_words({"monday_open": 28800, "monday_closed": 64800, "friday_open": 79200, "friday_closed": 108000})
    )
    assert (
        words["Monday"] == "08:00–18:00" and words["Friday"] == "22:00–06:00 next day" and words["Sunday"] == "closed"
    )
    assert list(words) == [day.title() for day in DAYS]
