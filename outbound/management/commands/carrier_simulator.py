"""`manage.py carrier_simulator`: a carrier to try everything with."""

import asyncio
import contextlib
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from outbound.carriers.server import Pace, SimulatedCarrier, serve


class Command(BaseCommand):
    help = "Runs a simulated carrier behind HTTP. What it does with a number stands in outbound/carriers/simulated.py."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8077, help="0 = any free one (8077)")
        parser.add_argument("--ring", type=float, default=2.0, help="seconds until it rings, and until it is answered")
        parser.add_argument("--talk", type=float, default=8.0, help="seconds of talk")
        parser.add_argument("--answer", type=float, default=0.05, help="seconds until a placed call is confirmed")
        parser.add_argument("--slow", type=float, default=5.0, help="the same of slow numbers")

    def handle(self, *_args: Any, **options: Any) -> None:
        pace = Pace(ring=options["ring"], talk=options["talk"], answer=options["answer"], slow=options["slow"])

        def ready(port: int) -> None:
            self.stdout.write(f"carrier simulator on http://{options['host']}:{port}")
            self.stdout.flush()

        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(SimulatedCarrier(pace), options["host"], options["port"], ready))
