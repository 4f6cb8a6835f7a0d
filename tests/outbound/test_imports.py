"""Lists as people send them: every shape, every fault, nothing half-done."""

import random
from datetime import timedelta

import phonenumbers
import pytest
from django.db import connection
from django.utils import timezone
from phonenumbers import timezone as zone_data

from outbound import actions
from outbound.actions import imports
from outbound.choices import Refusal
from outbound.imports import load as loading
from outbound.imports.numbers import NumberReader, Refused
from outbound.models import BatchImport, BatchState, ImportChunk, ImportRejection, Recipient, Window

from .conftest import refused

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "+13105550142"


def run(batch, content, *, columns=None, name="list.csv", encoding="utf-8"):
    data = content if isinstance(content, bytes) else content.encode(encoding)
    pieces = [data[start : start + 7] for start in range(0, len(data), 7)]
    job = actions.import_create(by=None, batch=batch, file_name=name, pieces=pieces, columns=columns)
    return actions.import_run(job=job.pk)


def people(batch):
    return {one.number: one for one in Recipient.objects.filter(batch=batch)}


def reasons(job):
    return [(one.line, one.reason) for one in ImportRejection.objects.filter(job=job).order_by("line")]


def test_numbers_parameters_zones_and_refusals_each_with_its_line(house):
    batch = house.batch(started=False)
    job = run(
        batch,
        "destination,first_name,time_zone\n"
        "(303) 555-0101,Ann,\n"
        "not a number,Bob,\n"
        '303.555.0102,"Carl\nthe ""Second""",America/Boise\n'
        "+44 20 7946 0018,Dora,\n"
        "13035550101,Ann again,\n"
        "303 555 0103,Eve,Mars/Olympus\n"
        "\n"
        "1135550104,Fay,\n"
        "303-555-0105,Gus,,too,much\n"
        ",Hal,\n",
    )
    assert (job.state, job.rows_added, job.rows_refused) == ("done", 3, 6)
    found = people(batch)
    assert set(found) == {"+13035550101", "+13035550102", "+442079460018"}
    assert found["+13035550102"].parameters == {"first_name": 'Carl\nthe "Second"'}
    assert found["+13035550102"].zones.zones == ["America/Boise"]
    assert found["+13035550101"].zones.zones == ["America/Denver"]
    assert found["+442079460018"].zones.zones == ["Europe/London"]
    assert reasons(job) == [
        (3, "not_a_number"), (7, "duplicate"), (8, "unknown_time_zone"), (10, "invalid_number"), (11, "wrong_columns"),
        (12, "empty"),
    ]  # fmt: skip
    assert job.refused_by_reason["duplicate"] == 1
    assert Window.objects.filter(batch=batch, open_from__isnull=False).count() == 3
    assert BatchState.objects.get(pk=batch.pk).pending == 3
    assert not ImportChunk.objects.exists(), "the file is not kept"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_encodings(house, encoding):
    batch = house.batch(started=False)
    job = run(batch, "destination;name\r\n3035550101;José Müller\r\n3035550102;Zoë\r\n", encoding=encoding)
    assert job.rows_added == 2, job.error
    assert people(batch)["+13035550101"].parameters == {"name": "José Müller"}


def test_plums_form_with_ani_and_post_dial_digits(house):
    batch = house.batch(started=False)
    job = run(
        batch,
        f"destination\ntel:+13035550101;ani=+18055550100;postd=123\ntel:+13035550102;ani={OTHER}\ntel:3035550103\n",
    )
    found = people(batch)
    assert found["+13035550101"].parameters == {"postd": "123"} and found["+13035550101"].ani == ""
    assert set(found) == {"+13035550101", "+13035550103"}
    assert reasons(job) == [(3, "foreign_ani")]


