"""A cheap load generator: one process, plain sockets that stay open, each with one request on its way.

`python -m benchmarks.load PORT SECONDS CONNECTIONS KIND` with the work in BENCHMARK_LOAD prints a JSON result.
"""

import json
import os
import random
import selectors
import socket
import sys
import time
from collections.abc import Generator

WARM_UP_SECONDS = 1.0
Talk = Generator[bytes, tuple[int, bytes]]


def _request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def calls(work: dict, failures: list[str]) -> Talk:
    """Route a call and hang it up, again and again."""
    base, token, ended = work["base"], work["token"], b'{"event":"ended","cause":"caller_hangup"}'
    while True:
        caller = f"+1{random.choice(work['area_codes'])}{random.randrange(2_000_000, 9_999_999)}"
        body = json.dumps({"promo_number": random.choice(work["numbers"]), "caller": caller}).encode()
        status, answer = yield _request("POST", f"{base}/calls.json", token, body)
        if status >= 300:
            failures.append(f"{status} {answer[:200]!r}")
            continue
        call = json.loads(answer)["call"]
        status, answer = yield _request("POST", f"{base}/calls/{call}/events.json", token, ended)
        if status >= 300:
            failures.append(f"{status} {answer[:200]!r}")


def select_one(work: dict, failures: list[str]) -> Talk:
    """Ask the yardstick."""
    request = _request("GET", f"{work['base']}/select_one.json", work["token"])
    while True:
        status, answer = yield request
        if status >= 300:
            failures.append(f"{status} {answer[:200]!r}")


class Caller:
    """One connection: what it sends next says its talk."""

    def __init__(self, port: int, talk: Talk) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._talk, self._received, self.since = talk, b"", 0.0
        self._send(next(talk))

    def _send(self, request: bytes) -> None:
        self.since = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> float | None:
        """Read; once an answer is complete send the next request and return the seconds that the last took."""
        data = self.socket.recv(65536)
        if not data:
            raise SystemExit("the server closed a connection")
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        if len(body) < length:
            return None
        took = time.perf_counter() - self.since
        self._received = b""
        self._send(self._talk.send((int(head[9:12]), body)))
        return took


def main(port: int, seconds: float, connections: int, kind: str) -> None:
    """Measure for `seconds` after a warm-up."""
    work, failures, took = json.loads(os.environ["BENCHMARK_LOAD"]), [], []
    talk = {"calls": calls, "select_one": select_one}[kind]
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        caller = Caller(port, talk(work, failures))
        selector.register(caller.socket, selectors.EVENT_READ, caller)
    start = time.perf_counter() + WARM_UP_SECONDS
    end = start + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(1.0):
            answered = key.data.receive()
            if answered is not None and now >= start:
                took.append(answered)
    took.sort()
    result = {
        "per_second": len(took) / seconds,
        "p50": took[len(took) // 2] * 1000,
        "p99": took[int(len(took) * 0.99)] * 1000,
        "failures": len(failures),
        "first_failure": failures[0] if failures else "",
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
