"""A load generator that costs little: keep-alive sockets in one process, each with its next request as soon as it is answered."""

import json
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What was measured: answers per second, and percentiles of one answer's time in milliseconds."""

    per_second: float
    p50: float
    p99: float


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: object = None) -> bytes:
    """The bytes of one HTTP request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in {"Content-Type": "application/json", **(headers or {})}.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class _Connection:
    """One connection and the conversation that it holds: a generator that yields requests and is sent the answers."""

    def __init__(self, port: int, conversation: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.conversation = conversation
        self.received = b""
        self.sent_at = 0.0
        self.send(next(conversation))

    def send(self, content: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(content)

    def answer(self) -> bytes | None:
        """The body of the answer once it is complete. Anything but 2xx ends the benchmark."""
        part = self.socket.recv(65536)
        if not part:
            raise RuntimeError("the server closed a connection")
        self.received += part
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise RuntimeError(f"not a success: {head[:60]!r} {body[:300]!r}")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return None
        self.received = b""
        return body


def measure(port: int, conversation: Callable[[int], Iterator[bytes]], *, connections: int, seconds: float) -> Load:
    """Hold `connections` conversations for a while. `conversation(n)` yields requests and is sent each answer's body."""
    selector = selectors.EpollSelector()
    for number in range(connections):
        held = _Connection(port, conversation(number))
        selector.register(held.socket, selectors.EVENT_READ, held)
    times: list[float] = []
    began = time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        for key, _ in selector.select(1.0):
            held = key.data
            body = held.answer()
            if body is not None:
                times.append(time.perf_counter() - held.sent_at)
                held.send(held.conversation.send(body))
    took = now - began
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    if not times:
        raise RuntimeError(f"no answer within {seconds} s")
    times.sort()
    return Load(
        per_second=len(times) / took,
        p50=1000 * times[len(times) // 2],
        p99=1000 * times[int(len(times) * 0.99)],
    )


def route_and_hang_up(port: int, network: int, bundle_ids: list[str], token: str) -> Callable[[int], Iterator[bytes]]:
    """A conversation of calls: routed, then ended, in turn."""
    headers = {"Authorization": token}
    path = f"/api/2026-11-01/{network}"

    def conversation(number: int) -> Iterator[bytes]:
        turn = number
        while True:
            turn += 1
            area = 200 + 8 * (turn % 100)
            call = {"bundle": bundle_ids[turn % len(bundle_ids)], "caller": f"+1{area}555{turn % 10000:04d}"}
            answer = yield request("POST", f"{path}/calls.json", headers=headers, body=call)
            decided = json.loads(answer)
            assert decided["outcome"] == "destination", decided
            yield request(
                "POST", f"{path}/calls/{decided['call']}/events.json", headers=headers, body={"event": "ended"}
            )

    return conversation


def the_same_again(method: str, path: str, headers: dict[str, str]) -> Callable[[int], Iterator[bytes]]:
    """A conversation of one request over and over."""
    content = request(method, path, headers=headers)

    def conversation(number: int) -> Iterator[bytes]:
        while True:
            yield content

    return conversation


if __name__ == "__main__":
    sys.exit("This module is used by `python -m benchmarks over_http`.")