def test_mapped_columns(house):
    batch = house.batch(started=False)
    run(
        batch, "Name,Mobile,Notes\nAnn,303 555 0101,secret\n",
        columns={"Mobile": "destination", "Name": "first_name", "Notes": ""},
    )  # fmt: skip
    assert people(batch)["+13035550101"].parameters == {"first_name": "Ann"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("name,town\nAnn,Denver\n", "no_number_column"),
        ("3035550101\n3035550102\n", "no_number_column"),
        ("destination,a,A\n1,2,3\n", "column_twice"),
        ("", "empty"),
        ("destination," + ",".join(f"c{index}" for index in range(200)) + "\n", "too_many_columns"),
    ],
)
def test_a_wrong_header_is_refused_at_once(house, content, code):
    batch = house.batch(started=False)
    error = refused(actions.import_create, by=None, batch=batch, file_name="x", pieces=[content.encode()])
    assert error.code == code and not BatchImport.objects.exists()


def test_an_upload_beyond_the_limit_is_refused_while_it_comes(house, settings):
    settings.OUTBOUND_UPLOAD_LIMIT = 3_000_000
    read = []

    def endless():
        while True:
            read.append(1)
            yield b"3035550101\n" * 100_000

    batch = house.batch(started=False)
    error = refused(actions.import_create, by=None, batch=batch, file_name="x", pieces=endless())
    assert error.code == "too_large" and len(read) < 8 and not ImportChunk.objects.exists()


def test_a_quote_that_never_ends_fails_the_import_and_leaves_nothing(house):
    batch = house.batch(started=False)
    rows = "".join(f"303555{index:04d},x\n" for index in range(500))
    job = run(batch, f'destination,name\n{rows}3035559999,"open\n' + "x" * 80_000)
    assert job.state == "failed" and "quote" in job.error and not people(batch)
    assert BatchState.objects.get(pk=batch.pk).total == 0


def test_canceling_at_any_moment_leaves_nobody(house, monkeypatch):
    content = "destination\n" + "".join(f"303{200 + index // 10000:03d}{index % 10000:04d}\n" for index in range(3000))
    monkeypatch.setattr("outbound.actions.imports.TOLD_EVERY", 0)
    monkeypatch.setattr(loading, "SLICE", 500)
    steps = []
    told = imports._Run._tell

    def beside(limit):
        # The cancel comes from somewhere else: another connection, as a page's would.
        def tell(self, step, at_once=False):
            steps.append(step)
            if len(steps) == limit:
                other = connection.copy()
                with other.cursor() as cursor:
                    cursor.execute(
                        "UPDATE outbound_batchimport SET cancel_asked_at = now() WHERE id = %s", [self.job.pk]
                    )
                other.close()
            told(self, step, at_once)

        return tell

    batch = house.batch(started=False)
    for limit in (1, 2, 3, 5, 8, 9):
        steps.clear()
        monkeypatch.setattr(imports._Run, "_tell", beside(limit))
        job = run(batch, content)
        assert job.state == "canceled", (limit, steps)
        assert not people(batch) and BatchState.objects.get(pk=batch.pk).total == 0
        assert not Window.objects.exists() and not ImportRejection.objects.exists()
    monkeypatch.setattr(imports._Run, "_tell", told)
    assert run(batch, content).rows_added == 3000


def test_a_waiting_import_is_canceled_at_once_and_an_ended_one_is_not(house):
    batch = house.batch(started=False)
    job = actions.import_create(by=None, batch=batch, file_name="x", pieces=[b"destination\n3035550101\n"])
    assert actions.import_cancel(by=None, job=job).state == "canceled"
    assert actions.import_run(job=job.pk) is None and not people(batch)
    assert refused(actions.import_cancel, by=None, job=job).code == "import_ended"


