"""A slot moves with its call from a destination that is busy or does not answer to the next: never held twice, never lost."""

import random
from pathlib import Path

import pytest
from django.db import connection
from django.urls import reverse

import campaigns.sql
from campaigns import actions
from campaigns.models import Call, CallLeg, DestinationState
from campaigns.queries.decisions import decision_of_left
from portal.accounts.roles import Role
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.campaigns.race import Tally, counters, deadlocks, most_at_once, together
from tests.factories import CampaignFactory, MembershipFactory, bundle_of, cap, changed, destinations

pytestmark = pytest.mark.django_db(transaction=True)


def route(bundle, caller="+13035550123", **values):
    return actions.call_route(by=None, network=bundle.network, campaign=bundle.pk, caller=caller, **values)


def move(bundle, routed, cause="busy", **values):
    values.setdefault("leg", routed.leg_id)
    return actions.call_move(by=None, network=bundle.network, call=routed.call_id, cause=cause, **values)


def tell(bundle, routed, event, **values):
    return actions.call_event(by=None, network=bundle.network, call=routed.call_id, event=event, **values)


def live(*campaigns):
    return [DestinationState.objects.get(pk=campaign.pk).live for campaign in campaigns]


def test_the_slot_moves_in_one_step():
    first, second = destinations(2, 1)
    bundle = bundle_of(first, second)
    routed = route(bundle)
    assert (routed.destination_id, live(first, second)) == (first.pk, [1, 0])
    moved = move(bundle, routed)
    assert (moved.outcome, moved.kind, moved.destination_id, moved.call_id) == (
        "destination", "bundle", second.pk, routed.call_id,
    )  # fmt: skip
    assert moved.destination_phone_number == second.destination_phone_number
    assert live(first, second) == [0, 1]
    old, new = CallLeg.objects.order_by("id")
    assert (old.end_reason, new.ended_at, new.holds_slot) == ("busy", None, True)
    assert old.ended_at <= new.selected_at
    assert [row[0] for row in new.trace["entries"]] == [second.pk], "the decision stands with the new leg"


def test_a_move_gives_the_first_ones_usage_back():
    first, second = destinations(2)
    daily = {"reset_period": "Daily", "starts_at": "2026-01-01", "time_zone": "UTC"}
    cap(first, 10, "periodic_calls", **daily)
    cap(second, 10, "periodic_calls", **daily)
    bundle = bundle_of(first, second)
    move(bundle, route(bundle))
    used = dict(DestinationState.objects.values_list("pk", "calls_used"))
    assert (used[first.pk], used[second.pk]) == (0, 1)


def test_nobody_left_ends_the_leg_with_its_cause():
    (only,) = destinations(1, 1)
    bundle = bundle_of(only)
    moved = move(bundle, route(bundle), "no_answer")
    assert (moved.outcome, moved.refusal, moved.leg_id) == ("refused", "no_answer", None)
    assert live(only) == [0]
    assert CallLeg.objects.get().end_reason == "no_answer"


def test_a_full_second_destination_is_named():
    first, second = destinations(2, 1)
    bundle = bundle_of(first, second)
    routed = route(bundle)
    route(bundle, "+13035550124")
    moved = move(bundle, routed)
    assert (moved.outcome, moved.refusal, live(first, second)) == ("refused", "capped", [0, 1])


def test_the_overflow_comes_last():
    first, second = destinations(2, 1)
    over = CampaignFactory(advertiser=first.advertiser)
    bundle = bundle_of(first, second, overflow=over)
    moved = move(bundle, move(bundle, route(bundle)))
    assert (moved.outcome, moved.kind, moved.destination_id) == ("overflow", "overflow", over.pk)
    assert live(first, second, over) == [0, 0, 0]
    end = move(bundle, moved)
    assert (end.outcome, end.refusal) == ("refused", "busy"), "from the overflow there is nowhere to go"
    assert CallLeg.objects.filter(ended_at=None).count() == 0


