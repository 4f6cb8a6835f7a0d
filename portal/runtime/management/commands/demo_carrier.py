"""`manage.py demo_carrier`: the carrier of the demo networks, simulated, on whatever port is free."""

import socket
from typing import Any

from django.core.management import BaseCommand, CommandParser, call_command

from outbound.models import Carrier
from portal.runtime.demo.outbound import CARRIER

PORT = 8077


def free_port(host: str, wanted: int) -> int:
    """`wanted` if nobody listens there, else any other."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no port of {host} is free")


class Command(BaseCommand):
    """Run the simulated carrier and point the demo's carriers at it. What a number does: its last two digits."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=PORT, help=f"the port to try first ({PORT})")
        parser.add_argument("--talk", type=float, default=12.0, help="seconds of talk (12)")

    def handle(self, *_args: object, **options: Any) -> None:
        port = free_port("127.0.0.1", options["port"])
        # Not as `base_url`: an address that somebody typed may not be a private one.
        Carrier.objects.filter(kind="simulator", name=CARRIER).update(
            base_url="", settings={"address": f"http://127.0.0.1:{port}"}
        )
        call_command("carrier_simulator", port=port, talk=options["talk"])
