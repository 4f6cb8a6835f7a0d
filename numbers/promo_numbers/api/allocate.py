"""What web pages ask for every visitor: `allocate_number.json` and `bulk.json`. The pool's key is all that it takes."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

from django.http import HttpRequest, HttpResponse

from campaigns.callers import pretty
from portal.api import throttling
from portal.api.body import check_text, json_object, read_json
from portal.api.errors import describe, render, request_id_of
from portal.api.fast import json_response, public_view
from portal.api.versioning import is_old
from portal.errors import Invalid
from promo_numbers.actions.allocation import MAX_PARAMS, number_allocate

KEY = "ring_pool_key"
MAX_BULK = 20
MAX_SUFFIX = 8000
_MAX_PAIRS = MAX_PARAMS + 20


def _moment(value: Any) -> str | None:
    return value.isoformat().replace("+00:00", "Z") if value is not None else None


def _texts(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """The parameters as texts. A name that comes twice keeps its last value, as in a form."""
    params = {}
    for name, value in pairs:
        if isinstance(value, bool | dict | list) or not isinstance(value, str | int | float | None):
            raise Invalid(f"“{str(name)[:60]}” is a text.", code="invalid_type", field=str(name)[:100])
        name, text = str(name), "" if value is None else str(value)
        check_text(name)
        check_text(text, name[:100])
        params[name] = text
    return params


def _query(text: str) -> dict[str, str]:
    if len(text) > MAX_SUFFIX:
        raise Invalid(f"{len(text):,} characters of parameters; send at most {MAX_SUFFIX:,}.", code="too_long")
    try:
        return _texts(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_PAIRS))
    except ValueError as error:
        raise Invalid(f"More than {MAX_PARAMS} parameters.", code="too_many_parameters", field="params") from error


def _sent(request: HttpRequest) -> dict[str, Any]:
    """The body of a POST: JSON, whatever type it says (text/plain spares browsers a second request), or a form."""
    kind = request.META.get("CONTENT_TYPE", "").split(";", 1)[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(_query(request.body.decode("utf-8", "replace")))
    return json_object(read_json(request.body))


def _allocate(version: str, pool: int, params: dict[str, str]) -> dict[str, Any]:
    """One visitor's number, in the shape of the version."""
    key = params.pop(KEY, "")
    # By pool and key: whoever guesses keys uses up his own permits, not the pool's.
    throttling.pools.take(f"{pool}:{key[:40]}", "This RingPool")
    given = number_allocate(pool_id=pool, key=key, params=params)
    body: dict[str, Any] = {
        "promo_number": given.number or None,
        "promo_number_formatted": pretty(given.number) if given.number else None,
        "tracking_url": f"tel:{given.number}" if given.number else None,
    }
    if not is_old(version):
        body["assignment"] = "visitor" if given.is_own else given.outcome
        body["expires_at"] = _moment(given.until)
    return body


@public_view
def allocate_number(request: HttpRequest, version: str, pool: int) -> HttpResponse:
    """The visitor's number of one pool."""
    throttling.visitors.take(throttling.client_address(request), "This address")
    params = _query(request.META.get("QUERY_STRING", ""))
    if request.method == "POST":
        params |= _texts(_sent(request).items())
    return json_response(_allocate(version, pool, params))


def _suffix(text: str) -> tuple[int, dict[str, str]]:
    """(pool, parameters) of `ring_pools/<id>/allocate_number.json?...`."""
    path, _, query = text.partition("?")
    parts = unquote(path).strip("/").split("/")
    if len(parts) != 3 or parts[0] != "ring_pools" or parts[2] != "allocate_number.json" or not parts[1].isdecimal():
        raise Invalid(
            f"“{text[:80]}” is not of the form ring_pools/<id>/allocate_number.json?ring_pool_key=….",
            code="invalid_api_suffix", field="api_suffix",
        )  # fmt: skip
    if len(parts[1]) > 19:
        parts[1] = "0"
    return int(parts[1]), _query(query)


def _one_of_many(request: HttpRequest, version: str, asked: Any) -> dict[str, Any]:
    """The answer to one request of a bulk: its own status, whatever becomes of the others."""
    request_id = asked.get("request_id") if isinstance(asked, dict) else None
    if isinstance(request_id, bool) or not isinstance(request_id, str | int) or len(str(request_id)) > 100:
        request_id = None
    try:
        suffix = asked.get("api_suffix") if isinstance(asked, dict) else None
        if not isinstance(suffix, str):
            raise Invalid("Give each request an api_suffix.", code="required", field="api_suffix")
        throttling.visitors.take(throttling.client_address(request), "This address")
        pool, params = _suffix(suffix)
        return {"request_id": request_id, "status": 200, "response": _allocate(version, pool, params)}
    except Exception as error:
        answer = describe(error)
        if answer.unexpected:
            raise
        status, body = render(answer, version, request_id_of(request))
        return {"request_id": request_id, "status": status, "response": body}


@public_view
def bulk(request: HttpRequest, version: str) -> HttpResponse:
    """The numbers of several pools, or of several visitors, in one request. GET: `requests` is the list as JSON."""
    if request.method == "POST":
        wanted = _sent(request).get("requests")
    else:
        try:
            wanted = json.loads(_query(request.META.get("QUERY_STRING", "")).get("requests", ""))
        except (ValueError, RecursionError):
            wanted = None
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_BULK:
        raise Invalid(
            f"“requests” is a list of 1 to {MAX_BULK} objects {{api_suffix, request_id}}.", code="invalid_requests",
            field="requests",
        )  # fmt: skip
    return json_response({"responses": [_one_of_many(request, version, asked) for asked in wanted]})
