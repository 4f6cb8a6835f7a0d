"""Signing what we send, as Standard Webhooks says: receivers verify it with a library of theirs."""

from datetime import UTC, datetime

from standardwebhooks import Webhook

# Seconds before each try of a message, the first at once (Standard Webhooks); then it is given up.
RETRY_SECONDS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)


def signed_headers(secret: str, message_id: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """The three headers of a signed message. secret: `whsec_...`; at: the moment of this try (now)."""
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body.decode("utf-8")),
    }
