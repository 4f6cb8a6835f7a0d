"""SQL functions and triggers: frozen files, each run by the migration of the same meaning."""

from pathlib import Path

from django.db.migrations import RunSQL


def run_sql(name: str) -> RunSQL:
    """The migration operation for `NNNN_name.up.sql` and its `.down.sql` in this folder."""
    folder = Path(__file__).parent
    return RunSQL(
        (folder / f"{name}.up.sql").read_text(encoding="utf-8"),
        (folder / f"{name}.down.sql").read_text(encoding="utf-8"),
    )
