"""`manage.py up`: run the whole portal."""

import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser, get_commands

from portal.runtime.errors import CannotStart
from portal.runtime.launch import Launch, Options


def _count(text: str) -> int:
    """A whole number of at least one."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


class Command(BaseCommand):
    """Start the embedded services, prepare the database, run web server, worker and beat until Ctrl-C."""

    help = __doc__
    # Nothing is there to be checked yet; `migrate`, which it runs, checks.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
        parser.add_argument("--workers", type=_count, default=2, help="web processes, and as many for tasks (2)")
        parser.add_argument("--no-demo", action="store_true", help="without the demo network")
        parser.add_argument("--no-traffic", action="store_true", help="without the demo's simulated calls")

    def handle(self, *_args: object, **options: Any) -> None:
        """Exit with 0 when somebody stopped it and with 1, after one sentence, when it could not start or go on."""
        chosen = Options(
            host=options["host"],
            port=options["port"],
            workers=options["workers"],
            demo=not options["no_demo"],
            traffic=not options["no_traffic"],
        )
        launch = Launch(settings.BASE_DIR, settings.HEADROOM_VAR, chosen, frozenset(get_commands()))
        try:
            launch.run()
        except CannotStart as error:
            self.stderr.write(str(error))
            sys.exit(1)
