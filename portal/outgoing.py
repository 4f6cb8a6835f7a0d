"""Requests to addresses that customers name: never to a private place, never further than the address that was checked.

A name is resolved once, every address it has is checked, and the connection goes to the checked address itself (with
the name in Host and TLS), so that a name which answers differently a moment later (DNS rebinding) gains nothing.
Redirects are not followed, proxies of the environment not used, and of the answer only the beginning is read. Besides the
time for each step there is one for the whole request: who answers byte by byte holds nobody up.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx
from django.conf import settings

MOST_ANSWER = 16 * 1024
USER_AGENT = "Headroom"
# A whole request may take so many times as long as one step of it: to connect, to send, to be answered.
STEPS = 3
_lock = threading.Lock()
_until = threading.local()
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
        if ip.is_site_local:  # the private addresses of old, which Python calls global
            return False
    # Reserved: among others ::/96, which old systems take for the IPv4 address in it.
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def longest(timeout: float | None = None) -> float:
    """Seconds after which a request is over, whatever the other side does (names are looked up before)."""
    return STEPS * (settings.OUTGOING_TIMEOUT if timeout is None else timeout)


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
    _until.at = time.monotonic() + longest(timeout)
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
                # NUL is no character that any column could keep.
                body[:MOST_ANSWER].decode("utf-8", "replace").replace("\x00", "\ufffd"),
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
            _client = httpx.Client(transport=_Bounded(limits), trust_env=False, follow_redirects=False)
        return _client


class _Bounded(httpx.HTTPTransport):
    """Connections on which nothing is waited for beyond the moment that the thread's request has."""

    def __init__(self, limits: httpx.Limits) -> None:
        super().__init__(trust_env=False, limits=limits)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections, keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Network(),
        )  # fmt: skip


def _left(timeout: float | None) -> float:
    """Seconds that a step may still take. Raises ReadTimeout when the whole request has had its time."""
    left = _until.at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the whole request took too long")
    return left if timeout is None else min(timeout, left)


class _Network(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_tcp(host, port, _left(timeout), local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
