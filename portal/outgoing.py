"""Requests to addresses that customers name: never to a private place, never further than the address that was checked.

A name is resolved once, every address it has is checked, and the connection goes to the checked address itself (with
the name in Host and TLS), so that a name which answers differently a moment later (DNS rebinding) gains nothing.
Redirects are not followed, proxies of the environment not used, and of the answer only the beginning is read.
"""

import ipaddress
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from django.conf import settings

MOST_ANSWER = 16 * 1024
USER_AGENT = "Headroom"
_lock = threading.Lock()
_client: httpx.Client | None = None


class NotReached(Exception):
    """The address could not be asked. `code`: not_an_address, private_address, unresolvable, unreachable, timeout."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status and the beginning of the body as text."""

    status: int
    text: str
    retry_after: str = ""


def address_of(url: httpx.URL) -> str:
    """The checked IP address behind a URL. Raises NotReached; with OUTGOING_PRIVATE_ADDRESSES every address will do."""
    if url.scheme not in ("http", "https") or not url.host:
        raise NotReached("not_an_address", f"“{str(url)[:100]}” is not an http or https address.")
    try:
        found = socket.getaddrinfo(url.host, url.port or None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached("unresolvable", f"the name {url.host} has no address.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.OUTGOING_PRIVATE_ADDRESSES:
        for address in addresses:
            if not is_public(address):
                raise NotReached(
                    "private_address",
                    f"{url.host} is the address {address}, which is not public; requests never go there.",
                )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: not private, loopback, link-local, shared, mapped or multicast."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in IPv6's clothes is what it wraps.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def request(
    method: str, url: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Answer:  # fmt: skip
    """One request. timeout: seconds for each step (connect, read). Raises NotReached; any HTTP status is an Answer."""
    try:
        wanted = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise NotReached("not_an_address", f"“{url[:100]}” is not an http or https address.") from error
    address = address_of(wanted)
    host = wanted.netloc.decode("ascii")
    sent = {"User-Agent": USER_AGENT, **(headers or {}), "Host": host}
    seconds = settings.OUTGOING_TIMEOUT if timeout is None else timeout
    try:
        with _shared().stream(
            method, wanted.copy_with(host=address), content=content, headers=sent, timeout=seconds,
            extensions={"sni_hostname": wanted.host},
        ) as response:  # fmt: skip
            body = b""
            for piece in response.iter_bytes():
                body += piece
                if len(body) >= MOST_ANSWER:
                    break
            return Answer(
                response.status_code,
                body[:MOST_ANSWER].decode("utf-8", "replace"),
                response.headers.get("retry-after", ""),
            )
    except httpx.TimeoutException as error:
        raise NotReached("timeout", f"{wanted.host} did not answer within {seconds:g} s.") from error
    except httpx.HTTPError as error:
        raise NotReached(
            "unreachable", f"{wanted.host} could not be reached ({str(error)[:150] or type(error).__name__})."
        ) from error


def get_status(url: str) -> int:
    """The HTTP status of one GET. Raises NotReached."""
    return request("GET", url).status


def post(url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
    """POST bytes. Raises NotReached."""
    return request("POST", url, content=content, headers=headers)


def _shared() -> httpx.Client:
    """One client per process: it keeps connections open and is safe between threads."""
    global _client
    with _lock:
        if _client is None:
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=10)
            _client = httpx.Client(trust_env=False, follow_redirects=False, limits=limits)
        return _client
