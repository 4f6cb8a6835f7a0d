"""The functions in the database are those of the newest SQL files of each app: nobody changed one by hand or forgot a file."""

import re
from pathlib import Path

import promo_numbers.sql
import pytest
from django.db import connection

import campaigns.sql
import outbound.sql

pytestmark = pytest.mark.django_db

# App -> the prefix of its functions, its folder of SQL.
APPS = {
    prefix: Path(package.__file__).parent
    for prefix, package in (("campaigns", campaigns.sql), ("numbers", promo_numbers.sql), ("outbound", outbound.sql))
}
_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\s*\(.*?\bAS \$\$(.*?)\$\$;", re.DOTALL)
_DROPPED = re.compile(r"DROP FUNCTION (?:IF EXISTS )?(.*?);", re.DOTALL)


def newest(prefix, folder):
    """{function: body} as the files say, read in the order in which they run."""
    functions = {}
    for path in sorted(folder.glob("*.up.sql")):
        text = path.read_text(encoding="utf-8")
        for dropped in _DROPPED.findall(text):
            for name in re.findall(rf"({prefix}_\w+)\s*\(", dropped):
                functions.pop(name, None)
        functions |= dict(_FUNCTION.findall(text))
    return functions


def in_database(prefix):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, prosrc, pg_get_functiondef(oid) FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace AND proname LIKE %s",
            [f"{prefix}\\_%"],
        )
        return {name: (source, definition) for name, source, definition in cursor.fetchall()}


@pytest.mark.parametrize("prefix", APPS)
def test_every_function_is_the_one_of_the_newest_file(prefix):
    expected, found = newest(prefix, APPS[prefix]), in_database(prefix)
    assert set(found) == set(expected)
    assert len(expected) > 5
    for name, body in expected.items():
        source, definition = found[name]
        assert source == body, name
        assert body in definition, name


@pytest.mark.parametrize("prefix", APPS)
def test_every_file_has_its_way_back_and_its_migration(prefix):
    folder = APPS[prefix]
    migrations = "".join(path.read_text(encoding="utf-8") for path in (folder.parent / "migrations").glob("0*.py"))
    for path in folder.glob("*.up.sql"):
        name = path.name.removesuffix(".up.sql")
        down = (folder / f"{name}.down.sql").read_text(encoding="utf-8")
        assert f'run_sql("{name}")' in migrations
        for function, _body in _FUNCTION.findall(path.read_text(encoding="utf-8")):
            assert f"{function}(" in down, f"{name}.down.sql does not take {function} back"


def test_every_trigger_stands():
    wanted = set()
    for folder in APPS.values():
        for path in folder.glob("*.up.sql"):
            wanted |= set(re.findall(r"CREATE TRIGGER (\w+)", path.read_text(encoding="utf-8")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
        found = {name for (name,) in cursor.fetchall()}
    assert wanted and wanted <= found
