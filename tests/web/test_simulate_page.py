"""Simulate: the same decision as a call would get, without placing one."""

import pytest
from django.urls import reverse

from campaigns import actions
from campaigns.models import Call
from portal.accounts.roles import Role
from tests.factories import AdvertiserFactory, MembershipFactory, NetworkFactory, bundle_of, cap, changed, destinations

from .calls import CALLER, call_at, client_of, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def simulated(user, **query):
    return client_of(user).get(reverse("calls:simulate"), query)


def test_simulate_says_what_a_call_page_would_say_and_places_none(scene, personas):
    before = Call.objects.count()
    response = simulated(personas.observer, bundle=scene.bundle.pk, caller="(303) 555-0199")
    text = text_of(response)
    assert "Sent to “South Desk”." in text and "Concurrent call cap reached: 1/1 live" in text
    assert "(303) 555-0199" in text and "Live and cap as they stand now" in text
    assert Call.objects.count() == before
    assert 'value="America/New_York"' in text, "the zone that the time is read in, also where the address names none"
    decision = response.context["decision"]
    call = client_of(personas.observer).get(call_at(scene.second)).context["decision"]
    assert [(entry.campaign_id, entry.verdict) for entry in decision.entries] == [
        (entry.campaign_id, entry.verdict) for entry in call.entries
    ]


def test_simulate_shows_shares_of_a_weighted_bundle(scene, personas):
    changed(scene.bundle, distribution="Weighted")
    cap(scene.north, 5)
    actions.destination_update(by=None, bundle=scene.bundle, destination=scene.north, weight=3)
    text = text_of(simulated(personas.observer, bundle="Grand Bundle", withheld="on"))
    assert "75 %" in text and "25 %" in text and "a withheld number" in text


def test_simulate_takes_a_time_in_a_zone(scene, personas):
    changed(scene.south, operating_24_7=False, time_zone="America/Denver",
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