def test_an_import_whose_worker_died_is_run_again_and_given_up_after_three(house):
    batch = house.batch(started=False)
    job = actions.import_create(by=None, batch=batch, file_name="x", pieces=[b"destination\n3035550101\n"])
    old = timezone.now() - timedelta(minutes=10)
    BatchImport.objects.filter(pk=job.pk).update(state="running", runs=1, alive_at=old)
    assert actions.imports_sweep() == [job.pk]
    assert actions.import_run(job=job.pk).state == "done"
    BatchImport.objects.filter(pk=job.pk).update(state="running", runs=3, alive_at=old)
    assert actions.imports_sweep() == []
    job.refresh_from_db()
    assert job.state == "failed" and "three times" in job.error


def test_do_not_call_and_unknown_zones_come_in_as_suppressed(house):
    own = actions.do_not_call_list_create(by=None, network=house.network, name="Own", applies_to_all=False)
    actions.do_not_call_add(by=None, to=own, patterns=["3035550109"])
    everywhere = actions.do_not_call_list_create(by=None, network=house.network, name="All")
    actions.do_not_call_add(by=None, to=everywhere, patterns=["+1800*", "303 555 0102"])
    batch = house.batch(started=False)
    job = run(batch, "destination\n3035550101\n3035550102\n8002255288\n3035550109\n+88213000001\n")
    found = people(batch)
    assert {number: (one.state, one.reason) for number, one in found.items()} == {
        "+13035550101": ("pending", ""),
        "+13035550102": ("suppressed", "do_not_call"),
        "+18002255288": ("suppressed", "do_not_call"),
        "+13035550109": ("pending", ""),
        **({"+88213000001": ("suppressed", "unknown_zone")} if "+88213000001" in found else {}),
    }
    assert job.rows_suppressed >= 2
    named = house.batch(started=False, do_not_call_lists=[own.pk])
    run(named, "destination\n3035550109\n")
    assert people(named)["+13035550109"].reason == "do_not_call"


def test_the_first_of_two_lines_stays_and_a_second_list_adds_only_what_is_new(house):
    batch = house.batch(started=False)
    run(batch, "destination,name\n3035550101,first\n3035550101,second\n3035550102,x\n")
    job = run(batch, "destination,name\n3035550102,y\n3035550103,z\n3035550103,z\n")
    assert people(batch)["+13035550101"].parameters == {"name": "first"}
    assert (job.rows_added, job.refused_by_reason) == (1, {"duplicate": 2})
    assert reasons(job) == [(2, "duplicate"), (4, "duplicate")]


def test_calls_are_added_to_a_live_batch_by_the_same_rules(house):
    batch = house.batch(["+13035550101"])
    added = actions.recipients_add(
        by=None, batch=batch,
        calls=[{"destination": "3035550102", "name": "Ann"}, {"destination": "3035550101"}, {"destination": "nobody"}],
    )  # fmt: skip
    assert added.added == 1
    assert [(one["line"], one["reason"]) for one in added.refused] == [(2, "duplicate"), (3, "not_a_number")]
    assert len(actions.calls_claim(worker="w", limit=10)) == 2
    actions.batch_stop(by=None, batch=batch)
    assert refused(actions.recipients_add, by=None, batch=batch, calls=[{"destination": "3035550104"}]).code == (
        "batch_finished"
    )


def test_the_fast_path_agrees_with_the_library():
    reader = NumberReader("US", lambda zones: 1 + len(zones))
    dice = random.Random(4)
    for _ in range(20_000):
        number = f"{dice.randrange(200, 1000)}{dice.randrange(200, 1000)}{dice.randrange(10_000):04d}"
        parsed = phonenumbers.parse(number, "US")
        try:
            read, zones = reader.read(number)
        except Refused as error:
            assert error.reason == Refusal.INVALID_NUMBER and not phonenumbers.is_valid_number(parsed), number
            continue
        assert read == f"+1{number}" and phonenumbers.is_valid_number(parsed), number
        names = zone_data.time_zones_for_number(parsed)
        assert zones == (0 if names == ("Etc/Unknown",) else 1 + len(names)), number
