"""The pages about calls: what they show, to whom, and what they hide from whom."""

import csv
import io
import json
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import actions
from campaigns.choices import EndReason
from campaigns.models import Call, CallLeg, DestinationState
from campaigns.pages import call_export
from campaigns.pages.call_export import safe
from campaigns.queries import calls as call_queries
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from tests.factories import (
    AdvertiserFactory,
    CampaignFactory,
    MembershipFactory,
    NetworkFactory,
    PromoNumberFactory,
    bundle_of,
    cap,
    destinations,
)

pytestmark = pytest.mark.django_db(transaction=True)

CALLER = "+13035550123"
PROMO = "+18055550199"


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return unescape(content.decode())


def place(bundle, caller=CALLER, **kwargs):
    called = {} if "promo_number" in kwargs else {"campaign": bundle.pk}
    return actions.call_route(by=None, network=bundle.network, caller=caller, **called, **kwargs)


def tell(bundle, routed, *events):
    for event in events:
        actions.call_event(by=None, network=bundle.network, call=routed.call_id, event=event, detail="Q.850;cause=16")


def call_at(routed):
    return reverse("calls:detail", args=[Call(pk=routed.call_id).transaction_id])


@pytest.fixture
def scene(network):
    """Two destinations of two advertisers in one bundle, an overflow, and a promo number that leads there."""
    north = CampaignFactory(advertiser=AdvertiserFactory(network=network), name="North Desk")
    south = CampaignFactory(advertiser=AdvertiserFactory(network=network), name="South Desk")
    overflow = CampaignFactory(advertiser=north.advertiser, name="Overflow Desk")
    cap(north, 1)
    bundle = bundle_of(north, south, name="Grand Bundle", overflow=overflow)
    PromoNumberFactory(campaign=bundle, number=PROMO)

    class Scene:
        pass

    scene = Scene()
    scene.north, scene.south, scene.overflow, scene.bundle, scene.network = north, south, overflow, bundle, network
    scene.first = place(bundle, promo_number=PROMO)
    scene.second = place(bundle, caller="+12125550188")
    return scene


@pytest.fixture
def south_holder(scene):
    """A member who sees nothing but the destination “South Desk”."""
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=scene.south, to=user, action="view")
    return user


@pytest.fixture
def bundle_holder(scene):
    """A member who sees nothing but the bundle."""
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=scene.bundle, to=user, action="view")
    return user


# The list -------------------------------------------------------------------------------------------------------------


def test_the_list_says_all_that_matters_of_a_call(scene, personas, places):
    tell(scene.bundle, scene.first, "ringing", "answered", "ended")
    text = text_of(client_of(personas.observer).get(reverse("calls:list")))
    for words in ("(303) 555-0123", "CO", "(805) 555-0199", "Grand Bundle", "North Desk", "Sent", "Ended", "Caller hung up"):
        assert words in text
    assert "(212) 555-0188" in text and "Setting up" in text and "South Desk" in text


def listed(user, **query):
    """Transaction ids of the list with a filter."""
    response = client_of(user).get(reverse("calls:list"), query)
    assert response.status_code == 200
    page = response.context["page"]
    assert page is not None, response.context["form"].errors
    return [row.call.pk for row in page]


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
    assert before[0] <= 16 and before[1] <= 18


# Who sees what --------------------------------------------------------------------------------------------------------


def test_whoever_sees_one_destination_sees_his_legs_and_nothing_of_the_others(scene, south_holder):
    client = client_of(south_holder)
    assert listed(south_holder) == [scene.second.call_id]
    text = text_of(client.get(reverse("calls:list")))
    assert "South Desk" in text and "(212) 555-0188" in text
    for hidden in ("North Desk", "Grand Bundle", "Overflow Desk", "(303) 555-0123", "(805) 555-0199", PROMO):
        assert hidden not in text

    assert client.get(call_at(scene.first)).status_code == 404
    response = client.get(call_at(scene.second))
    text = text_of(response)
    assert "South Desk" in text and "(212) 555-0188" in text
    for hidden in ("North Desk", "Grand Bundle", "Overflow Desk", "Concurrent call cap", "Copy as JSON", "1/1"):
        assert hidden not in text
    assert response.context["trace"] is None and response.context["decision"] is None

    text = text_of(client.get(reverse("calls:live")))
    assert "South Desk" in text and "(212) 555-0188" in text
    for hidden in ("North Desk", "Grand Bundle", "(303) 555-0123"):
        assert hidden not in text


def test_a_filter_does_not_tell_what_the_list_hides(scene, south_holder):
    third = place(scene.bundle, caller="+12125550177", promo_number=PROMO)
    assert third.destination_id == scene.south.pk
    assert listed(south_holder) == [third.call_id, scene.second.call_id]
    assert listed(south_holder, promo_number=PROMO) == [], "which number was called stays hidden, whatever one asks"
    assert listed(south_holder, caller=CALLER) == []
    assert listed(south_holder, caller="+12125550177") == [third.call_id]
    client = client_of(south_holder)
    for query in ({"campaign": scene.bundle.pk}, {"campaign": "Grand Bundle"}, {"destination": scene.north.pk}):
        response = client.get(reverse("calls:list"), query)
        assert response.context["page"] is None
        assert "that you may see" in text_of(response)
    assert client.get(reverse("calls:live"), {"bundle": scene.bundle.pk}).context.get("rows") is None


