"""The page of carriers' accounts, and how long pressed keys are kept."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from campaigns import actions
from campaigns.models import CallFlow, VoiceAccount
from portal.sealing import unseal
from tests.factories import CampaignFactory

pytestmark = pytest.mark.django_db
URL = "/voice/"
FORM = {"account_sid": "AC0123456789", "secret": "a-token-of-twilio"}


def test_a_super_adds_and_forgets_an_account_and_the_token_is_sealed(personas, network, client):
    client.force_login(personas.super)
    assert "No carrier yet" in client.get(URL).content.decode()
    assert client.post(URL, FORM).status_code == 302
    account = VoiceAccount.objects.get()
    page = client.get(URL).content.decode()
    assert "AC0123456789" in page and FORM["secret"] not in page and "/voice/twilio/incoming" in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM campaigns_voiceaccount")
        stored = cursor.fetchone()[0]
    assert FORM["secret"] not in stored and unseal(stored) == FORM["secret"]
    assert client.post(reverse("campaigns:voice-forget", args=[account.pk])).status_code == 302
    assert not VoiceAccount.objects.exists()


def test_bad_input_stands_at_its_field(personas, client):
    client.force_login(personas.super)
    answer = client.post(URL, {"account_sid": "x", "secret": "short"})
    assert answer.status_code == 422 and {"account_sid", "secret"} <= set(answer.context["form"].errors)


@pytest.mark.parametrize(("persona", "sees"), [("limited", 403), ("observer", 403), ("member", 403), ("manager", 200)])
def test_others_change_nothing(persona, sees, personas, network, client):
    account, _ = actions.voice_account_set(by=None, network=network, **FORM)
    client.force_login(getattr(personas, persona))
    assert client.get(URL).status_code == sees
    assert client.post(URL, {**FORM, "account_sid": "AC99999999"}).status_code in (403, 404)
    assert client.post(reverse("campaigns:voice-forget", args=[account.pk])).status_code in (403, 404)
    assert VoiceAccount.objects.get() == account


def test_an_outsider_sees_his_own_network(personas, network, client):
    account, _ = actions.voice_account_set(by=None, network=network, **FORM)
    client.force_login(personas.outsider)
    assert "AC0123456789" not in client.get(URL).content.decode()
    assert client.post(reverse("campaigns:voice-forget", args=[account.pk])).status_code == 404
    assert VoiceAccount.objects.exists()


def test_pressed_keys_are_blanked_after_a_month_and_the_way_stays(network):
    campaign = CampaignFactory(advertiser__network=network)

    def flow(days, external_id):
        return CallFlow.objects.create(
            network=network, campaign=campaign, external_id=external_id, tree={}, state={"keys": ["4", "2"]},
            history=[{"at": "2026-11-01T12:00:00+00:00", "path": "root", "in": "digits", "digits": "4111", "did": ["say"]}],
            ended_at=timezone.now() - timedelta(days=days),
        )  # fmt: skip

    old, young = flow(31, "old"), flow(29, "young")
    assert actions.flows_forget() == 1
    assert actions.flows_forget() == 0
    old.refresh_from_db()
    young.refresh_from_db()
    assert "4111" not in str(old.history) and old.history[0]["path"] == "root" and old.state == {}
    assert "4111" in str(young.history)