def test_the_same_move_again_is_answered_the_same():
    first, second, third = destinations(3, 1)
    bundle = bundle_of(first, second, third)
    routed = route(bundle)
    moved = move(bundle, routed)
    again = move(bundle, routed)
    assert (again.leg_id, again.destination_id, again.repeated, moved.repeated) == (
        moved.leg_id,
        second.pk,
        True,
        False,
    )
    assert live(first, second, third) == [0, 1, 0]
    assert move(bundle, moved).destination_id == third.pk


def test_a_leg_that_ended_already_moves_too_and_gives_nothing_back_twice():
    first, second = destinations(2, 1)
    bundle = bundle_of(first, second)
    routed = route(bundle)
    tell(bundle, routed, "ended", cause="busy")
    assert live(first) == [0]
    assert move(bundle, routed).destination_id == second.pk
    assert live(first, second) == [0, 1]


def test_an_answered_leg_does_not_move():
    bundle = bundle_of(*destinations(2, 1))
    routed = route(bundle)
    tell(bundle, routed, "answered")
    with pytest.raises(Conflict) as refused:
        move(bundle, routed)
    assert refused.value.code == "call_finished"


def test_a_caller_who_hung_up_takes_no_slot_of_the_next_destination():
    first, second = destinations(2, 1)
    bundle = bundle_of(first, second)
    routed = route(bundle)
    tell(bundle, routed, "ended", cause="caller_hangup")
    with pytest.raises(Conflict) as refused:
        move(bundle, routed)
    assert refused.value.code == "call_finished" and "hung up" in refused.value.message
    assert live(first, second) == [0, 0]


def left(leg_id):
    return decision_of_left(CallLeg.objects.get(pk=leg_id))


def test_a_call_that_could_not_move_on_says_why_nobody_else_took_it(client, personas):
    first, second, third = destinations(3, 1)
    over = CampaignFactory(advertiser=first.advertiser, status="Paused", name="Answering service")
    bundle = bundle_of(first, second, third, overflow=over)
    routed = route(bundle)
    route(bundle, "+13035550124")
    changed(third, operating_24_7=False, hours={})
    moved = move(bundle, routed)
    assert moved.refusal == "capped"
    # What was so then stays so, whatever becomes of it.
    actions.campaign_move_status(by=None, campaign=over, move="archive")
    why = left(routed.leg_id)
    assert [reason.text for reason in why.overflow.reasons] == ["Not live at that time"]
    assert why.summary == (
        "Nobody else was left: every other destination that could have taken it was at a cap, and the overflow campaign "
        "could not take it."
    )
    assert [(entry.name, entry.verdict, [reason.code for reason in entry.reasons]) for entry in why.entries] == [
        (second.name, "passed", ["concurrent_call_cap"]), (third.name, "passed", ["closed"])
    ]  # fmt: skip
    client.force_login(personas.staff)
    page = client.get(reverse("calls:detail", args=[Call.transaction_id_of(moved.call_id)])).content.decode()
    for words in (
        "Why nobody else took the call",
        "Concurrent call cap reached: 1/1 live",
        "Answering service (overflow)",
    ):
        assert words in page


def test_the_end_of_the_way_is_said_where_nobody_was_asked():
    first, second = destinations(2)
    bundle = bundle_of(first, second, overflow=CampaignFactory(advertiser=first.advertiser))
    routed = route(bundle)
    assert left(routed.leg_id) is None, "it did not come to that"
    moved = move(bundle, move(bundle, routed))
    assert left(routed.leg_id) is None and moved.kind == "overflow"
    move(bundle, moved)
    assert left(moved.leg_id).summary == "Nobody else was left: after the overflow campaign nobody comes."
    other = route(bundle, "+13035550125")
    actions.campaign_move_status(by=None, campaign=bundle, move="pause")
    move(bundle, other)
    assert left(other.leg_id).summary == "Nobody else was left: the bundle took no calls any more."


