"""The functions in the database are those of the newest SQL files, and every file has its way back."""

import re
from pathlib import Path

import promo_numbers.sql
import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

FOLDER = Path(promo_numbers.sql.__file__).parent
_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\s*\(.*?\bAS \$\$(.*?)\$\$;", re.DOTALL)


def test_every_function_is_the_one_of_the_newest_file():
    expected = {}
    for path in sorted(FOLDER.glob("*.up.sql")):
        expected |= dict(_FUNCTION.findall(path.read_text(encoding="utf-8")))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'numbers\\_%%'"
        )
        found = dict(cursor.fetchall())
    assert len(expected) >= 12 and {name: found.get(name) for name in expected} == expected


def test_every_file_has_its_way_back_and_its_migration():
    migrations = "".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "migrations").glob("0*.py"))
    for path in FOLDER.glob("*.up.sql"):
        name = path.name.removesuffix(".up.sql")
        assert f'run_sql("{name}")' in migrations
        down = (FOLDER / f"{name}.down.sql").read_text(encoding="utf-8")
        for function, _body in _FUNCTION.findall(path.read_text(encoding="utf-8")):
            assert f"{function}(" in down, f"{name}.down.sql does not take {function} back"
