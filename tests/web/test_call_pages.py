"""The pages about calls: the list, one call, what is live, release by hand."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import actions
from campaigns.choices import EndReason
from campaigns.models import Call, CallLeg, DestinationState
from campaigns.queries import calls as call_queries
from portal.audit.models import AuditEvent
from tests.factories import cap, changed

from .calls import CALLER, call_at, client_of, listed, place, tell, text_of

pytestmark = pytest.mark.django_db(transaction=True)

# The list -------------------------------------------------------------------------------------------------------------


def test_the_list_says_all_that_matters_of_a_call(scene, personas, places):
    tell(scene.bundle, scene.first, "ringing", "answered", "ended")
    text = text_of(client_of(personas.observer).get(reverse("calls:list")))
    for words in (
        "(303) 555-0123",
        "CO",
        "(805) 555-0199",
        "Grand Bundle",
        "North Desk",
        "Sent",
        "Ended",
        "Caller hung up",
    ):
        assert words in text
    assert "(212) 555-0188" in text and "Setup" in text and "South Desk" in text


def test_every_filter_keeps_what_fits_and_nothing_else(scene, personas):
    bundle, who = scene.bundle, personas.observer
    tell(bundle, scene.first, "answered", "ended")
    direct = actions.call_route(by=None, network=scene.network, campaign=scene.overflow.pk, caller=None)
    actions.campaign_move_status(by=None, campaign=scene.overflow, move="pause")
    refused = actions.call_route(by=None, network=scene.network, campaign=scene.overflow.pk, caller="anonymous")
    ids = [scene.first.call_id, scene.second.call_id, direct.call_id, refused.call_id]
    assert listed(who) == ids[::-1]
    for query, expected in (
        ({"campaign": bundle.pk}, [1, 0]),
        ({"campaign": "grand bundle"}, [1, 0]),
        ({"campaign": bundle.id_from_network}, [1, 0]),
        ({"destination": scene.south.pk}, [1]),
        ({"destination": "South Desk", "campaign": bundle.pk}, [1]),
        ({"destination": "South Desk", "campaign": scene.overflow.pk}, []),
        ({"outcome": "direct"}, [2]),
        ({"outcome": "refused", "reason": "not_in_service"}, [3]),
        ({"reason": "caller_hangup"}, [0]),
        ({"reason": "caller_hangup", "destination": scene.north.pk}, [0]),
        ({"reason": "not_in_service"}, [3]),
        ({"caller": CALLER}, [0]),
        ({"caller": "(303) 555-0123"}, [0]),
        ({"caller": "(303) 555-0123", "outcome": "refused"}, []),
        ({"caller": "withheld"}, [3, 2]),
        ({"promo_number": "(805) 555-0199"}, [0]),
        ({"live": "on"}, [2, 1]),
        ({"live": "on", "destination": scene.south.pk}, [1]),
        ({"live": "on", "reason": "busy"}, []),
    ):
        assert listed(who, **query) == [ids[index] for index in expected], query


def test_the_time_range_is_read_in_the_networks_zone(scene, personas):
    # 2026-03-02 09:30 in New York is 14:30 UTC.
    Call.objects.filter(pk=scene.first.call_id).update(started_at="2026-03-02T14:30Z")
    assert listed(personas.observer, since="2026-03-02T09:00", until="2026-03-02T10:00") == [scene.first.call_id]
    assert listed(personas.observer, since="2026-03-02T10:00", until="2026-03-02T11:00") == []
    assert listed(personas.observer, since="2026-03-02T10:00") == [scene.second.call_id]
    assert listed(personas.observer, until="2026-03-02T10:00") == [scene.first.call_id]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"caller": "banana"}, "“banana” is not a phone number"),
        ({"promo_number": "12"}, "“12” is not a phone number"),
        ({"campaign": "No such thing"}, "no campaign called “No such thing” that you may see"),
        ({"destination": "999999999999"}, "no destination “999999999999” that you may see"),
        ({"outcome": "magic"}, "magic is not one of the available choices"),
        ({"since": "2026-03-08T02:30"}, "couldn’t be interpreted in time zone America/New_York"),
        ({"since": "yesterday"}, "Enter a valid date/time"),
        ({"since": "2026-03-02T10:00", "until": "2026-03-01T10:00"}, "The end must come after the beginning"),
    ],
)
def test_a_filter_that_cannot_be_used_says_why(scene, personas, query, words):
    response = client_of(personas.observer).get(reverse("calls:list"), query)
    assert response.status_code == 200
    text = text_of(response)
    assert words in text
    assert "North Desk" not in text.split("</form>")[-1]


def test_pages_follow_each_other_without_gap_or_repeat(scene, personas, monkeypatch):
    monkeypatch.setattr(call_queries.call_list, "__kwdefaults__", {"after": None, "size": 3})
    for _ in range(8):
        place(scene.bundle)
    everything = list(Call.objects.order_by("-id").values_list("pk", flat=True))
    for query in ({}, {"outcome": "destination"}, {"destination": scene.south.pk}, {"live": "on"}):
        client, seen, after = client_of(personas.observer), [], None
        for _page in range(10):
            page = client.get(reverse("calls:list"), {**query, **({"after": after} if after else {})}).context["page"]
            seen += [row.call.pk for row in page]
            after = page.after
            if after is None:
                break
        expected = [pk for pk in everything if pk != scene.first.call_id] if "destination" in query else everything
        assert seen == expected, query


@pytest.mark.parametrize("cursor", ["banana", "-1", "9" * 40, "٣", ""])
def test_a_cursor_that_nobody_made_starts_at_the_beginning(scene, personas, cursor):
    assert listed(personas.observer, after=cursor)[0] == scene.second.call_id


def test_a_search_that_no_index_serves_pauses_and_goes_on(scene, personas, monkeypatch):
    monkeypatch.setattr(call_queries, "WINDOW", 4)
    for _ in range(9):
        place(scene.bundle)
    Call.objects.filter(pk=scene.first.call_id).update(outcome="direct")
    client, after, pauses = client_of(personas.observer), None, 0
    while True:
        response = client.get(reverse("calls:list"), {"outcome": "direct", **({"after": after} if after else {})})
        page = response.context["page"]
        if page.rows:
            break
        assert page.searched_to is not None and "Search further back" in text_of(response)
        after, pauses = page.after, pauses + 1
    assert [row.call.pk for row in page] == [scene.first.call_id] and pauses >= 2


def _queries(client, django_assert_max_num_queries, path, **query):
    with django_assert_max_num_queries(40) as captured:
        assert client.get(path, query).status_code == 200
    return len(captured)


@pytest.mark.parametrize("who", ["observer", "south_holder"])
def test_lists_take_a_constant_number_of_queries(scene, personas, south_holder, who, django_assert_max_num_queries):
    client = client_of(south_holder if who == "south_holder" else personas.observer)
    paths = (reverse("calls:list"), reverse("calls:live"))
    [client.get(path) for path in paths]  # content types and the like are read once per process
    before = [_queries(client, django_assert_max_num_queries, path) for path in paths]
    for index in range(30):
        place(scene.bundle, caller=f"+1{['303', '212', '415'][index % 3]}555{index:04d}")
    assert [_queries(client, django_assert_max_num_queries, path) for path in paths] == before
    # Who sees by grants alone is asked for them with each list (docs/adr/0010).
    assert before[0] <= 20 and before[1] <= 22


# One call -------------------------------------------------------------------------------------------------------------


def test_the_call_page_tells_the_decision_and_the_leg(scene, personas):
    tell(scene.bundle, scene.second, "ringing", "answered", "ended")
    response = client_of(personas.observer).get(call_at(scene.second))
    text = text_of(response)
    for words in (
        "Sent to “South Desk”.", "Concurrent call cap reached: 1/1 live", "Chosen", "Passed over", "Selected from bundle",
        "Caller hung up", "Q.850;cause=16", "America/New_York",
    ):  # fmt: skip
        assert words in text
    trace = response.context["trace"]
    assert trace["transaction_id"] == Call(pk=scene.second.call_id).transaction_id
    assert [entry["verdict"] for entry in trace["destinations"]] == ["passed", "chosen"]
    assert json.dumps(trace, indent=2, ensure_ascii=False) in text, "what the button copies"
    assert "data-live" not in text, "a call that has ended does not poll"


def test_a_live_call_polls_and_stops_when_it_ends(scene, personas):
    client = client_of(personas.observer)
    assert "data-live" in text_of(client.get(call_at(scene.first)))
    ask = {"path": call_at(scene.first), "data": {"part": "now"}, "headers": {"HX-Request": "true"}}
    response = client.get(**ask)
    assert response.status_code == 200 and "<html" not in text_of(response) and "Setup" in text_of(response)
    tell(scene.bundle, scene.first, "ended")
    response = client.get(**ask)
    assert response.status_code == 286 and "Caller hung up" in text_of(response)


def test_a_refused_call_says_why_and_an_overflow_where_it_went(scene, personas):
    cap(scene.south, 0)
    overflowed = place(scene.bundle)
    text = text_of(client_of(personas.observer).get(call_at(overflowed)))
    assert "Sent to the overflow campaign “Overflow Desk”: no destination was left." in text
    assert "Concurrent call cap is 0 (closed)" in text and "Overflow (else branch)" in text
    actions.campaign_move_status(by=None, campaign=scene.overflow, move="pause")
    refused = place(scene.bundle)
    text = text_of(client_of(personas.observer).get(call_at(refused)))
    assert (
        "Refused: every destination that could have taken it is at a cap and the overflow campaign cannot take it."
        in text
    )
    assert "No destination was reached" in text


def test_a_repeat_caller_over_the_cap_is_shown_plainly(scene, personas):
    tell(scene.bundle, scene.first, "answered")
    changed(scene.bundle, repeat_caller=True)
    again = place(scene.bundle)
    assert again.over_cap
    client = client_of(personas.observer)
    text = text_of(client.get(call_at(again)))
    assert "over the cap: 2/1" in text
    assert "sent here over the cap (2/1)" in text
    assert "over the cap" in text_of(client.get(reverse("calls:list")))
    simulated = text_of(client.get(reverse("calls:simulate"), {"bundle": scene.bundle.pk, "caller": CALLER}))
    assert "over the cap: 3/1" in simulated


def test_the_call_page_says_who_gave_the_slot_back(scene, personas):
    client = client_of(personas.observer)
    actions.slot_release(by=personas.manager, leg=scene.first.leg_id, reason="The switch crashed")
    text = text_of(client.get(call_at(scene.first)))
    assert "Released by hand" in text and "Manager: The switch crashed" in text
    CallLeg.objects.filter(pk=scene.second.leg_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "ran out; being swept" in text_of(client.get(call_at(scene.second)))
    actions.slots_sweep()
    assert "The sweeper: the lease ran out at" in text_of(client.get(call_at(scene.second)))


# Live -----------------------------------------------------------------------------------------------------------------


def test_live_shows_what_is_live_and_filters(scene, personas):
    client = client_of(personas.observer)

    def callers(**query):
        return {row.call.caller for row in client.get(reverse("calls:live"), query).context["rows"]}

    assert callers() == {CALLER, "+12125550188"}
    assert callers(destination=scene.south.pk) == {"+12125550188"}
    assert callers(bundle=scene.bundle.pk) == {CALLER, "+12125550188"}
    assert callers(bundle=scene.overflow.pk) == set()
    tell(scene.bundle, scene.first, "answered")
    text = text_of(client.get(reverse("calls:live"), {"part": "now"}, headers={"HX-Request": "true"}))
    assert "<html" not in text and "Talking" in text and "2:59:" in text
    tell(scene.bundle, scene.first, "ended")
    assert callers() == {"+12125550188"}


@pytest.mark.parametrize(
    ("who", "offered", "status"),
    [
        ("observer", False, 403), ("member", False, 403), ("manager", True, 302), ("super", True, 302),
        ("staff", True, 302), ("limited", False, 404), ("outsider", False, 404),
    ],
)  # fmt: skip
def test_release_is_offered_to_those_who_may_and_refused_to_the_rest(scene, personas, who, offered, status):
    client = client_of(getattr(personas, who))
    at = reverse("calls:release", args=[scene.first.leg_id])
    assert (at in text_of(client.get(reverse("calls:live")))) is offered
    response = client.post(at, {"reason": "It hangs"})
    assert response.status_code == status
    done = CallLeg.objects.get(pk=scene.first.leg_id).end_reason
    assert done == (EndReason.RELEASED if offered else "")
    assert DestinationState.objects.get(pk=scene.north.pk).live == (0 if offered else 1)
    assert AuditEvent.objects.filter(event="slot.release").count() == (1 if offered else 0)


def test_release_goes_back_and_says_what_it_did(scene, personas):
    client = client_of(personas.manager)
    at = reverse("calls:release", args=[scene.first.leg_id])
    assert client.get(at).status_code == 405
    response = client.post(at, {"reason": " ", "next": call_at(scene.first)}, follow=True)
    assert "Say why the slot is released" in text_of(response)
    assert DestinationState.objects.get(pk=scene.north.pk).live == 1
    response = client.post(at, {"reason": "It hangs", "next": call_at(scene.first)}, follow=True)
    assert response.redirect_chain == [(call_at(scene.first), 302)]
    assert "the slot on “North Desk” is free again" in text_of(response)
    response = client.post(at, {"reason": "Again", "next": "https://evil.example/"}, follow=True)
    assert response.redirect_chain == [(reverse("calls:live"), 302)]
    assert "The call already ended" in text_of(response)


def test_release_needs_the_forgery_token(scene, personas):
    client = Client(enforce_csrf_checks=True)
    client.force_login(personas.manager)
    assert client.post(reverse("calls:release", args=[scene.first.leg_id]), {"reason": "x"}).status_code == 403
    assert DestinationState.objects.get(pk=scene.north.pk).live == 1
