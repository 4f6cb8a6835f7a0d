"""The switch's side of the API: one request at a time, repeated until the portal has taken it."""

import asyncio
import contextlib
import time
from collections import deque
from typing import Any

import httpx

VERSION = "2026-11-01"
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0


class Refused(Exception):
    """The portal will not have it, now or later; `status` and `code` are its answer's."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code = status, code


class Unreachable(Exception):
    """Given up after the time allowed."""


class Client:
    """Sends to one network's API. Repeating is safe: a call carries its external_id, and events may come twice."""

    def __init__(self, base_url: str, network: int, token: str, *, connections: int = 16) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        # A pool timeout of None: when the portal is slow, requests wait here instead of failing.
        timeout = httpx.Timeout(10.0, pool=None)
        self._http = httpx.AsyncClient(
            base_url=f"{base_url.rstrip('/')}/api/{VERSION}/{network}/",
            headers={"Authorization": f"Bearer {token}"},
            limits=limits,
            timeout=timeout,
        )
        self._open = f"{base_url.rstrip('/')}/api/{VERSION}/"
        self.retries = 0
        self.milliseconds: deque[float] = deque(maxlen=1000)

    async def close(self) -> None:
        await self._http.aclose()

    async def number_for(self, pool: int, key: str, visit: dict[str, str]) -> str | None:
        """What a web page does for a visitor: the number to show him; None when the portal gives none."""
        with contextlib.suppress(httpx.TransportError, ValueError):
            answer = await self._http.get(
                f"{self._open}ring_pools/{pool}/allocate_number.json", params={"ring_pool_key": key, **visit}
            )
            if answer.status_code == 200:
                return answer.json()["promo_number"]  # type: ignore[no-any-return]
        return None

    async def post(self, path: str, body: dict[str, Any], *, within: float) -> dict[str, Any]:
        """POST until it is answered, for at most `within` seconds. Raises Refused or Unreachable.

        429 and 503 are obeyed (Retry-After); a portal that is down or starting is asked again with growing pauses.
        """
        deadline, pause = time.monotonic() + within, FIRST_PAUSE
        while True:
            wait = pause
            with contextlib.suppress(httpx.TransportError):
                began = time.monotonic()
                answer = await self._http.post(path, json=body)
                if answer.status_code < 400:
                    self.milliseconds.append((time.monotonic() - began) * 1000)
                    return answer.json()  # type: ignore[no-any-return]
                if answer.status_code != 429 and answer.status_code < 500:
                    raise Refused(answer.status_code, *_problem(answer))
                with contextlib.suppress(ValueError):
                    wait = max(pause, min(float(answer.headers.get("Retry-After", 0)), LONGEST_PAUSE))
            if time.monotonic() + wait > deadline:
                raise Unreachable(path)
            self.retries += 1
            await asyncio.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)


def _problem(answer: httpx.Response) -> tuple[str, str]:
    """Code and text of the API's error shape; of anything else its beginning."""
    try:
        problem = answer.json()["errors"][0]
        return str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, IndexError, TypeError):
        return "unknown", answer.text[:200]
