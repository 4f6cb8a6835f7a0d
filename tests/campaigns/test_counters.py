"""Counters of periodic caps in the hands of people: what is set while calls are on their way never makes room for more."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.urls import reverse

from campaigns import actions
from campaigns.models import CallLeg, DestinationState
from tests.factories import bundle_of, cap, changed, destinations

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD = {"reset_period": "Monthly", "starts_at": "2026-01-01", "time_zone": "America/Denver"}


def route(campaign):
    return actions.call_route(by=None, network=campaign.network, campaign=campaign.pk, caller="+13035550123")


def tell(campaign, routed, event):
    return actions.call_event(by=None, network=campaign.network, call=routed.call_id, event=event)


def state(campaign):
    return DestinationState.objects.get(pk=campaign.pk)


def test_a_reset_while_phones_ring_makes_room_for_no_more_calls_than_the_cap():
    (only,) = destinations(1)
    cap(only, 3, "periodic_calls", **PERIOD)
    bundle = bundle_of(only)
    ringing = [route(bundle) for _ in range(3)]
    actions.usage_set(by=None, campaign=only, kind="periodic_calls", used=0, reason="Test calls")
    assert state(only).calls_used == 3, "they are in progress and count on top"
    for call in ringing:
        tell(only, call, "ended")
    assert state(only).calls_used == 0
    taken = [routed for _ in range(6) if (routed := route(bundle)).leg_id]
    assert len(taken) == 3
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_a_budget_reset_while_a_price_is_open_is_not_passed():
    """What was reserved is given back in part once the call is priced: not from what was set by hand."""
    only = changed(
        destinations(1)[0],
        payout_policies=[
            {"type": "Base", "amount": "2"}, {"type": "Bonus", "amount": "10", "condition": "duration >= 1 hour"}
        ],
    )  # fmt: skip
    cap(only, 24, "budget", **PERIOD)
    bundle = bundle_of(only)
    talking, priced_late = route(bundle), route(bundle)
    for call in (talking, priced_late):
        tell(only, call, "answered")
    tell(only, priced_late, "ended")
    actions.usage_set(by=None, campaign=only, kind="budget", used="0", reason="New month by hand")
    assert state(only).spend_used == 24
    tell(only, talking, "ended")
    assert actions.legs_price() == 2
    assert state(only).spend_used == 4, "2 each: never below what was set"
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_the_page_says_that_calls_in_progress_count_on_top(client, network, personas):
    (only,) = destinations(1)
    cap(only, 9, "periodic_calls", **PERIOD)
    client.force_login(personas.staff)

    def sets():
        url = reverse("campaigns:usage", args=[only.pk])
        answer = client.post(url, {"kind": "periodic_calls", "used": "2", "reason": "Moved"}, follow=True)
        return answer.content.decode()

    assert "is set from 0 to 2." in (page := sets()) and "counts on top" not in page
    route(bundle_of(only))
    assert "What is in progress counts on top." in sets()
    assert state(only).calls_used == 3


def test_a_call_that_was_being_routed_while_a_cap_was_set_is_counted_all_the_same():
    """From outside of a bundle: it found no cap to count against, and who set the cap did not find it among the legs."""
    (only,) = destinations(1)
    routed, capped = Event(), Event()

    def call():
        try:
            with transaction.atomic():
                route(only)
                routed.set()
                capped.wait(20)
        finally:
            connection.close()

    thread = Thread(target=call)
    thread.start()
    assert routed.wait(20)
    cap(only, 5, "periodic_calls", **PERIOD)
    capped.set()
    thread.join()
    assert (CallLeg.objects.count(), state(only).calls_used) == (1, 0), "nothing to set right: the test shows nothing"
    assert [drift["calls"] for drift in actions.live_counts_reconcile()] == [(0, 1)], "the job of every minute sees it"
    assert state(only).calls_used == 1
