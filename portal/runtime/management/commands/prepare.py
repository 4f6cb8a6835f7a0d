"""`manage.py prepare`: bring the database and the static files up to date, in one process."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """Migrate, and collect the static files if any has changed. Harmless when nothing is to be done."""

    help = __doc__

    def handle(self, *_args: object, **_options: object) -> None:
        """Stay silent about what was up to date already."""
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        call_command("migrate", interactive=False, skip_checks=True, verbosity=1 if pending else 0)
        self.collect_static()

    def collect_static(self) -> None:
        """Collecting hashes and compresses each file anew, which takes seconds: done only when a source has changed."""
        target = Path(settings.STATIC_ROOT)
        stamp = target / ".collected-from"
        found = fingerprint()
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == found:
            return
        self.stdout.write("Collecting the static files.")
        call_command("collectstatic", interactive=False, skip_checks=True, verbosity=0)
        stamp.write_text(found, encoding="utf-8")


def fingerprint() -> str:
    """Identify the present static files of all apps by path, size and time of change."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]["BACKEND"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
