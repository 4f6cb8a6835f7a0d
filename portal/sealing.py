"""Secrets that must be read again (webhook keys, carriers' passwords): encrypted in the database with a key of SECRET_KEY's.

A copy of the database alone betrays none of them. SECRET_KEY_FALLBACKS still open what an earlier key sealed.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from portal.errors import Refused


class Unreadable(Refused):
    """The text was sealed with another SECRET_KEY: the secret must be set again (503, for the operator to mend)."""

    status = 503
    code = "unreadable_secret"


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
        raise Unreadable("A stored secret cannot be read with this SECRET_KEY; set it again.") from error
