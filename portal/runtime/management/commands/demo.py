"""`manage.py demo`: a network to look at."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from campaigns.models import Call
from portal.runtime.demo.catalog import BLUE_MESA
from portal.runtime.demo.load import demo_load, demo_remove
from portal.runtime.demo.people import LOGINS_FILE


class Command(BaseCommand):
    """Load the demo network: advertisers, campaigns, bundles, users and a day of calls. Safe to repeat."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--network", default=BLUE_MESA.name, help=f"its name ({BLUE_MESA.name})")
        parser.add_argument("--reset", action="store_true", help="remove what is in it first, with all calls")

    def handle(self, *_args: object, **options: Any) -> None:
        """Load what is missing and say where the logins are."""
        if options["reset"]:
            demo_remove(options["network"])
        network = demo_load(options["network"])
        calls = Call.objects.filter(network=network).count()
        self.stdout.write(f"{network}: {network.campaigns.count()} campaigns, {calls} calls.")
        self.stdout.write(f"Logins: {settings.HEADROOM_VAR / LOGINS_FILE}")
