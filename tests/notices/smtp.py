"""A small SMTP server on a real socket, in a thread: takes mails, can be down, and can wait before it answers."""

import asyncio
import contextlib
import socket
import threading
from email import message_from_bytes, policy


class SmtpServer:
    """`with SmtpServer() as server`: server.port; server.mails are the messages that it answered for with 250.

    hold(): from now on a message is taken (and counted in `received`), but the answer waits for `let_go()`.
    """

    def __init__(self, port: int = 0) -> None:
        self.port, self.mails, self.received = port, [], 0
        self._held = threading.Event()
        self._held.set()
        self.arrived = threading.Semaphore(0)

    def __enter__(self):
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def serve():
            self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        def run():
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(serve())
            self._loop.run_forever()
            pending = asyncio.all_tasks(self._loop)
            for task in pending:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            self._loop.close()

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert ready.wait(20)
        return self

    def __exit__(self, *exc):
        self._held.set()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def hold(self):
        self._held.clear()

    def let_go(self):
        self._held.set()

    async def _talk(self, reader, writer):
        async def say(line):
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await say("220 test")
            while line := (await reader.readline()).decode().strip():
                word = line.upper().split()[0]
                if word == "QUIT":
                    await say("221 bye")
                    break
                if word != "DATA":
                    await say("250 ok")
                    continue
                await say("354 go on")
                data = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                self.received += 1
                self.arrived.release()
                while not self._held.is_set():
                    await asyncio.sleep(0.01)
                self.mails.append(message_from_bytes(data, policy=policy.default))
                await say("250 taken")
        writer.close()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
