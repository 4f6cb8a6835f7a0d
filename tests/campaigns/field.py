"""What the replays of domain/call-capacity.md share."""

import json

from django.test import Client

from campaigns.models import DestinationState
from portal.accounts.actions.tokens import token_create

CALLER = "+13035550123"
DAILY = {"reset_period": "Daily", "starts_at": "2026-01-01", "time_zone": "America/Denver"}


def live(campaign):
    return DestinationState.objects.get(pk=campaign.pk).live


def api(field, user, method, version, path, data=None):
    """A call of the REST API by `user`."""
    _, key = token_create(by=None, user=user, name="rules")
    send = getattr(Client(raise_request_exception=False), method)
    body = {"data": json.dumps(data), "content_type": "application/json"} if data is not None else {}
    return send(f"/api/{version}/{field.network.pk}/{path}", headers={"Authorization": key}, **body)
