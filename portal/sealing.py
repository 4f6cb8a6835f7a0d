"""Secrets that must be read again (webhook keys, carriers' passwords): encrypted in the database with a key of SECRET_KEY's.

A copy of the database alone betrays none of them. SECRET_KEY_FALLBACKS still open what an earlier key sealed.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """The text was sealed with another SECRET_KEY, or is no sealed text."""


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"headroom.sealing" + key.encode()).digest()))


def _keys() -> MultiFernet:
    return MultiFernet([_fernet(str(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def seal(text: str) -> str:
    """`text` encrypted, as ASCII; different each time."""
    return _keys().encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """The text again. Raises Unreadable."""
    try:
        return _keys().decrypt(sealed.encode("ascii", "replace")).decode()
    except InvalidToken as error:
        raise Unreadable("A stored secret cannot be read: it was sealed with another SECRET_KEY.") from error
