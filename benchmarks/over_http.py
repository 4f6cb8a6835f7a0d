"""Calls over HTTP: `POST calls.json` and the `ended` event in turn, all features on, as `manage.py up` serves them.

Yardsticks of the same run: the same server's authenticated DRF endpoint with one `SELECT 1`, and a raw ASGI
application without Django around the same SQL functions.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from portal.runtime.launch import web_command

from . import load
from .data import bundles_make, caps_are_held, network_make, nothing_drifted
from .report import Options, Report, Row, median, say
from .services import conninfo, execute, settle

CONNECTIONS = 16
WORKERS = 2


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """Run a web server until the block ends; it is there when the block begins."""
    server = subprocess.Popen(command, env=os.environ | environment)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        else:
            raise RuntimeError("the server did not start")
        yield
    finally:
        server.terminate()
        server.wait(20)


def _token(network: object) -> str:
    from portal.accounts.actions.tokens import token_create
    from portal.accounts.models import Membership, User
    from portal.accounts.roles import Role

    user = User.objects.create_user("switch@benchmark.example")
    Membership.objects.create(user=user, network=network, role=Role.MEMBER)
    return token_create(by=user, user=user, name="benchmark")[1]


def _portal(port: int) -> list[str]:
    command = web_command("127.0.0.1", port, WORKERS)
    return [*command[:-1], "benchmarks.wsgi:application"]


def _raw(port: int) -> list[str]:
    options = ["--interface", "asgi", "--no-ws", "--http", "1", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--workers", str(WORKERS), "--backlog", "2048", "--log-level", "warning"]
    return [sys.executable, "-m", "granian", *options, "benchmarks.raw_asgi:app"]


def run(options: Options) -> Report:
    """Measure the three in interleaved rounds; afterwards no slot is held and nothing has drifted."""
    from campaigns.models import Campaign

    network = network_make()
    bundles = bundles_make(network, bundles=100, destinations=20, cap=4)
    caps_are_held()
    settle()
    hubs = Campaign.objects.filter(pk__gte=bundles.first, pk__lt=bundles.first + bundles.count)
    own_ids = list(hubs.values_list("id_from_network", flat=True))
    token = _token(network)
    portal_port, raw_port = _free_port(), _free_port()
    calls = load.route_and_hang_up(portal_port, network.pk, own_ids, token)
    raw_ids = [str(pk) for pk in hubs.values_list("pk", flat=True)]
    raw_calls = load.route_and_hang_up(raw_port, network.pk, raw_ids, token)
    one = load.the_same_again("GET", f"/api/2026-11-01/{network.pk}/bench/one.json", {"Authorization": token})
    runs: dict[str, list[load.Load]] = {"calls": [], "DRF, select 1": [], "raw ASGI": []}
    with (
        _server(_portal(portal_port), portal_port, {}),
        _server(_raw(raw_port), raw_port, {"RAW_CONNINFO": conninfo()}),
    ):
        cases = {"calls": (portal_port, calls), "DRF, select 1": (portal_port, one), "raw ASGI": (raw_port, raw_calls)}
        for name, (port, conversation) in cases.items():
            say(f"warming up: {name}")
            load.measure(port, conversation, connections=CONNECTIONS, seconds=8)
        for number in range(options.rounds):
            for name, (port, conversation) in cases.items():
                measured = load.measure(port, conversation, connections=CONNECTIONS, seconds=options.seconds)
                runs[name].append(measured)
                say(
                    f"round {number + 1}: {name}: {measured.per_second:.0f}/s, p50 {measured.p50:.1f} ms, p99 {measured.p99:.1f} ms"
                )
            execute("CHECKPOINT")
    # The last requests of each round were decided, but their answers came too late to be hung up.
    execute(
        "SELECT count(campaigns_leg_end(id, 'caller_hangup', '', now())) FROM campaigns_callleg WHERE ended_at IS NULL"
    )
    routed = nothing_drifted()
    rate = {name: median(each.per_second for each in found) for name, found in runs.items()}
    p50 = median(each.p50 for each in runs["calls"])
    p99 = median(each.p99 for each in runs["calls"])

    def row(yardstick: str) -> Row:
        ratio = rate["calls"] / rate[yardstick]
        return Row(
            f"calls and hang-ups in turn against {yardstick}", f"{rate['calls']:.0f} requests/s", f"{rate[yardstick]:.0f}/s",
            ratio, ">= 0.6", ratio >= 0.6,
        )  # fmt: skip

    return Report(
        "over_http",
        "Calls over HTTP",
        f"granian with {WORKERS} workers as `manage.py up` starts it, {CONNECTIONS} connections, token kept, limits, request ids "
        f"and metrics on, durable commits; load generator, server and PostgreSQL share the machine. {options.rounds} interleaved "
        f"rounds of {options.seconds} s, medians. {routed} calls were routed, no cap was passed, nothing drifted.",
        [
            row("DRF, select 1"),
            row("raw ASGI"),
            Row(
                "p99 against p50 of calls and hang-ups", f"p99 {p99:.1f} ms", f"p50 {p50:.1f} ms", p99 / p50, "<= 4",
                p99 / p50 <= 4,
            ),
        ],
    )  # fmt: skip
