"""Hourly sums when nobody was there to make them: after any time, everything stands in its hour."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import actions
from campaigns.actions.hours import hour_of
from campaigns.models import Call, CallLeg, CampaignHour
from tests.factories import bundle_of, changed, destinations

pytestmark = pytest.mark.django_db(transaction=True)

POLICIES = [{"type": "Base", "amount": "2"}, {"type": "Bonus", "amount": "10", "condition": "duration >= 1 hour"}]


@pytest.fixture
def one():
    only = changed(destinations(1, payout="5")[0])
    return only, bundle_of(only)


def place(bundle, ago, *events, lasts=timedelta(minutes=5)):
    """A call that came `ago`, with its events."""
    routed = actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller="+13035550123")
    for event in events:
        actions.call_event(by=None, network=bundle.network, call=routed.call_id, event=event)
    at = timezone.now() - ago
    Call.objects.filter(pk=routed.call_id).update(started_at=at)
    legs = CallLeg.objects.filter(pk=routed.leg_id)
    legs.update(selected_at=at, expires_at=at + timedelta(hours=1))
    legs.filter(answered_at__isnull=False).update(answered_at=at)
    legs.filter(ended_at__isnull=False).update(ended_at=at + lasts)
    return legs.get()


def hours(campaign):
    return list(CampaignHour.objects.filter(campaign=campaign).order_by("hour"))


def test_whatever_happened_while_the_workers_were_away_is_summed_when_they_return(one):
    only, bundle = one
    place(bundle, timedelta(days=9), "answered", "ended")
    actions.hours_roll_up(since=timezone.now() - timedelta(days=9))
    before = hours(bundle)
    assert [row.calls for row in before] == [1]
    # Now they are away: one more call in the hour that was summed already, and two days with calls.
    place(bundle, timezone.now() - before[0].hour - timedelta(minutes=1), "answered", "ended")
    legs = [
        place(bundle, timedelta(days=5), "answered", "ended"),
        place(bundle, timedelta(days=4), "answered", "ended"),
    ]
    assert actions.hours_roll_up() > 0
    assert [(row.hour, row.calls) for row in hours(bundle)] == [
        (before[0].hour, 2), *((hour_of(leg.selected_at), 1) for leg in legs)
    ]  # fmt: skip
    assert [(row.received, row.answered) for row in hours(only)] == [(2, 2), (1, 1), (1, 1)]
    assert sum(row.ended for row in hours(only)) == 4 and sum(row.cost for row in hours(only)) == 20
    assert actions.hours_roll_up() == 0, "and nothing twice"


def test_a_call_that_lasted_for_hours_stands_in_each_of_them(one):
    only, bundle = one
    leg = place(bundle, timedelta(days=5), "answered", "ended", lasts=timedelta(hours=3))
    actions.hours_roll_up()
    first = hour_of(leg.selected_at)
    assert [row.hour for row in hours(only) if row.peak_live] == [first + timedelta(hours=n) for n in range(4)]


def test_who_stops_in_the_middle_is_gone_on_from_there(one, monkeypatch):
    _only, bundle = one
    for days in (6, 5, 4):
        place(bundle, timedelta(days=days), "answered", "ended")
    summed, real = [], actions.hours._hour_sum

    def dies(hour):
        if len(summed) == 1:
            raise KeyboardInterrupt
        summed.append(hour)
        return real(hour)

    monkeypatch.setattr(actions.hours, "_hour_sum", dies)
    with pytest.raises(KeyboardInterrupt):
        actions.hours_roll_up()
    monkeypatch.undo()
    assert len(hours(bundle)) == 1
    actions.hours_roll_up()
    assert len(hours(bundle)) == 3


def test_hours_without_calls_cost_nothing(one, django_assert_max_num_queries):
    _only, bundle = one
    place(bundle, timedelta(days=300), "answered", "ended")
    actions.hours_roll_up()
    with django_assert_max_num_queries(14):
        actions.hours_roll_up()


def test_a_price_that_comes_late_stands_in_the_hour_of_its_call(one):
    only, _bundle = one
    only = changed(only, payout_policies=POLICIES)
    bundle = bundle_of(only)
    place(bundle, timedelta(days=5), "answered", "ended")
    actions.hours_roll_up()
    assert [row.cost for row in hours(only)] == [12], "not priced yet: what was reserved"
    assert actions.legs_price() == 1
    assert [row.cost for row in hours(only)] == [2]


def test_a_lease_that_ran_out_long_ago_ended_then(one):
    """The sweeper was away with the others: the call lasted as long as its lease, and stands in that hour."""
    only, bundle = one
    leg = place(bundle, timedelta(days=5), "answered")
    actions.hours_roll_up()
    assert actions.slots_sweep() == 1
    leg.refresh_from_db()
    assert leg.ended_at == leg.expires_at and leg.ended_at - leg.answered_at == timedelta(hours=1)
    assert [(row.hour, row.ended, row.seconds) for row in hours(only) if row.ended] == [
        (hour_of(leg.expires_at), 1, 3600)
    ]


def test_the_last_hour_is_found_without_reading_the_table(one):
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + actions.hours._LAST_SUMMED)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "campaign_hour_by_network" in plan
