"""Who may speak to Twilio's webhooks: signatures, accounts and their secrets."""

import pytest

from campaigns import actions
from campaigns.models import CallFlow, VoiceAccount
from portal.audit.models import AuditEvent
from portal.errors import Invalid, NotAllowed
from tests.factories import bundle_of, destinations

from .twilio_phone import SID, TOKEN, Twilio

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_the_accounts_own_signature_is_taken(world, live_server, network):
    for wrong in (
        Twilio(live_server.url, network, token="another-token"),
        Twilio(live_server.url, network, sid="AC999999"),
    ):
        response = wrong.post("incoming", CallSid="CA1", From="+13035550123", To=world.number)
        assert response.status_code == 403
        assert response.json()["errors"][0]["code"] == "bad_signature"
    unsigned = world.twilio.http.post(world.twilio.folder + "incoming", data={"AccountSid": SID})
    assert unsigned.status_code == 403
    assert not CallFlow.objects.exists()


def test_a_signature_is_good_for_its_own_address_and_values_only(world):
    address = world.twilio.folder + "step?do=keys&turn=1"
    params = {"AccountSid": SID, "CallSid": "CA1", "Digits": "1"}
    signature = world.twilio.validator.compute_signature(address, params)
    for where, what in ((address.replace("turn=1", "turn=2"), params), (address, {**params, "Digits": "2"})):
        response = world.twilio.http.post(where, data=what, headers={"X-Twilio-Signature": signature})
        assert response.status_code == 403


def test_another_networks_account_opens_nothing_here(world, live_server):
    other = bundle_of(*destinations(1))
    actions.voice_account_set(by=None, network=other.network, account_sid="AC777777", secret="another-secret")
    stranger = Twilio(live_server.url, world.bundle.network, token="another-secret", sid="AC777777")
    assert stranger.post("incoming", CallSid="CA1", To=world.number).status_code == 403


def test_behind_a_proxy_the_public_address_was_signed(world, settings):
    settings.PORTAL_URL = "https://portal.example"
    path = f"/api/2026-11-01/{world.bundle.network_id}/voice/twilio/incoming"
    params = {"AccountSid": SID, "CallSid": "CA1", "From": "+13035550123", "To": world.number}
    signature = world.twilio.validator.compute_signature("https://portal.example" + path, params)
    response = world.twilio.http.post(
        world.twilio.folder + "incoming", data=params, headers={"X-Twilio-Signature": signature}
    )
    assert response.status_code == 200
    assert 'action="https://portal.example/api/' in response.text


def test_the_secret_is_kept_encrypted_and_never_shown(world, personas, network, settings):
    account = VoiceAccount.objects.get()
    assert TOKEN not in account.secret and TOKEN not in str(list(VoiceAccount.objects.values()))
    assert TOKEN not in str(list(AuditEvent.objects.values()))
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-" * 5, [old]
    world.call().begin()
    settings.SECRET_KEY_FALLBACKS = []
    response = world.twilio.post("incoming", CallSid="CA9", To=world.number)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (503, "unreadable_secret")


def test_accounts_are_for_supers(world, personas, network):
    with pytest.raises(NotAllowed):
        actions.voice_account_set(by=personas.manager, network=network, account_sid="AC888888", secret="x" * 20)
    with pytest.raises(Invalid) as refused:
        actions.voice_account_set(by=personas.super, network=network, account_sid="!", secret="x", kind="pigeon")
    assert [field for field, _code, _text in refused.value.problems] == ["kind", "account_sid", "secret"]
    assert actions.voice_account_set(by=personas.super, network=network, account_sid=SID, secret="y" * 20)[1] is False
    actions.voice_account_remove(by=personas.super, network=network, account_sid=SID)
    assert world.twilio.post("incoming", CallSid="CA9", To=world.number).status_code == 403
