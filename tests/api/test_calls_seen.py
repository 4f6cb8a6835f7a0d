"""Who sees a call by a destination alone: what he is not shown he cannot find out by asking for it either."""

import pytest

from campaigns import actions
from campaigns.models import CallLeg
from tests.factories import AdvertiserFactory, PromoNumberFactory, bundle_of, destinations

pytestmark = pytest.mark.django_db

NUMBER = "+18055550123"


@pytest.fixture
def scene(network, personas, as_):
    """A call to a bundle's number that moved from the first destination to the second; `limited` sees the second."""
    first, second = destinations(2, advertiser=AdvertiserFactory(network=network))
    bundle = bundle_of(first, second)
    PromoNumberFactory(campaign=bundle, network=network, number=NUMBER)
    routed = actions.call_route(
        by=None, network=network, promo_number=NUMBER, caller="+13035550123", external_id="sip-1"
    )
    moved = actions.call_move(by=None, network=network, call=routed.call_id, leg=routed.leg_id, cause="busy")
    actions.access_grant(by=None, obj=second, to=personas.limited, action="view")
    asked = {
        f"campaign={bundle.id_from_network}": False, f"promo_number={NUMBER.replace('+', '%2B')}": False,
        "external_id=sip-1": False, f"destination={first.id_from_network}": False,
        f"destination={second.id_from_network}": True, "caller=%2B13035550123": True, "live=true": True,
    }  # fmt: skip
    return as_(personas.limited), as_(personas.observer), asked, CallLeg.objects.get(pk=moved.leg_id)


def test_filters_tell_nothing_that_the_rows_hide(scene):
    limited, observer, asked, _leg = scene
    for query, found in asked.items():
        assert len(observer.get(f"calls.json?{query}").json()["results"]) == 1, query
        assert len(limited.get(f"calls.json?{query}").json()["results"]) == found, query


def test_a_leg_that_he_does_not_see_makes_no_call_live(scene):
    limited, observer, _asked, leg = scene
    CallLeg.objects.filter(pk=leg.pk).update(ended_at=leg.selected_at)
    CallLeg.objects.exclude(pk=leg.pk).update(ended_at=None)
    for client, live in ((observer, 1), (limited, 0)):
        assert len(client.get("calls.json?live=true").json()["results"]) == live
        assert len(client.get("calls.json?live=false").json()["results"]) == 1 - live


def test_the_number_called_and_the_switchs_own_id_are_the_bundles(scene):
    limited, observer, _asked, _leg = scene
    for client, number, own in ((observer, NUMBER, "sip-1"), (limited, None, None)):
        (row,) = client.get("calls_in_progress/current_calls.json").json()["results"]
        assert row["called_phone_number"] == number
        (call,) = client.get("calls.json").json()["results"]
        assert (call["promo_number"], call["external_id"]) == (number, own)
        assert client.get(f"calls/{call['call']}.json").json()["external_id"] == own
