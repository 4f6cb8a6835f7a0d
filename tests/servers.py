"""Other people's systems as small HTTP servers on real sockets.

A plugin of pytest (tests/conftest.py names it): `receiver` is there wherever a test asks for it.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest


class Handler(BaseHTTPRequestHandler):
    """One request; `owner` is the server that it came to. Keeps connections open, says nothing on the terminal."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in two writes: on an open connection the second would wait for the client's word of the first.
    disable_nagle_algorithm = True
    owner: Any

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send `body` and its length; `headers` as `Content_Type`."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, status: int, content: Any) -> None:
        self.answer(status, json.dumps(content).encode(), Content_Type="application/json")

    def body(self) -> bytes:
        """What the request brought."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, *_args: Any) -> None:
        pass


class _Listening(ThreadingHTTPServer):
    # Sixteen workers knock at once: with the library's five places some are turned away.
    request_queue_size = 128


class Server:
    """Listens at `url`, in a thread of its own, until `close`. What its handler needs is set before `super().__init__()`."""

    handler: ClassVar[type[Handler]]

    def __init__(self) -> None:
        handler = type("Handler", (self.handler,), {"owner": self})
        self.server = _Listening(("127.0.0.1", 0), handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


class _Receiving(Handler):
    def _respond(self) -> None:
        status = self.owner.next_status(self.path)
        self.answer(status, **({"Location": self.owner.url + "/elsewhere"} if status in (301, 302, 307) else {}))

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        body = self.body()
        with self.owner.lock:
            self.owner.received.append((self.path, dict(self.headers), body))
        self._respond()


class Receiver(Server):
    """A customer's web server: keeps what it was sent, and answers as the test wants.

    `received`: [(path, headers, body)] of POSTs. `answers`: the status by path, or under "*" for all; a list is used up, one
    status an answer. Where nothing is said it is 200.
    """

    handler = _Receiving

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, int | list[int]] = {}
        self.lock = threading.Lock()
        super().__init__()

    def next_status(self, path: str) -> int:
        with self.lock:
            planned = self.answers.get(path, self.answers.get("*", 200))
            if isinstance(planned, list):
                return planned.pop(0) if planned else 200
            return planned


@pytest.fixture
def receiver(settings):
    """A customer's web server on this machine, which the portal may ask though its address is private."""
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    made = Receiver()
    yield made
    made.close()
