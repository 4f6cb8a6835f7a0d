"""Routing over HTTP: the portal as `up` serves it, against one of its DRF views and against no framework at all."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from promo_numbers.models import PromoNumber

from campaigns.models import Campaign
from portal.accounts.actions.tokens import token_create
from portal.accounts.models import Membership, User
from portal.accounts.roles import Role
from portal.runtime.launch import web_command

from .data import AREA_CODES, bundles_make, caps_are_held, network_make, nothing_drifted
from .report import Options, Report, Row, median, say
from .services import conninfo, settle

WORKERS, CONNECTIONS = 2, 16
HOST = "127.0.0.1"
Measured = dict[str, float]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """Run a web server for the length of the block; its port."""
    process = subprocess.Popen(command, env=os.environ | environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
                break
            assert process.poll() is None and time.monotonic() < deadline, "the web server did not start"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _load(port: int, seconds: float, kind: str, work: dict[str, object]) -> Measured:
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(seconds), str(CONNECTIONS), kind]
    environment = os.environ | {"BENCHMARK_LOAD": json.dumps(work)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: Measured = json.loads(done.stdout)
    assert not result["failures"], result
    return result


def run(options: Options) -> Report:
    """Measure in interleaved rounds: calls at the portal, its DRF view, calls at the bare application."""
    network = network_make()
    bundles = bundles_make(network, bundles=100, destinations=20, cap=4)
    caps_are_held()
    numbers = [
        PromoNumber(network=network, campaign_id=bundles.first + i, number=f"+1805555{i:04d}", description="Benchmark")
        for i in range(bundles.count)
    ]
    PromoNumber.objects.bulk_create(numbers)
    user = User.objects.create_user("switch@benchmark.example")
    Membership.objects.create(user=user, network=network, role=Role.MEMBER)
    _, token = token_create(by=None, user=user, name="benchmark")
    settle()
    work = {
        "base": f"/api/2026-11-01/{network.pk}", "token": token, "numbers": [number.number for number in numbers],
        "area_codes": [str(code) for code in AREA_CODES],
    }  # fmt: skip
    portal_port, raw_port = _free_port(), _free_port()
    raw = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws", "--http", "1", "--host", HOST]
    raw += ["--port", str(raw_port), "--workers", str(WORKERS), "--log-level", "warning", "benchmarks.raw:application"]
    raw_environment = {
        "BENCHMARK_CONNINFO": conninfo(), "BENCHMARK_NETWORK": str(network.pk),
        "BENCHMARK_CAMPAIGNS": json.dumps({number.number: number.campaign_id for number in numbers}),
    }  # fmt: skip
    portal_environment = {"DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    runs: dict[str, list[Measured]] = {"portal": [], "drf": [], "raw": []}
    with (
        _server(web_command(HOST, portal_port, WORKERS), portal_port, portal_environment),
        _server(raw, raw_port, raw_environment),
    ):
        cases = {"portal": (portal_port, "calls"), "drf": (portal_port, "select_one"), "raw": (raw_port, "calls")}
        for number in range(options.rounds):
            for name, (port, kind) in cases.items():
                result = _load(port, options.seconds, kind, work)
                runs[name].append(result)
                say(
                    f"round {number + 1}: {name}: {result['per_second']:.0f}/s, p50 {result['p50']:.1f} ms, p99 {result['p99']:.1f} ms"
                )
    rate = {name: median(one["per_second"] for one in made) for name, made in runs.items()}
    p50, p99 = (median(one[name] for one in runs["portal"]) for name in ("p50", "p99"))
    # What a server was still doing when the load stopped has no hang-up: it is ended before counting.
    _end_open_legs()
    total = nothing_drifted()
    shown = {name: f"{figure:.0f} requests/s" for name, figure in rate.items()}
    ceiling, framework, tail = rate["portal"] / rate["raw"], rate["portal"] / rate["drf"], p99 / p50
    return Report(
        "over_http",
        "Routing over HTTP",
        f"`POST calls.json` (by promo number, random callers) and the call's `ended` in turn, {CONNECTIONS} connections, "
        f"granian with {WORKERS} workers as `manage.py up` starts it, durable commits; {options.rounds} interleaved rounds of "
        f"{options.seconds} s, medians. {total} calls were routed over {Campaign.objects.count()} campaigns; no cap passed, "
        "nothing drifted.",
        [
            Row("calls against a bare ASGI application around the same SQL", shown["portal"], shown["raw"], ceiling,
                ">= 0.6", ceiling >= 0.6),
            Row("calls against the same server's authenticated DRF view with `select 1`", shown["portal"], shown["drf"],
                framework, ">= 0.6", framework >= 0.6),
            Row("p99 against p50 of calls", f"{p99:.1f} ms", f"{p50:.1f} ms", tail, "<= 4", tail <= 4),
        ],
    )  # fmt: skip


def _end_open_legs() -> None:
    from campaigns.models import CallLeg

    from .services import execute

    # PostgreSQL may still commit what a server that was stopped had sent.
    time.sleep(2)
    for leg in CallLeg.objects.filter(ended_at=None).values_list("pk", flat=True):
        execute(f"SELECT campaigns_leg_end({leg}, 'caller_hangup', '', now())")
