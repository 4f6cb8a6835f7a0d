"""The ceiling: an ASGI application without any framework around the same two SQL functions.

It authenticates nobody, checks nothing and remembers everything; what it costs is HTTP, JSON and the database.
"""

import asyncio
import json
import os
from typing import Any

import psycopg

CONNECTIONS = 8
ROUTE = "SELECT * FROM campaigns_route_call(%s, %s, %s, %s, %s, '', NULL, '120 s')"
EVENT = "SELECT * FROM campaigns_call_event(%s, %s, %s, NULL, 'caller_hangup', '', '120 s', '3 h')"
NETWORK = int(os.environ.get("BENCHMARK_NETWORK", "0"))
CAMPAIGNS: dict[str, int] = json.loads(os.environ.get("BENCHMARK_CAMPAIGNS", "{}"))

_free: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()
_opened = 0


async def _connection() -> psycopg.AsyncConnection:
    """A free connection; the first few are opened when they are needed."""
    global _opened
    if _free.empty() and _opened < CONNECTIONS:
        _opened += 1
        return await psycopg.AsyncConnection.connect(os.environ["BENCHMARK_CONNINFO"], autocommit=True)
    return await _free.get()


async def _execute(sql: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    connection = await _connection()
    try:
        while True:
            try:
                cursor = await connection.execute(sql, values, prepare=True)
                return await cursor.fetchone()  # type: ignore[return-value]
            except psycopg.errors.SerializationFailure:
                continue
    finally:
        _free.put_nowait(connection)


async def _body(receive: Any) -> dict[str, Any]:
    parts = b""
    while True:
        message = await receive()
        parts += message.get("body", b"")
        if not message.get("more_body"):
            return json.loads(parts)  # type: ignore[no-any-return]


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """POST .../calls.json and .../calls/<id>/events.json in the portal's shapes."""
    if scope["type"] != "http":
        return
    given = await _body(receive)
    if scope["path"].endswith("calls.json"):
        number, caller = given["promo_number"], given["caller"]
        row = await _execute(ROUTE, (NETWORK, CAMPAIGNS[number], number, caller, int(caller[1:].ljust(15, "0"))))
        answer = {"call": str(row[1]), "outcome": row[0], "destination": {"id": row[3]}, "refusal": row[7] or None}
        answer["lease_expires_at"] = row[6].isoformat() if row[6] else None
    else:
        call = scope["path"].rsplit("/", 2)[1]
        row = await _execute(EVENT, (NETWORK, int(call), given["event"]))
        answer = {"call": call, "result": row[0], "ended_at": row[4].isoformat() if row[4] else None}
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
