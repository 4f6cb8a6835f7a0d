"""Migrations whose SQL stands in frozen files: `NNNN_name.up.sql` and `.down.sql` in an app's folder `sql/`."""

from collections.abc import Callable
from pathlib import Path

from django.db.migrations import RunSQL


def sql_of(package_file: str) -> Callable[[str], RunSQL]:
    """The function `run_sql(name)` of the folder that `package_file` (`__file__`) stands in."""
    folder = Path(package_file).parent

    def run_sql(name: str) -> RunSQL:
        """The migration operation for `NNNN_name.up.sql` and its way back."""
        return RunSQL(
            (folder / f"{name}.up.sql").read_text(encoding="utf-8"),
            (folder / f"{name}.down.sql").read_text(encoding="utf-8"),
        )

    return run_sql