def test_events_find_their_leg():
    first, second = destinations(2, 1)
    bundle = bundle_of(first, second)
    routed = route(bundle)
    moved = move(bundle, routed)
    assert tell(bundle, routed, "ended", leg=routed.leg_id).result == "unchanged"
    assert tell(bundle, moved, "answered", leg=moved.leg_id).result == "applied"
    assert tell(bundle, routed, "ringing", leg=routed.leg_id).result == "applied", (
        "late news of the first leg is its own"
    )
    assert live(first, second) == [0, 1]
    tell(bundle, moved, "ended")
    assert live(first, second) == [0, 0]


def test_a_repeat_caller_goes_on_to_another():
    first, second = destinations(2, 1)
    bundle = bundle_of(first, second, repeat_caller=True)
    routed = route(bundle)
    tell(bundle, routed, "answered")
    tell(bundle, routed, "ended")
    routed = route(bundle)
    assert routed.kind == "repeat"
    moved = move(bundle, routed)
    assert (moved.kind, moved.destination_id) == ("bundle", second.pk)


def test_moving_needs_a_known_leg_a_cause_and_the_right(network):
    first, second = destinations(2, 1)
    bundle = bundle_of(first, second)
    routed, other = route(bundle), route(bundle, "+13035550124")
    with pytest.raises(NotFound):
        move(bundle, routed, leg=other.leg_id)
    with pytest.raises(NotFound):
        actions.call_move(by=None, network=network, call=routed.call_id, leg=routed.leg_id, cause="busy")
    with pytest.raises(Invalid):
        move(bundle, routed, "bored")
    observer = MembershipFactory(network=bundle.network, role=Role.OBSERVER).user
    with pytest.raises(NotAllowed):
        actions.call_move(by=observer, network=bundle.network, call=routed.call_id, leg=routed.leg_id, cause="busy")
    assert live(first, second) == [1, 1]


def test_many_calls_that_change_places_at_once_never_go_over_a_cap_and_never_deadlock():
    group = destinations(4, [2, 2, 1, 3])
    bundles = [bundle_of(*group, distribution="Weighted"), bundle_of(*group, distribution="MostFree")]
    before, tally = deadlocks(), Tally()

    def play(number):
        dice = random.Random(number)
        for _call in range(12):
            bundle = dice.choice(bundles)
            routed = route(bundle, f"+1303555{dice.randrange(10000):04d}")
            while routed.leg_id is not None:
                tally.add("leg")
                if dice.random() < 0.3:
                    tell(bundle, routed, "answered", leg=routed.leg_id)
                    tell(bundle, routed, "ended", leg=routed.leg_id)
                    break
                if dice.random() < 0.1:
                    tell(bundle, routed, "ended", leg=routed.leg_id, cause="busy")
                routed = move(bundle, routed, dice.choice(["busy", "no_answer"]))

    together(play, 8)
    assert tally.counts["leg"] > 100
    assert deadlocks() == before
    assert all(amount == 0 for amount, _cap in counters(group).values())
    for campaign, amount in zip(group, [2, 2, 1, 3], strict=True):
        assert most_at_once(campaign) <= amount
    assert actions.live_counts_reconcile(with_usage=True) == []


def test_two_moves_of_one_leg_at_once_are_one():
    group = destinations(3, 1)
    bundle = bundle_of(*group)
    routed = route(bundle)
    seen = []
    together(lambda _number: seen.append(move(bundle, routed).leg_id), 6)
    assert len(set(seen)) == 1
    assert sum(live(*group)) == 1


def test_the_sql_has_a_way_back():
    folder = Path(campaigns.sql.__file__).parent
    later = sorted(path.name.removesuffix(".up.sql") for path in folder.glob("*.up.sql") if path.name >= "0005")
    names = "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'campaigns\\_%' ORDER BY 1"
    with connection.cursor() as cursor:
        cursor.execute(names)
        before = cursor.fetchall()
        for name in reversed(later):
            cursor.execute((folder / f"{name}.down.sql").read_text())
        cursor.execute(names)
        assert "campaigns_select" not in dict(cursor.fetchall())
        for name in later:
            cursor.execute((folder / f"{name}.up.sql").read_text())
        cursor.execute(names)
        assert cursor.fetchall() == before
