"""Opening hours and periods on the nights that the clocks change, against an independent computation in Python.

What is independent: Python walks the clock minute by minute (or halves over it) with `zoneinfo`, and never does
arithmetic on wall-clock times.
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns import actions
from campaigns.choices import ResetPeriod
from campaigns.hours import DAY, DAYS, hours_compile
from campaigns.models import CallLeg, DestinationState
from tests.factories import bundle_of, cap, destinations

# Nights that differ: an hour at 02:00, at 01:00, over midnight (a day that begins at 01:00, a midnight that comes
# twice), half an hour; and one zone that never changes.
NIGHTS = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/Denver": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/London": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),
    "Asia/Beirut": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "America/Phoenix": (date(2026, 3, 8), date(2026, 11, 1)),
}
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
pytestmark = pytest.mark.django_db

zones_and_nights = st.sampled_from([(zone, night) for zone, nights in NIGHTS.items() for night in nights])
minutes_around = st.integers(-3 * 1440, 3 * 1440)


def sql(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()


def as_multirange(spans):
    return "{" + ",".join(f"[{low},{high})" for low, high in spans) + "}"


def local(year, month, day, hour, minute, zone, fold=0):
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def is_open(spans, zone, at):
    """The wall clock of `zone` at `at`, read off and looked up in the week."""
    wall = at.astimezone(ZoneInfo(zone))
    second = wall.weekday() * DAY + wall.hour * 3600 + wall.minute * 60 + wall.second
    return any(low <= second < high for low, high in spans)


def opens_after(spans, zone, at):
    """Walk minute by minute until it is open."""
    for minute in range(1, 9 * 1440):
        if is_open(spans, zone, at + timedelta(minutes=minute)):
            return at + timedelta(minutes=minute)
    return None


def day_begins(day, zone):
    """Halve over the instants: the first one whose local date is `day` or later."""
    low = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    high = low + timedelta(days=4)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        if middle.astimezone(ZoneInfo(zone)).date() >= day:
            high = middle
        else:
            low = middle
    return high


def period_days(reset_period, starts_at, today):
    """First day of the period that holds `today` and of the next one, by walking from period to period."""
    index, first = 0, starts_at
    while True:
        index += 1
        if reset_period == "Daily":
            following = starts_at + timedelta(days=index)
        elif reset_period == "Weekly":
            following = starts_at + timedelta(days=7 * index)
        else:
            months = starts_at.month - 1 + index * (3 if reset_period == "Quarterly" else 1)
            year, month = starts_at.year + months // 12, months % 12 + 1
            following = date(year, month, min(starts_at.day, calendar.monthrange(year, month)[1]))
        if following > today:
            return first, following
        first = following


week_hours = st.dictionaries(
    st.sampled_from(DAYS), st.tuples(st.integers(0, 1439), st.integers(1, 1440)), min_size=1, max_size=7
).map(
    lambda days: hours_compile(
        {
            f"{day}_{edge}": seconds
            for day, (opens, length) in days.items()
            for edge, seconds in (("open", opens * 60), ("closed", (opens + length) * 60))
        }
    )
)


@EXAMPLES
@given(zones_and_nights, minutes_around, week_hours)
def test_hours_and_the_next_opening_agree_with_a_walk_over_the_clock(zone_and_night, minute, spans):
    zone, night = zone_and_night
    at = datetime(night.year, night.month, night.day, 5, tzinfo=UTC) + timedelta(minutes=minute)
    open_now, opening = sql(
        "SELECT h @> campaigns_week_second(t, z), campaigns_next_opening(h, z, t)"
        " FROM (SELECT %s::int4multirange AS h, %s AS z, %s::timestamptz AS t) q",
        as_multirange(spans), zone, at,
    )  # fmt: skip
    assert open_now == is_open(spans, zone, at)
    if not open_now:
        assert opening == opens_after(spans, zone, at)


@pytest.mark.parametrize(
    ("zone", "opens", "closes", "at", "expected"),
    [
        # 02:30 does not exist: the gate opens when the clock jumps over it.
        (
            "America/New_York",
            (2, 30),
            (4, 0),
            local(2026, 3, 8, 1, 0, "America/New_York"),
            datetime(2026, 3, 8, 7, tzinfo=UTC),
        ),
        # 01:30 comes twice: it opens at the first.
        (
            "America/Denver",
            (1, 30),
            (4, 0),
            local(2026, 11, 1, 0, 0, "America/Denver"),
            datetime(2026, 11, 1, 7, 30, tzinfo=UTC),
        ),
        # Open 01:00 to 01:30, closed, and the hour repeats: open again.
        (
            "America/Denver",
            (1, 0),
            (1, 30),
            local(2026, 11, 1, 1, 45, "America/Denver"),
            datetime(2026, 11, 1, 8, 0, tzinfo=UTC),
        ),
        # Midnight does not exist in Havana.
        (
            "America/Havana",
            (0, 0),
            (1, 0),
            local(2026, 3, 7, 23, 0, "America/Havana"),
            datetime(2026, 3, 15, 4, 0, tzinfo=UTC),
        ),
        (
            "Australia/Lord_Howe",
            (2, 15),
            (3, 0),
            local(2026, 10, 4, 1, 0, "Australia/Lord_Howe"),
            datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        ),
        (
            "Asia/Beirut",
            (8, 0),
            (18, 0),
            local(2026, 3, 28, 20, 0, "Asia/Beirut"),
            datetime(2026, 3, 29, 5, 0, tzinfo=UTC),
        ),
    ],
)
def test_the_next_opening_on_nights_that_change(zone, opens, closes, at, expected):
    day = (expected - timedelta(minutes=1)).astimezone(ZoneInfo(zone)).strftime("%A").lower()
    if zone == "America/Havana":
        day = "sunday"
    spans = hours_compile(
        {f"{day}_open": opens[0] * 3600 + opens[1] * 60, f"{day}_closed": closes[0] * 3600 + closes[1] * 60}
    )
    (opening,) = sql("SELECT campaigns_next_opening(%s::int4multirange, %s, %s)", as_multirange(spans), zone, at)
    assert opening == expected


def test_a_campaign_without_hours_never_opens():
    assert sql("SELECT campaigns_next_opening('{}'::int4multirange, 'Europe/London', now())") == (None,)


@EXAMPLES
@given(zones_and_nights, minutes_around, st.sampled_from(ResetPeriod.values), st.integers(0, 800))
def test_the_period_of_an_instant_agrees_with_a_walk_over_the_calendar(zone_and_night, minute, reset_period, before):
    zone, night = zone_and_night
    at = datetime(night.year, night.month, night.day, 5, tzinfo=UTC) + timedelta(minutes=minute)
    today = at.astimezone(ZoneInfo(zone)).date()
    starts_at = today - timedelta(days=before)
    since, until = sql("SELECT * FROM campaigns_period(%s, %s, %s, %s)", reset_period, starts_at, zone, at)
    if reset_period == "Ongoing":
        assert (since, until) == (day_begins(starts_at, zone), None)
        return
    first, following = period_days(reset_period, starts_at, today)
    assert (since, until) == (day_begins(first, zone), day_begins(following, zone))
    assert since <= at < until


@pytest.mark.parametrize(
    ("starts_at", "reset_period", "day", "first", "following"),
    [
        ("2026-01-31", "Monthly", "2026-02-27", "2026-01-31", "2026-02-28"),
        ("2026-01-31", "Monthly", "2026-02-28", "2026-02-28", "2026-03-31"),
        ("2026-01-31", "Monthly", "2026-03-30", "2026-02-28", "2026-03-31"),
        ("2026-01-31", "Monthly", "2028-02-29", "2028-02-29", "2028-03-31"),
        ("2025-11-30", "Quarterly", "2026-02-28", "2026-02-28", "2026-05-30"),
        ("2026-03-04", "Weekly", "2026-03-10", "2026-03-04", "2026-03-11"),
    ],
)
@pytest.mark.parametrize("zone", ["America/New_York", "America/Havana"])
def test_months_are_counted_from_the_start_itself(zone, starts_at, reset_period, day, first, following):
    at = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    since, until = sql("SELECT * FROM campaigns_period(%s, %s, %s, %s)", reset_period, starts_at, zone, at)
    assert since == day_begins(date.fromisoformat(first), zone)
    assert until == day_begins(date.fromisoformat(following), zone)


@pytest.mark.parametrize("reset_period", ResetPeriod.values)
def test_before_its_first_day_a_cap_has_no_period(reset_period):
    at = datetime(2026, 3, 7, 12, tzinfo=UTC)
    since, until = sql(
        "SELECT * FROM campaigns_period(%s, %s, %s, %s)", reset_period, date(2026, 3, 8), "America/Havana", at
    )
    assert since is None
    assert until == day_begins(date(2026, 3, 8), "America/Havana") == datetime(2026, 3, 8, 5, tzinfo=UTC)


def test_a_midnight_that_comes_twice_begins_the_day_once():
    """Havana, 1 November 2026: 00:00 to 01:00 happens twice; a period that began at the second would hold no calls of the first."""
    first_midnight = local(2026, 11, 1, 0, 0, "America/Havana", fold=0)
    for minutes in (0, 30, 59, 60, 61):
        at = first_midnight + timedelta(minutes=minutes)
        since, until = sql("SELECT * FROM campaigns_period('Daily', %s, 'America/Havana', %s)", date(2026, 1, 1), at)
        assert (since, until - since) == (first_midnight, timedelta(hours=25))


@pytest.mark.django_db(transaction=True)
def test_a_new_period_gives_the_calls_back_at_its_instant():
    (only,) = destinations(1)
    bundle = bundle_of(only)
    cap(only, 2, "periodic_calls", reset_period="Daily", starts_at="2026-01-01", time_zone="America/Havana")

    def route():
        return actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13055550123")

    for call in (route(), route()):
        actions.call_event(by=None, network=bundle.network, call=call.call_id, event="answered")
    assert route().refusal == "capped"
    state = DestinationState.objects.get(pk=only.pk)
    # Yesterday's calls, and a period that ends in a moment: still full. Then it has passed.
    CallLeg.objects.update(selected_at=state.calls_since - timedelta(hours=1))
    soon = datetime.now(UTC) + timedelta(minutes=1)
    DestinationState.objects.update(calls_since=state.calls_since - timedelta(days=1), calls_until=soon)
    assert route().refusal == "capped"
    DestinationState.objects.update(calls_until=datetime.now(UTC))
    taken = route()
    assert taken.destination_id == only.pk
    renewed = DestinationState.objects.get(pk=only.pk)
    assert (renewed.calls_used, renewed.calls_since, renewed.calls_until) == (1, state.calls_since, state.calls_until)
    assert actions.live_counts_reconcile(with_usage=True) == []


@pytest.mark.django_db(transaction=True)
def test_periods_renew_is_the_same_for_a_destination_that_gets_no_calls():
    (only,) = destinations(1, payout="5.00")
    cap(only, "20.00", "budget", reset_period="Weekly", starts_at="2026-01-05", time_zone="Europe/London")
    state = DestinationState.objects.get(pk=only.pk)
    DestinationState.objects.update(
        spend_used=15, spend_since=state.spend_since - timedelta(days=7), spend_until=state.spend_since
    )
    assert actions.periods_renew() == 1
    renewed = DestinationState.objects.get(pk=only.pk)
    assert (renewed.spend_used, renewed.spend_since, renewed.spend_until) == (0, state.spend_since, state.spend_until)
    assert actions.periods_renew() == 0
