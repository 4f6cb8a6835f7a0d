"""Fixtures of the tests of campaigns."""

from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import actions
from tests.factories import AdvertiserFactory, destinations

from .field import CALLER


@pytest.fixture
def field(network, personas, nothing_remembered):
    """The network of the rules: its people, its advertiser, and short ways to place and end calls."""
    advertiser = AdvertiserFactory(network=network, id_from_network="27")

    def route(campaign=None, caller=CALLER, **called):
        if campaign is not None:
            called["campaign"] = campaign.pk
        return actions.call_route(by=None, network=network, caller=caller, **called)

    def tell(routed, *events):
        return [
            actions.call_event(by=None, network=network, call=routed.call_id, event=event).result for event in events
        ]

    def page(user, name, *args):
        client = Client()
        client.force_login(user)
        return client.get(reverse(name, args=args)).content.decode()

    return SimpleNamespace(
        network=network, people=personas, advertiser=advertiser, route=route, tell=tell, page=page,
        make=lambda count, caps=None, **values: destinations(count, caps, advertiser=advertiser, **values),
    )  # fmt: skip
