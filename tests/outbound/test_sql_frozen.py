"""The functions in the database are those of the newest SQL files, and its tables of moves are those of the code."""

import re
from pathlib import Path

import pytest
from django.db import connection

import outbound.sql
from outbound.choices import ATTEMPT_MOVES, BATCH_MOVES, RECIPIENT_MOVES

pytestmark = pytest.mark.django_db

FOLDER = Path(outbound.sql.__file__).parent
_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\s*\(.*?\bAS \$\$(.*?)\$\$;", re.DOTALL)


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_every_function_is_the_one_of_the_newest_file():
    expected = {}
    for path in sorted(FOLDER.glob("*.up.sql")):
        expected |= dict(_FUNCTION.findall(path.read_text(encoding="utf-8")))
    found = dict(rows("SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'outbound\\_%'"))
    assert len(expected) > 20 and found == expected


def test_every_file_has_its_way_back_and_its_migration():
    migrations = "".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "migrations").glob("0*.py"))
    for path in FOLDER.glob("*.up.sql"):
        name = path.name.removesuffix(".up.sql")
        down = (FOLDER / f"{name}.down.sql").read_text(encoding="utf-8")
        assert f'run_sql("{name}")' in migrations
        for function, _body in _FUNCTION.findall(path.read_text(encoding="utf-8")):
            assert f"{function}(" in down, f"{name}.down.sql does not take {function} back"


def test_every_trigger_stands():
    wanted = {
        name for path in FOLDER.glob("*.up.sql") for name in re.findall(r"CREATE TRIGGER (\w+)", path.read_text())
    }
    found = {name for (name,) in rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")}
    assert wanted and wanted <= found


@pytest.mark.parametrize(
    ("function", "moves"),
    [("batch", BATCH_MOVES), ("recipient", RECIPIENT_MOVES), ("attempt", ATTEMPT_MOVES)],
)
def test_the_allowed_moves_are_the_same_in_both_places(function, moves):
    ((found,),) = rows(f"SELECT outbound_{function}_moves()")
    assert set(found) == {f"{old}>{new}" for old, after in moves.items() for new in after}
