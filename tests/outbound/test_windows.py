"""Windows against an independent walk over the clock, minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outbound import actions
from outbound.models import Batch, Recipient, Window
from outbound.schedule import Opening, Schedule, near_full_hour, next_window, spread, start_alternatives

ZONES = [
    "America/New_York", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/St_Johns",
    "Europe/London", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo",
    "Pacific/Honolulu", "Africa/Casablanca", "UTC",
]  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@st.composite
def hours(draw):
    found = {}
    for day in draw(st.sets(st.sampled_from(DAYS), min_size=1)):
        opens = draw(st.integers(0, 95)) * 900
        found[f"{day}_open"] = opens
        found[f"{day}_closed"] = opens + draw(st.integers(1, 96)) * 900
    return found


def allowed(hours, holidays, zones, at):
    """The rule once more, from nothing but the standard library: is every wall clock inside the hours?"""
    for name in zones:
        local = at.astimezone(ZoneInfo(name))
        if local.date().isoformat() in holidays:
            return False
        seconds = (local.hour * 60 + local.minute) * 60 + local.second
        today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        inside = f"{today}_open" in hours and hours[f"{today}_open"] <= seconds < hours[f"{today}_closed"]
        late = f"{yesterday}_open" in hours and seconds + 86400 < hours[f"{yesterday}_closed"]
        if not inside and not late:
            return False
    return True


# Around changes of the clock in both directions, and anywhere.
MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)),
    st.sampled_from([(2026, 3, 8), (2026, 3, 29), (2026, 11, 1), (2026, 10, 25), (2026, 4, 5), (2026, 10, 4)]).flatmap(
        lambda day: st.datetimes(datetime(*day) - timedelta(days=1), datetime(*day) + timedelta(days=2))
    ),
).map(lambda at: at.replace(tzinfo=UTC, second=0, microsecond=0))


@settings(max_examples=120, deadline=None)
@given(hours(), st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=3), MOMENTS,
       st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True))  # fmt: skip
def test_a_window_is_what_a_walk_over_the_clock_finds(hours, holidays, after, zones):
    days = {day.isoformat() for day in holidays}
    window = next_window(Schedule.of(hours, days), zones, after, days=24)
    walked = [after + timedelta(minutes=minute) for minute in range(0, 4 * 24 * 60, 5)]
    first = next((at for at in walked if allowed(hours, days, zones, at)), None)
    if window is None or window.opens > walked[-1]:
        assert first is None
        return
    assert first is not None and window.opens <= first < window.opens + timedelta(minutes=5)
    inside = [at for at in walked if window.opens <= at < window.closes]
    assert all(allowed(hours, days, zones, at) for at in inside)
    assert not allowed(hours, days, zones, window.closes) or window.closes - after > timedelta(days=8)
    assert all(not allowed(hours, days, zones, at) for at in walked if at < window.opens)


def test_a_night_is_an_hour_shorter_or_longer_when_the_clock_changes():
    night = {"saturday_open": 22 * 3600, "saturday_closed": 30 * 3600}
    for day, hours_open in (((2026, 3, 7), 7), ((2026, 10, 31), 9), ((2026, 6, 6), 8)):
        window = next_window(Schedule.of(night, []), ["America/New_York"], datetime(*day, 12, tzinfo=UTC))
        assert window.closes - window.opens == timedelta(hours=hours_open)


def test_all_zones_of_a_number_must_be_inside():
    day = {"monday_open": 8 * 3600, "monday_closed": 21 * 3600}
    window = next_window(
        Schedule.of(day, []), ["America/New_York", "America/Los_Angeles"], datetime(2026, 11, 23, tzinfo=UTC)
    )
    assert window == Opening(datetime(2026, 11, 23, 16, tzinfo=UTC), datetime(2026, 11, 24, 2, tzinfo=UTC))


def test_windows_that_never_open_are_said_to():
    never = Schedule.of({"monday_open": 8 * 3600, "monday_closed": 9 * 3600}, [])
    assert next_window(never, ["America/New_York", "Asia/Kathmandu"], datetime(2026, 11, 23, tzinfo=UTC)) is None
    assert next_window(Schedule.of({}, []), ["UTC"], datetime(2026, 11, 23, tzinfo=UTC)) is None


def test_around_the_clock_is_one_long_window():
    always = Schedule.of({f"{day}_{edge}": at for day in DAYS for edge, at in (("open", 0), ("closed", 86400))}, [])
    at = datetime(2026, 10, 30, 12, tzinfo=UTC)
    window = next_window(always, ["America/Denver", "Europe/Berlin"], at)
    assert window.opens == at and window.closes - at > timedelta(days=14)


def test_an_opening_at_the_full_hour_is_spread_but_never_before_it():
    opening = Opening(datetime(2026, 11, 23, 16, tzinfo=UTC), datetime(2026, 11, 24, 2, tzinfo=UTC))
    before = opening.opens - timedelta(hours=1)
    moved = {spread(opening, batch=batch, zones=1, after=before).opens for batch in range(200)}
    assert min(moved) >= opening.opens + timedelta(minutes=2) and max(moved) < opening.opens + timedelta(minutes=15)
    assert len(moved) > 100
    assert spread(opening, batch=1, zones=1, after=opening.opens) == opening


def test_a_start_near_the_full_hour_has_three_ways_out():
    for minute, near in ((0, True), (5, True), (6, False), (30, False), (54, False), (55, True), (59, True)):
        at = datetime(2026, 11, 23, 16, minute, tzinfo=UTC)
        assert near_full_hour(at) is near
        hour = 17 if minute >= 55 else 16
        expected = [datetime(2026, 11, 23, hour, m, tzinfo=UTC) for m in (15, 30, 45)] if near else []
        assert start_alternatives(at) == expected


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hours=hours(), holidays=st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=2), after=MOMENTS,
       ahead=st.lists(st.integers(0, 4 * 24 * 3600), min_size=6, max_size=6))  # fmt: skip
def test_no_claim_ever_falls_outside_the_callees_window(house, hours, holidays, after, ahead):
    """The whole way: windows computed, kept as rows, compared with the clock in SQL; judged by the walk's rule."""
    names = ["America/New_York", "America/Denver", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca"]
    days = sorted(day.isoformat() for day in holidays)
    people = [
        {"destination": f"+1303555{place:02d}{index:02d}", "time_zone": name}
        for place, name in enumerate(names) for index in range(3)
    ]  # fmt: skip
    batch = house.batch(people, hours=hours, holidays=days, started=False, name="W")
    Batch.objects.filter(pk=batch.pk).update(status="scheduled")
    Batch.objects.filter(pk=batch.pk).update(status="running")
    Recipient.objects.filter(batch=batch).update(due_at=after)
    Window.objects.filter(batch=batch).update(open_from=None, open_until=None, computed_at=None)
    zones = dict(Recipient.objects.filter(batch=batch).values_list("pk", "zones__zones"))
    for seconds in sorted(ahead):
        now = after + timedelta(seconds=seconds)
        actions.windows_keep(now=now)
        for call in actions.calls_claim(worker="w", limit=2, now=now):
            for at in (call.dial_at, call.not_after - timedelta(seconds=1)):
                assert allowed(hours, days, zones[call.recipient], at), (zones[call.recipient], at)
    Batch.objects.filter(pk=batch.pk).update(status="paused")
