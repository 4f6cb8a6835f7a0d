"""The ceiling: an ASGI application without Django around the same two SQL functions. No token, no limits, no checks."""

import asyncio
import json
import os
from typing import Any

import psycopg

from campaigns.callers import number_key

CONNECTIONS = 8
_ROUTE = "SELECT * FROM campaigns_route_call(%s, %s, '', %s, %s, '', NULL, '120 s')"
_EVENT = "SELECT * FROM campaigns_call_event(%s, %s, 'ended', NULL, 'caller_hangup', '', '120 s', '3 h')"
_pool: asyncio.Queue[psycopg.AsyncConnection] | None = None


async def _connections() -> asyncio.Queue[psycopg.AsyncConnection]:
    global _pool
    if _pool is None:
        _pool = asyncio.Queue()
        for _ in range(CONNECTIONS):
            made = await psycopg.AsyncConnection.connect(os.environ["RAW_CONNINFO"], autocommit=True)
            await _pool.put(made)
    return _pool


async def _row(sql: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    pool = await _connections()
    held = await pool.get()
    try:
        for _ in range(50):
            try:
                cursor = await held.execute(sql, values, prepare=True)
                return await cursor.fetchone()
            except psycopg.errors.SerializationFailure:
                continue
        raise RuntimeError("too many lost races")
    finally:
        await pool.put(held)


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """POST calls.json and POST calls/<id>/events.json, by the numeric ids of campaign and call."""
    if scope["type"] != "http":
        return
    content = b""
    more = True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    data = json.loads(content)
    parts = scope["path"].split("/")
    network = int(parts[3])
    if parts[4] == "calls.json":
        caller = data["caller"]
        row = await _row(_ROUTE, (network, int(data["bundle"]), caller, number_key(caller[1:])))
        answer: dict[str, Any] = {"call": row[1], "outcome": row[0], "destination": row[3]}
    else:
        row = await _row(_EVENT, (network, int(parts[5])))
        answer = {"result": row[0]}
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
