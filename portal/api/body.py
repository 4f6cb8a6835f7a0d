"""Reading JSON bodies: refused while still cheap, so that nothing behind ever meets what PostgreSQL cannot keep."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from portal.errors import Refused

MAX_DEPTH = 32
# Beyond it a number loses digits in most clients; no field of ours comes near.
MAX_NUMBER = 10**18


class Unreadable(Refused):
    """The body is not what the API reads (400)."""

    status = 400
    code = "parse_error"


class TooLarge(Refused):
    status = 413
    code = "body_too_large"


class LengthRequired(Refused):
    status = 411
    code = "length_required"


class WrongContentType(Refused):
    status = 415
    code = "unsupported_media_type"


def check_size(request: HttpRequest) -> int:
    """The body's length, checked before a byte of it is read. Raises TooLarge, LengthRequired, Unreadable."""
    meta = request.META
    given = meta.get("CONTENT_LENGTH")
    if not given:
        if "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower():
            raise LengthRequired("Send the body with a Content-Length.")
        return 0
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise Unreadable("The Content-Length is not a number.", code="bad_request")
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if int(given) > limit:
        raise TooLarge(
            f"The body has {int(given):,} bytes; {limit:,} are allowed. Split it into several requests.",
            details={"limit_bytes": limit},
        )
    return int(given)


def check_content_type(request: HttpRequest) -> None:
    """Only JSON; an empty body needs no type."""
    kind = request.META.get("CONTENT_TYPE", "").split(";", 1)[0].strip().lower()
    if kind != "application/json":
        raise WrongContentType(f"Send JSON with Content-Type: application/json, not “{kind[:80]}”.")


def _not_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def read_json(body: bytes) -> Any:
    """The value of a JSON body; an empty one is {}. Raises Unreadable with a code and the field."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_not_json)
    except UnicodeDecodeError as error:
        raise Unreadable("The body is not UTF-8.", code="invalid_encoding") from error
    except RecursionError as error:
        raise Unreadable(f"The JSON is nested more than {MAX_DEPTH} deep.", code="too_deep") from error
    except ValueError as error:
        raise Unreadable(f"The body is not JSON: {str(error)[:200]}.") from error
    _check(value, "", 0)
    return value


def _check(value: Any, path: str, depth: int) -> None:
    if isinstance(value, str):
        check_text(value, path or None)
    elif isinstance(value, dict):
        if depth >= MAX_DEPTH:
            raise Unreadable(f"The JSON is nested more than {MAX_DEPTH} deep.", code="too_deep", field=path[:200])
        for name, item in value.items():
            check_text(name, path[:200] or None)
            _check(item, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        if depth >= MAX_DEPTH:
            raise Unreadable(f"The JSON is nested more than {MAX_DEPTH} deep.", code="too_deep", field=path[:200])
        for index, item in enumerate(value):
            _check(item, f"{path}.{index}" if path else str(index), depth + 1)
    elif isinstance(value, int | float) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise Unreadable("A number is out of range.", code="number_out_of_range", field=path[:200] or None)


def check_text(text: str, field: str | None = None) -> None:
    """Refuse what no column can hold: NUL, and halves of surrogate pairs."""
    if "\x00" in text:
        raise Unreadable("A text holds the character NUL, which nothing can store.", code="nul_character", field=field)
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Unreadable(
                "A text holds half of a surrogate pair, which is no character.", code="invalid_unicode", field=field
            ) from error


def json_object(value: Any) -> dict[str, Any]:
    """`value` if it is a JSON object, as every body of the API is."""
    if isinstance(value, dict):
        return value
    raise Unreadable("Send a JSON object: {...}.", code="not_an_object")


class JsonParser(BaseParser):
    """The same reading for DRF views."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return json_object(read_json(stream.read()))
