"""Files of numbers as people send them: encodings, separators, quotes, bounds, headers."""

import pytest
from promo_numbers.actions.import_rows import columns_read
from promo_numbers.csv_files import table_of
from promo_numbers.models import NumberImport

from portal.errors import Invalid

from .importing import HEADER, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_every_usual_encoding_is_read(encoding):
    table, count = table_of(
        "description;campaign\nCafé “Zürich” €;roofing\n".replace("€", "e")
        .replace("“", "'")
        .replace("”", "'")
        .encode(encoding)
    )
    assert count == 1
    assert next(iter(table.rows())).cells == {"description": "Café 'Zürich' e", "campaign": "roofing"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_go_across_lines_and_lines_are_counted_as_an_editor_counts(separator, end):
    lines = ["description,campaign", '"Two', 'lines, ""quoted""",roofing', "", "Plain,plumbing"]
    table, count = table_of(end.join(lines).replace(",", separator).encode())
    rows = list(table.rows())
    assert count == 2
    assert [row.line for row in rows] == [2, 5]
    assert rows[0].cells["description"].replace("\r", "") == f'Two\nlines{separator} "quoted"'


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "empty_file", "The file is empty"),
        (b"\n\n  \n", "empty_file", "The file is empty"),
        (b"description,campaign\n", "no_rows", "no rows below"),
        (b'description,campaign\n"open,roofing\nmore,x\n', "unreadable_csv", "begins on line 2"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(40), "not_text", "not a text file"),
        (b"a," * 200 + b"b\n1\n", "too_many_columns", "at most 100"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(scene, content, code, said):
    with pytest.raises(Invalid) as error:
        start(scene, content)
    assert error.value.code == code and said in error.value.message
    assert not NumberImport.objects.exists()


def test_files_are_bounded(scene, monkeypatch):
    from promo_numbers import csv_files

    monkeypatch.setattr(csv_files, "MAX_BYTES", 100)
    with pytest.raises(Invalid, match="Split it"):
        start(scene, HEADER + "x" * 200)
    monkeypatch.undo()
    with pytest.raises(Invalid, match="more than 2 rows"):
        table_of(b"description\n1\n2\n3\n", max_rows=2)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("description,media_type", "missing: campaign"),
        ("campaign,media_type", "missing: description"),
        ("campaign,descripton", "“descripton” looks like “description”"),
        ("campaign,description,description", "“description” stands there twice"),
        ("campaign,description,promo_number,number", "“number” stands there twice"),
        ("campaign,description,,store", "Column 3 has no name"),
        ("+18055550123,Flyer", "missing: campaign, description"),
    ],
)
def test_a_wrong_header_is_explained_with_what_was_found(header, said):
    with pytest.raises(Invalid) as error:
        columns_read(header.split(","), into_stock=False, with_campaign=False)
    assert error.value.code == "wrong_header"
    assert said in error.value.message and f"Your first line: {header.replace(',', ', ')}" in error.value.message


def test_the_campaign_column_is_optional_from_a_campaign_and_names_are_read_kindly():
    written = ["Description", "Media Type", "Promo number", "Area-Code", "My store"]
    means = columns_read(written, into_stock=False, with_campaign=True)
    assert list(means.values()) == ["description", "media_type", "number", "area_code", "My store"]
