"""Carriers' secrets are kept encrypted: a copy of the database alone opens no account."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes

from portal.errors import Refused


class UnreadableSecret(Refused):
    """The secret was encrypted with another SECRET_KEY: set it again (503, for the operator to mend)."""

    status = 503
    code = "unreadable_secret"


def _box() -> MultiFernet:
    """The newest key encrypts; SECRET_KEY_FALLBACKS still open what they closed."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = [hashlib.sha256(b"headroom.voice.secrets:" + force_bytes(key)).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


def encrypted(secret: str) -> str:
    """A secret as it is stored."""
    return _box().encrypt(secret.encode()).decode()


def decrypted(stored: str) -> str:
    """A stored secret. Raises UnreadableSecret."""
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret("The stored secret cannot be read with this SECRET_KEY; set it again.") from error
