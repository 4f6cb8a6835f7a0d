"""`manage.py traffic`: inbound callers, played over the public HTTP API."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from promo_numbers.choices import NumberState
from promo_numbers.models import PromoNumber, RingPool

from portal.accounts.models import Network
from portal.runtime.demo.catalog import BLUE_MESA
from portal.runtime.demo.people import TOKEN_FILE
from portal.runtime.traffic.client import Client
from portal.runtime.traffic.plan import Planner
from portal.runtime.traffic.play import Rhythm, Site, Traffic

# Numbers that stand for campaigns of their own get as much as a small bundle, all together: most calls come for bundles.
DIRECT_SHARE = 8


class Command(BaseCommand):
    """Play inbound callers until Ctrl-C: they call, ring, talk and hang up; some reports are late, double or lost."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rate", type=float, default=24, help="calls a minute in the busiest hour of the day (24)")
        parser.add_argument("--talk", type=float, default=150, help="median seconds of a conversation (150)")
        parser.add_argument("--burst", type=int, default=14, help="calls in a burst, 0 for none (14)")
        parser.add_argument("--burst-every", type=float, default=240, help="seconds from burst to burst (240)")
        parser.add_argument(
            "--visitors",
            type=float,
            default=4,
            help="visitors of web sites a minute, 0 for none (4); one in five calls",
        )
        parser.add_argument("--seconds", type=float, help="stop after so many seconds (runs until stopped)")
        parser.add_argument("--seed", type=int, help="draw the same calls again")
        parser.add_argument(
            "--network", default=BLUE_MESA.name, help=f"name or id of the network called ({BLUE_MESA.name})"
        )
        parser.add_argument(
            "--base-url", default="http://127.0.0.1:8000", help="where the portal is (http://127.0.0.1:8000)"
        )
        parser.add_argument(
            "--token-file", type=Path, help="the file with the API token (var/traffic-token, written by `demo`)"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Play; exit with 0 when stopped. CommandError says what is missing."""
        if options["rate"] <= 0 or options["talk"] <= 0 or options["burst_every"] <= 0:
            raise CommandError("--rate, --talk and --burst-every must be above 0.")
        path = options["token_file"] or Path(settings.HEADROOM_VAR) / TOKEN_FILE
        token = os.environ.get("HEADROOM_TOKEN", "")
        if not token:
            try:
                token = path.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise CommandError(
                    f"There is no token in {path} ({error.strerror}): run `manage.py demo`, or set HEADROOM_TOKEN."
                ) from error
        # One line for each request would bury ours.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        network, numbers = self._called(options["network"])
        pools = RingPool.objects.filter(network_id=network, archived_at=None)
        sites = [Site(pool.pk, pool.api_key, pool.max_pool_size) for pool in pools]
        asyncio.run(self._play(options, network, numbers, token, sites))

    def _called(self, name: str) -> tuple[int, dict[str, float]]:
        """The network's id and its promo numbers, each with its share of the calls."""
        found = Network.objects.filter(**({"pk": int(name)} if name.isdigit() else {"name": name})).first()
        if found is None:
            raise CommandError(f"There is no network “{name}”: run `manage.py demo` first.")
        shares = {bundle.number: bundle.share for bundle in BLUE_MESA.bundles}
        # Dynamic numbers are called by the visitors who were shown them.
        rows = PromoNumber.objects.filter(network=found, state=NumberState.ACTIVE, ring_pool=None)
        numbers = list(rows.values_list("number", flat=True))
        if not numbers:
            raise CommandError(f"The network “{found}” has no promo numbers that could be called.")
        direct = DIRECT_SHARE / max(1, len(numbers) - len(shares))
        return found.pk, {number: shares.get(number, direct) for number in numbers}

    async def _play(
        self, options: dict[str, Any], network: int, numbers: dict[str, float], token: str, sites: list[Site]
    ) -> None:
        random = Random(options["seed"])  # noqa: S311 - a simulation
        client = Client(options["base_url"], network, token)
        traffic = Traffic(
            client,
            Planner(random, numbers, options["talk"]),
            Rhythm(options["rate"], options["burst"], options["burst_every"], visitors_per_minute=options["visitors"]),
            random,
            lambda line: self.stdout.write(line),
            sites,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, traffic.stop)
        self.stdout.write(
            f"about {options['rate']:g} calls a minute to {len(numbers)} numbers at {options['base_url']}"
        )
        try:
            await traffic.run(options["seconds"])
        finally:
            await client.close()
