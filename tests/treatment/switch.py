"""A switch that speaks the generic webhook, and the bundle whose calls it leads."""

import json

import pytest
from django.test import Client

from campaigns.models import DestinationState
from portal import memory
from portal.accounts.actions.tokens import token_create
from tests.factories import AdvertiserFactory, bundle_of, destinations


@pytest.fixture
def house(network):
    memory.forget_everything()
    made = destinations(3, 1, advertiser=AdvertiserFactory(network=network))
    for index, campaign in enumerate(made):
        campaign.destination_phone_number = f"+1303555010{index + 1}"
        campaign.save()
    yield bundle_of(*made), made
    memory.forget_everything()


def live(made):
    return [DestinationState.objects.get(pk=campaign.pk).live for campaign in made]


@pytest.fixture
def say(personas, network):
    """`say(user, event, ...)`: one request; (status, body)."""
    keys = {}

    def ask(event, user=personas.member, path="flow", **values):
        if user.pk not in keys:
            keys[user.pk] = token_create(by=None, user=user, name="switch")[1]
        body = {"external_id": "a-1", "event": event, **values}
        response = Client(raise_request_exception=False).post(
            f"/api/2026-11-01/{network.pk}/voice/{path}.json", json.dumps(body), content_type="application/json",
            headers={"Authorization": keys[user.pk]},
        )  # fmt: skip
        return response.status_code, json.loads(response.content) if response.content else None

    return ask