def test_the_export_hides_what_the_list_hides(scene, south_holder):
    third = place(scene.bundle, promo_number=PROMO, external_id="sip-secret")
    rows = list(csv.DictReader(io.StringIO(text_of(client_of(south_holder).get(reverse("calls:export"))))))
    assert [row["transaction_id"] for row in rows] == [Call(pk=pk).transaction_id for pk in (third.call_id, scene.second.call_id)]
    assert {(row["campaign_called"], row["promo_number"], row["external_id"]) for row in rows} == {("", "", "")}
    assert {row["destination"] for row in rows} == {"South Desk"}


def test_whoever_sees_the_bundle_sees_its_calls_whole(scene, bundle_holder):
    elsewhere = actions.call_route(by=None, network=scene.network, campaign=scene.south.pk, caller="+14155550111")
    assert listed(bundle_holder) == [scene.second.call_id, scene.first.call_id]
    client = client_of(bundle_holder)
    text = text_of(client.get(call_at(scene.second)))
    assert "Concurrent call cap reached: 1/1 live" in text and "North Desk" in text
    assert reverse("campaigns:detail", args=[scene.north.pk]) not in text, "named, but its page is not his"
    assert client.get(call_at(elsewhere)).status_code == 404
    assert "Release" not in text


def test_a_grant_on_an_advertiser_shows_the_calls_of_all_its_campaigns(scene):
    user = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    actions.access_grant(by=None, obj=scene.north.advertiser, to=user, action="view")
    # The bundle belongs to the same advertiser as North, South does not: the call is his by the bundle called.
    assert listed(user) == [scene.second.call_id, scene.first.call_id]


def test_other_networks_and_nobody_see_nothing(scene, personas):
    assert listed(personas.outsider) == []
    assert client_of(personas.outsider).get(call_at(scene.first)).status_code == 404
    assert listed(personas.limited) == []
    assert client_of(personas.limited).get(call_at(scene.first)).status_code == 404
    assert client_of(personas.staff).get(call_at(scene.first)).status_code == 200
    for name in ("calls:list", "calls:live", "calls:simulate", "calls:export"):
        response = Client().get(reverse(name))
        assert response.status_code == 302 and "/accounts/login/" in response["Location"]


@pytest.mark.parametrize("bad", ["0", "banana", "FFFFFFFF-FFFFFFFF", "7FFFFFFF-FFFFFFFF", "00000000-0000000G", "00000000-000000000"])
def test_a_call_that_does_not_exist_is_404(scene, personas, bad):
    assert client_of(personas.observer).get(f"/calls/{bad}/").status_code == 404


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
    assert response.status_code == 200 and "<html" not in text_of(response) and "Setting up" in text_of(response)
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
    assert "Refused: every destination that could have taken it is at a cap and the overflow campaign cannot take it." in text
    assert "No destination was reached" in text


def test_a_repeat_caller_over_the_cap_is_shown_plainly(scene, personas):
    tell(scene.bundle, scene.first, "answered")
    actions.campaign_update(by=None, campaign=scene.bundle, repeat_caller=True)
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


# Simulate -------------------------------------------------------------------------------------------------------------


def simulated(user, **query):
    return client_of(user).get(reverse("calls:simulate"), query)


def test_simulate_says_what_a_call_page_would_say_and_places_none(scene, personas):
    before = Call.objects.count()
    response = simulated(personas.observer, bundle=scene.bundle.pk, caller="(303) 555-0199")
    text = text_of(response)
    assert "Sent to “South Desk”." in text and "Concurrent call cap reached: 1/1 live" in text
    assert "(303) 555-0199" in text and "Live and cap as they stand now" in text
    assert Call.objects.count() == before
    decision = response.context["decision"]
    call = client_of(personas.observer).get(call_at(scene.second)).context["decision"]
    assert [(entry.campaign_id, entry.verdict) for entry in decision.entries] == [
        (entry.campaign_id, entry.verdict) for entry in call.entries
    ]


def test_simulate_shows_shares_of_a_weighted_bundle(scene, personas):
    actions.campaign_update(by=None, campaign=scene.bundle, distribution="Weighted")
    cap(scene.north, 5)
    actions.destination_update(by=None, bundle=scene.bundle, destination=scene.north, weight=3)
    text = text_of(simulated(personas.observer, bundle="Grand Bundle", withheld="on"))
    assert "75 %" in text and "25 %" in text and "a withheld number" in text


