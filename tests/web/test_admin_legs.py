"""A leg in the admin, for who sees its destination alone: his leg, and nothing of the bundle's decision and money."""

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import actions
from campaigns.models import CallLeg
from tests.factories import AdvertiserFactory, bundle_of, destinations

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(network, personas):
    first, second = destinations(2, advertiser=AdvertiserFactory(network=network), payin="77.25", payout="5.5")
    bundle = bundle_of(first, second)
    routed = actions.call_route(
        by=None, network=network, campaign=bundle.pk, caller="+13035550123", external_id="sip-1"
    )
    moved = actions.call_move(by=None, network=network, call=routed.call_id, leg=routed.leg_id, cause="busy")
    for event in ("answered", "ended"):
        actions.call_event(by=None, network=network, call=routed.call_id, event=event, leg=moved.leg_id)
    actions.access_grant(by=None, obj=second, to=personas.limited, action="view")
    return CallLeg.objects.get(pk=moved.leg_id)


@pytest.mark.parametrize(("persona", "whole"), [("limited", False), ("observer", True), ("staff", True)])
def test_the_decision_and_what_the_call_brought_are_of_the_whole_call(scene, personas, persona, whole):
    client = Client()
    client.force_login(getattr(personas, persona))
    page = client.get(reverse("admin:campaigns_callleg_change", args=[scene.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert "5.5" in text, "what it was paid is the destination's own"
    assert ("77.25" in text) == whole and ("entries" in text) == whole
    found = client.get(reverse("admin:campaigns_callleg_changelist"), {"q": "sip-1"}).content.decode()
    assert (reverse("admin:campaigns_callleg_change", args=[scene.pk]) in found) == whole
