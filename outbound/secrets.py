"""What is never shown again: PINs, passwords and the like among call parameters."""

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(
    r"(^|[^a-z])(pin|pins|password|passwd|passcode|secret|token|cvv|cvc|ssn|pan|postd)([^a-z]|$)", re.I
)
_JOINED = re.compile(r"(password|passcode|secret|card_?number|cardnumber|pincode|accesscode|access_code)", re.I)
HIDDEN = "•••"


def is_secret(name: str) -> bool:
    """Whether a parameter's name says that its value must not be shown."""
    return bool(_SECRET.search(name) or _JOINED.search(name))


def shown(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters as pages and answers show them: the values of secrets are hidden."""
    return {name: HIDDEN if is_secret(name) else value for name, value in (parameters or {}).items()}


def kept(given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they came back from somebody who was `shown` them: a hidden value stands for the one that is known."""
    return {
        name: known[name] if value == HIDDEN and is_secret(name) and name in known else value
        for name, value in given.items()
    }


_DIALED = re.compile(r"((?:postd|pin|password)=)[^;&\s]*", re.I)


def dial_string_shown(text: str) -> str:
    """A dial string such as `tel:+1...;postd=1234#` without the digits that are sent after the answer."""
    return _DIALED.sub(rf"\1{HIDDEN}", text)
