"""Asking Twilio: which calls are in progress, and sending text messages. By the official SDK, at TWILIO_API_URL."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from campaigns.models import VoiceAccount
from portal.sealing import unseal

TIMEOUT = 10
_OFFICIAL = "https://api.twilio.com"
_ALIVE = ("queued", "ringing", "in-progress")


class _At(TwilioHttpClient):
    """The SDK's own client, at another address: a proxy, a compatible carrier, or a test's server."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        base = settings.TWILIO_API_URL.rstrip("/") or _OFFICIAL
        return super().request(method, url.replace(_OFFICIAL, base, 1), *args, **kwargs)


def client_of(account: VoiceAccount) -> Client:
    """The SDK's client for an account. Raises Unreadable (portal.sealing)."""
    return Client(account.account_sid, unseal(account.secret), http_client=_At(timeout=TIMEOUT))


def calls_in_progress(account: VoiceAccount) -> set[str]:
    """The ids of every call that the carrier knows to be alive. Raises TwilioException when it cannot be asked."""
    return set(_alive(client_of(account)))


def _alive(client: Client) -> Iterator[str]:
    for status in _ALIVE:
        for call in client.calls.stream(status=status, page_size=1000):
            yield str(call.sid)


def message_send(account: VoiceAccount, *, sender: str, to: str, text: str) -> None:
    """Send one text message. Raises TwilioException."""
    client_of(account).messages.create(from_=sender, to=to, body=text)
