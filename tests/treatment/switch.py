"""A switch that speaks the generic webhook, and the bundle whose calls it leads."""

import json

import pytest
from django.test import Client

from campaigns import actions
from campaigns.actions import flows
from campaigns.models import CallLeg, DestinationState
from campaigns.treatment.flow import Input
from portal.accounts.actions.tokens import token_create
from tests.factories import AdvertiserFactory, bundle_of, destinations


@pytest.fixture
def house(network, nothing_remembered):
    made = destinations(3, 1, advertiser=AdvertiserFactory(network=network))
    for index, campaign in enumerate(made):
        campaign.destination_phone_number = f"+1303555010{index + 1}"
        campaign.save()
    return bundle_of(*made), made


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


@pytest.fixture
def overtaken_by_a_hang_up(network, monkeypatch):
    """`...(bundle, made)`: a caller presses 1 and hangs up, and the hang-up comes between the selection and its writing.

    The call has ended, and nobody holds a slot.
    """
    written, done = flows._written, []

    def late(work, *arguments):
        if not done:
            done.append(True)
            actions.flow_step(by=None, network=network, external_id="a-1", given=Input("hangup"))
        return written(work, *arguments)

    def check(bundle, made):
        actions.flow_begin(by=None, network=network, external_id="a-1", caller=None, campaign=bundle.pk)
        monkeypatch.setattr(flows, "_written", late)
        answer = actions.flow_step(by=None, network=network, external_id="a-1", given=Input("digits", digits="1"))
        assert done and answer.state.phase == "ended" and live(made) == [0, 0, 0]
        assert not CallLeg.objects.filter(ended_at=None).exists()

    return check
