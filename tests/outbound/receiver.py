"""A customer's web server: keeps what it was sent, and answers as the test wants."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`received`: [(path, headers, body)] of POSTs; `answer`: status of the next ones, by path or for all."""

    def __init__(self) -> None:
        self.received, self.answers, self.lock = [], {}, threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _respond(self):
                status = owner.answers.get(self.path, owner.answers.get("*", 200))
                status = status.pop(0) if isinstance(status, list) and status else (status or 200)
                self.send_response(200 if isinstance(status, list) else status)
                if status in (301, 302, 307):
                    self.send_header("Location", owner.url + "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                self._respond()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with owner.lock:
                    owner.received.append((self.path, dict(self.headers), body))
                self._respond()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