def test_simulate_takes_a_time_in_a_zone(scene, personas):
    actions.campaign_update(
        by=None, campaign=scene.south, operating_24_7=False, time_zone="America/Denver",
        hours={"monday_open": 8 * 3600, "monday_closed": 18 * 3600},
    )  # fmt: skip
    query = {"bundle": scene.bundle.pk, "caller": CALLER, "zone": "America/New_York"}
    # Monday 09:59 in New York is 07:59 in Denver.
    text = text_of(simulated(personas.observer, at="2026-03-09T09:59", **query))
    assert "Closed until 08:00 (America/Denver)" in text and "Sent to the overflow campaign" in text
    assert "Mon, Mar 9 2026, 09:59" in text
    assert "Sent to “South Desk”." in text_of(simulated(personas.observer, at="2026-03-09T10:00", **query))


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"caller": "banana"}, "caller", "“banana” is not a phone number"),
        ({"at": ""}, "caller", "Give the caller's number"),
        ({"caller": CALLER, "bundle": "999999"}, "bundle", "no bundle “999999” that you may see"),
        ({"caller": CALLER, "bundle": ""}, "bundle", "required"),
        ({"caller": CALLER, "bundle": "North Desk"}, "bundle", "no bundle “North Desk”"),
        ({"caller": CALLER, "zone": "Mars/Olympus"}, "zone", "not a known time zone"),
        ({"caller": CALLER, "at": "soon"}, "at", "“soon” is not a time"),
        ({"caller": CALLER, "at": "2026-03-08T02:30"}, "at", "did not exist on that day"),
        ({"caller": CALLER, "at": "0001-01-01T00:00", "zone": "Asia/Tokyo"}, "at", "is not a time"),
    ],
)
def test_simulate_puts_errors_on_their_fields(scene, personas, query, field, words):
    response = simulated(personas.observer, **{"bundle": str(scene.bundle.pk), **query})
    assert response.status_code == 200
    assert any(words in error for error in response.context["form"].errors[field])
    assert words in text_of(response)
    assert "decision" not in response.context


def test_simulate_opens_with_the_bundle_filled_in(scene, personas):
    response = simulated(personas.observer, bundle=scene.bundle.pk)
    text = text_of(response)
    assert 'value="Grand Bundle"' in text and "decision" not in response.context
    assert "field-errors" not in text
    assert 'value="America/New_York"' in text


def test_simulate_knows_only_bundles_that_the_user_sees(scene, personas, south_holder, bundle_holder):
    for user in (south_holder, personas.limited, personas.outsider):
        response = simulated(user, bundle=scene.bundle.pk, caller=CALLER)
        text = text_of(response)
        assert "that you may see" in text and "Grand Bundle" not in text and "North Desk" not in text
    assert "Sent to" in text_of(simulated(bundle_holder, bundle=scene.bundle.pk, caller=CALLER))


def test_a_member_of_two_networks_simulates_in_the_current_one(scene, personas):
    other = NetworkFactory()
    (away,) = destinations(1, advertiser=AdvertiserFactory(network=other))
    hidden = bundle_of(away, name="Away Bundle")
    MembershipFactory(network=other, user=personas.observer, role=Role.OBSERVER)
    assert "that you may see" in text_of(simulated(personas.observer, bundle=hidden.pk, caller=CALLER))


# Export ---------------------------------------------------------------------------------------------------------------


def test_the_export_is_the_filtered_list(scene, personas):
    tell(scene.bundle, scene.first, "answered", "ended")
    response = client_of(personas.observer).get(reverse("calls:export"), {"caller": CALLER})
    assert response["Content-Type"].startswith("text/csv") and "attachment" in response["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(text_of(response)))
    assert row["caller"] == CALLER and row["promo_number"] == PROMO and row["reason"] == "Caller hung up"
    assert row["campaign_called"] == "Grand Bundle" and row["state"] == "ended" and row["talk_seconds"] == "0"


def test_the_export_goes_over_pages_and_is_bounded(scene, personas, monkeypatch):
    for _ in range(7):
        place(scene.bundle)
    monkeypatch.setattr(call_export, "CHUNK", 2)
    client = client_of(personas.observer)
    lines = text_of(client.get(reverse("calls:export"))).splitlines()
    assert len(lines) == 1 + Call.objects.count() and len(set(lines)) == len(lines)
    monkeypatch.setattr(call_export, "MAX_ROWS", 5)
    lines = text_of(client.get(reverse("calls:export"))).splitlines()
    assert len(lines) == 1 + 5 + 1 and "Stopped after 5 calls" in lines[-1]


def test_an_export_with_a_bad_filter_goes_to_the_list_that_says_why(personas, network):
    response = client_of(personas.observer).get(reverse("calls:export"), {"caller": "banana"}, follow=True)
    assert "“banana” is not a phone number" in text_of(response)


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝".replace("＝", "=x")])
def test_no_cell_of_the_export_is_a_formula(cell):
    assert safe(cell).startswith("'")


@pytest.mark.parametrize("cell", ["+13035550123", "North Desk", "", None, 5])
def test_ordinary_cells_stay_as_they_are(cell):
    assert safe(cell) == ("" if cell is None else str(cell))


def test_a_campaign_called_like_a_formula_is_harmless_in_the_export(scene, personas):
    actions.campaign_update(by=None, campaign=scene.south, name="=HYPERLINK(0)")
    rows = list(csv.DictReader(io.StringIO(text_of(client_of(personas.observer).get(reverse("calls:export"))))))
    assert rows[0]["destination"] == "'=HYPERLINK(0)"
