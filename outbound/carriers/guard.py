"""Connections to carriers at addresses that a network named: as with result URLs, never to a private place.

Whoever may name a carrier's address is a customer, not the operator. As in `portal.outgoing` a name is resolved here, every
address that it has is checked, and the connection goes to the checked one. A carrier that is refused counts as not connected.
"""

from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
from requests.adapters import HTTPAdapter

from portal import outgoing
from portal.memory import Memory

# The checked address of a name is used for so long: that it might have changed meanwhile opens no other one.
REMEMBERED_SECONDS = 30.0
_addresses: Memory[tuple[str, str, int | None], str] = Memory(lambda: REMEMBERED_SECONDS, 500)


def address_of(url: httpx.URL) -> str:
    """The checked IP address behind a carrier's URL. Raises `portal.outgoing.NotReached`."""
    key = (url.scheme, url.host, url.port)
    found = _addresses.get(key)
    if found is None:
        found = outgoing.address_of(url)
        _addresses.put(key, found)
    return found


class GuardedTransport(httpx.HTTPTransport):
    """For httpx."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            address = address_of(request.url)
        except outgoing.NotReached as error:
            raise httpx.ConnectError(str(error), request=request) from error
        # Host (and the name for TLS) stay those that were asked for.
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host=address)
        return super().handle_request(request)


class GuardedAdapter(HTTPAdapter):
    """For requests, on which the SDK of Twilio stands."""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        name = str(host["host"])
        try:
            address = address_of(httpx.URL(str(request.url)))
        except outgoing.NotReached as error:
            raise requests.ConnectTimeout(str(error), request=request) from error
        request.headers["Host"] = urlsplit(str(request.url)).netloc.rpartition("@")[2]
        if host["scheme"] == "https":
            pool |= {"server_hostname": name, "assert_hostname": name}
        return {**host, "host": address}, pool
