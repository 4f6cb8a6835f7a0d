"""Imports: files as people send them, every row exactly once whatever dies, refusals with line and reason, rights anew."""

import csv
import io
import os
import signal
import subprocess
import sys
import time

import pytest
from celery import current_app
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from promo_numbers import actions
from promo_numbers.actions import imports
from promo_numbers.actions.import_rows import columns_read, stock_put
from promo_numbers.csv_files import table_of
from promo_numbers.models import CampaignNumbers, NumberImport, NumberImportRefusal, PromoNumber, StockNumber

from campaigns.actions import access_grant
from portal.accounts.models import Membership
from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.campaigns.race import together
from tests.factories import MembershipFactory, NetworkFactory, stock
from tests.web.calls import text_of as raw_of
from tests.web.helpers import sign_in, text_of

from .counting import assert_counted

pytestmark = pytest.mark.django_db

HEADER = "campaign,description,media_type,number,area_code,promo_type,id_from_network,store\n"


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """The tests do a worker's work themselves; the last one starts a real process."""
    monkeypatch.setattr(imports, "_wake", lambda job_id: None)


def start(scene, text, by=None, **where):
    content = text if isinstance(text, bytes) else text.encode()
    where = where or {"network": scene.network}
    return actions.import_start(by=by or scene.people.member, content=content, file_name="flyers.csv", **where)


def done(job):
    while imports.import_run(job.pk):
        pass
    job.refresh_from_db()
    return job


def refused(job):
    return {row.line: (row.code, row.reason) for row in job.refusals.all()}


# Files.


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


# Rows.


def test_rows_are_added_with_everything_that_they_carry(scene):
    stock(2, area_code="213", start=500)
    job = done(start(scene, HEADER + (
        "roofing,Flyer,offline: tv,,213,,f-1,12\n"
        "plumbing,Ours,,(805) 555-0177,,mobile,,\n"
        "roofing,Any,,,,,,\n"
    )))  # fmt: skip
    assert (job.state, job.rows, job.done, job.added, job.refused) == ("done", 3, 3, 3, 0), refused(job)
    first, second, third = PromoNumber.objects.order_by("id")
    assert (first.number[:5], first.media_type, first.id_from_network) == ("+1213", "Offline: TV", "f-1")
    assert (first.custom_data, third.custom_data) == ({"store": "12"}, {})
    assert (second.number, second.promo_type, second.supplier) == ("+18055550177", "Mobile", "own")
    assert (second.campaign, third.campaign) == (scene.plumbing, scene.roofing)
    assert job.content == b"", "the file is not kept"
    assert [event.event for event in AuditEvent.objects.filter(object_type="numbers.numberimport").order_by("id")] == [
        "number_import.start", "number_import.end",
    ]  # fmt: skip
    assert AuditEvent.objects.filter(event="number.add", actor=scene.people.member).count() == 3


def test_every_refused_row_has_its_line_and_reason_and_the_others_are_added(scene):
    job = done(start(scene, HEADER + (
        "roofing,Good,,,,,,\n"
        "nowhere,Flyer,,,,,,\n"
        "roofing,,Smoke signals,,,,,\n"
        'roofing,"Two\nlines",,banana,,,,\n'
        "roofing,Cells,,,,,,1,2,3\n"
        "roofing,No stock,,,907,,,\n"
        "roofing,Good too,,,,,,\n"
    )))  # fmt: skip
    assert (job.added, job.refused, job.done) == (2, 5, 7)
    said = refused(job)
    assert said[3] == ("unknown_campaign", "There is no campaign with the own id “nowhere”.")
    assert "Say what the number is for" in said[4][1] and "Smoke signals” is not a media type" in said[4][1]
    assert said[5][0] == "invalid_phone_number"
    assert said[7][0] == "too_many_cells" and "“2”" in said[7][1]
    assert said[8][0] == "out_of_numbers" and "area code 907" in said[8][1]
    assert_counted(scene.network)


def test_a_limit_refuses_with_the_sentence_and_the_ceiling(scene):
    scene.limits(allowed=2, total=3)
    job = done(start(scene, "description,campaign\n" + "A,roofing\n" * 3 + "B,plumbing\n" * 3))
    assert (job.added, job.refused) == (3, 3)
    said = refused(job)
    assert all(reason.startswith(actions.SENTENCE) for _code, reason in said.values())
    assert {code for code, _reason in said.values()} == {"promo_number_limit_reached"}
    assert "Promo Numbers Allowed on the campaign: 2 of 2 used" in said[4][1] and "A Super User" in said[4][1]
    assert "All numbers of the network: 3 of 3 used" in said[7][1] and "Only platform staff" in said[7][1]
    assert_counted(scene.network)


def test_one_broken_row_does_not_stop_the_rest(scene, monkeypatch):
    real = imports.NumberRows.add

    def broken(self, row):
        if row.cells["description"] == "Bomb":
            PromoNumber.objects.create(network=scene.network, campaign=scene.roofing, number="")  # breaks a check
        real(self, row)

    monkeypatch.setattr(imports.NumberRows, "add", broken)
    job = done(start(scene, "description,campaign\nA,roofing\nBomb,roofing\nB,roofing\n"))
    assert (job.added, refused(job)[3][0]) == (2, "error")


def test_the_refused_file_can_be_mended_and_sent_again(scene):
    job = done(start(scene, "description,campaign,store\nFlyer,nowhere,7\n=Evil(),nowhere,8\n"))
    client = sign_in(scene.people.member)
    text = raw_of(client.get(reverse("numbers:import-refused", args=[job.pk])))
    first, second = csv.DictReader(io.StringIO(text))
    assert first == {
        "line": "2", "code": "unknown_campaign", "reason": "There is no campaign with the own id “nowhere”.",
        "description": "Flyer", "campaign": "nowhere", "store": "7",
    }  # fmt: skip
    assert second["description"] == "'=Evil()", "no cell is a formula"
    again = done(start(scene, text.replace(",nowhere,", ",roofing,")))
    assert (again.added, again.refused) == (2, 0), refused(again)
    assert PromoNumber.objects.get(description="Flyer").custom_data == {"store": "7"}


# Rights.


def test_who_starts_one(scene):
    holder = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    access_grant(by=None, obj=scene.roofing, to=holder, action="manage_numbers")
    text = "description,campaign\nFlyer,roofing\nSpot,plumbing\n"
    for user, error in (
        (scene.people.observer, NotAllowed),
        (scene.people.limited, NotAllowed),
        (scene.people.outsider, NotFound),
    ):
        with pytest.raises(error):
            start(scene, text, by=user)
        with pytest.raises((NotAllowed, NotFound)):
            start(scene, text, by=user, campaign=scene.roofing)
    with pytest.raises(NotAllowed):
        start(scene, "number\n+18055550100\n", by=scene.people.super, into_stock=True)
    job = done(start(scene, text, by=holder))
    assert job.added == 1 and refused(job)[3][0] == "unknown_campaign", "he may not even see the other"


def test_rights_are_those_of_the_moment_not_of_the_start(scene, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 2)
    job = start(scene, "description,campaign\n" + "A,roofing\n" * 6)
    assert imports.import_run(job.pk, seconds=0) is True
    Membership.objects.filter(user=scene.people.member).update(role=Role.OBSERVER)
    job = done(job)
    assert (job.added, job.refused) == (2, 4)
    assert {code for code, _ in refused(job).values()} == {"permission_denied"}


def test_a_closed_account_ends_it(scene):
    job = start(scene, "description,campaign\nA,roofing\n")
    scene.people.member.is_active = False
    scene.people.member.save()
    job = done(job)
    assert (job.state, job.added) == ("failed", 0) and "was closed" in job.error


def test_at_most_five_at_once(scene):
    for _ in range(5):
        start(scene, "description,campaign\nA,roofing\n")
    with pytest.raises(Conflict) as error:
        start(scene, "description,campaign\nA,roofing\n")
    assert error.value.code == "too_many_imports"


# Progress, cancel, and workers that die.


def test_it_goes_on_where_it_was_and_can_be_canceled_at_any_moment(scene, monkeypatch):
    scene.limits(allowed=100)
    monkeypatch.setattr(imports, "CHUNK", 3)
    job = start(scene, "description,campaign\n" + "A,roofing\n" * 10)
    assert imports.import_run(job.pk, seconds=0) is True
    job.refresh_from_db()
    assert (job.state, job.done, job.added) == ("running", 3, 3)
    with pytest.raises(NotAllowed):
        actions.import_cancel(by=MembershipFactory(network=scene.network, role=Role.MEMBER).user, job=job)
    assert actions.import_cancel(by=scene.people.member, job=job) is True
    assert imports.import_run(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.done, job.added, bytes(job.content)) == ("canceled", 3, 3, b"")
    assert PromoNumber.objects.count() == 3
    assert actions.import_cancel(by=scene.people.member, job=job) is False


def test_what_has_lost_its_worker_is_taken_over(scene, monkeypatch):
    woken = []
    monkeypatch.setattr(imports, "_wake", woken.append)
    job, fresh = start(scene, "description,campaign\nA,roofing\n"), start(scene, "description,campaign\nA,roofing\n")
    NumberImport.objects.filter(pk=job.pk).update(state="running", seen_at="2026-01-01T00:00Z")
    assert actions.imports_take_over() == 1
    assert woken == [job.pk]
    done(fresh)


def test_the_task_does_it_slice_by_slice(scene, monkeypatch, django_capture_on_commit_callbacks):
    """Celery's own machinery, in this process: started on commit, it asks itself for the next slice."""
    monkeypatch.undo()
    monkeypatch.setattr(imports.import_run, "__kwdefaults__", {"seconds": 0})
    scene.limits(allowed=100)
    current_app.conf.task_always_eager = True
    try:
        with django_capture_on_commit_callbacks(execute=True):
            job = start(scene, "description,campaign\n" + "A,roofing\n" * 50)
    finally:
        current_app.conf.task_always_eager = False
    job.refresh_from_db()
    assert (job.state, job.added) == ("done", 50)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_on_one_job_add_every_row_once(scene, monkeypatch):
    scene.limits(allowed=500)
    monkeypatch.setattr(imports, "CHUNK", 5)
    job = start(scene, "description,campaign,id_from_network\n" + "".join(f"A,roofing,own-{n}\n" for n in range(80)))

    def work(_number):
        while imports.import_run(job.pk, seconds=0):
            pass

    together(work, 8)
    done(job)
    assert (job.state, job.done, job.added, job.refused) == ("done", 80, 80, 0)
    assert PromoNumber.objects.count() == 80
    assert_counted(scene.network)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_loses_and_repeats_nothing(scene):
    """A real process, a real SIGKILL in the middle; another one takes the job over."""
    scene.limits(allowed=1000)
    stock(800, area_code="213")
    job = start(scene, "description,campaign,store\n" + "".join(f"Flyer {n},roofing,{n}\n" for n in range(700)))
    code = f"from promo_numbers.actions import import_run\nwhile import_run({job.pk}): pass"
    environment = os.environ | {"DATABASE_URL": _database()}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]

    def progress():
        return NumberImport.objects.values_list("done", "state").get(pk=job.pk)

    worker = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, start_new_session=True)
    try:
        while progress()[0] < 60:
            assert worker.poll() is None, "the worker ended by itself"
            time.sleep(0.01)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    reached, state = progress()
    assert state == "running" and 60 <= reached < 700, "killed in the middle"
    NumberImport.objects.filter(pk=job.pk).update(seen_at="2026-01-01T00:00Z")
    assert actions.imports_take_over() == 1
    second = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert second.returncode == 0, second.stderr
    job.refresh_from_db()
    assert (job.state, job.done, job.added, job.refused) == ("done", 700, 700, 0), refused(job)
    stores = sorted(int(row["store"]) for row in PromoNumber.objects.values_list("custom_data", flat=True))
    assert stores == list(range(700)), "every row exactly once"
    assert StockNumber.objects.filter(state="used").count() == 700
    assert AuditEvent.objects.filter(event="number.add").count() == 700
    assert_counted(scene.network)


def _database():
    """This test's database for another process."""
    from urllib.parse import quote, urlsplit

    at = urlsplit(os.environ["DATABASE_URL"])
    return at._replace(path="/" + quote(str(connection.settings_dict["NAME"]))).geturl()


# Stock.


def test_the_stock_is_filled_by_csv(scene, places):
    network = NetworkFactory(name="Blue Mesa")
    staff = scene.people.staff
    job = done(start(scene, (
        "number,last_number,area_code,locality,region,kind,network\n"
        "+13035550100,+13035550109,,,,,\n"
        "(213) 555-0100,,213,Los Angeles,California,,blue mesa\n"
        "+18005550100,,,,,toll-free,\n"
        "+13035550105,,,,,,\n"
        "+13035550100,+12135550109,,,,,\n"
        "+13035550120,,805,,,,\n"
        "banana,,,,,,\n"
        "+13035550130,,,,,,Nowhere\n"
    ), by=staff, into_stock=True))  # fmt: skip
    assert (job.added, job.refused) == (3, 5), refused(job)
    first = StockNumber.objects.get(number="+13035550100")
    assert (first.area_code, first.region, first.country, first.kind, first.network) == (
        "303",
        "CO",
        "US",
        "Local",
        None,
    )
    other = StockNumber.objects.get(number="+12135550100")
    assert (other.locality, other.region, other.network) == ("Los Angeles", "CA", network)
    assert StockNumber.objects.get(number="+18005550100").kind == "TollFree"
    assert StockNumber.objects.filter(number__startswith="+1303555").count() == 10
    assert [code for code, _ in refused(job).values()] == [
        "number_taken", "wrong_range", "wrong_area_code", "invalid_phone_number", "unknown_network",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("+18055550199", "+18055550100", "wrong_range"),
        ("+18055550100", "+18055560100", "wrong_range"),
        ("+18059999999", "+18060000001", "wrong_range"),
        ("x", "+18055550100", "invalid_phone_number"),
    ],
)
def test_a_wrong_range_is_refused(db, first, last, code):
    with pytest.raises(Invalid) as error:
        stock_put(first=first, last=last)
    assert error.value.code == code
    assert not StockNumber.objects.exists()


def test_a_range_from_the_page(scene, places):
    address = reverse("numbers:stock-range")
    values = {
        "first": "+17195550100",
        "last": "+17195550149",
        "kind": "Local",
        "locality": "",
        "region": "",
        "network": "",
    }
    for user in (scene.people.super, scene.people.limited):
        assert sign_in(user).post(address, values).status_code == 403
        assert sign_in(user).get(reverse("numbers:stock-import")).status_code == 403
    client = sign_in(scene.people.staff)
    assert "50 new numbers are in the stock" in text_of(client.post(address, values, follow=True))
    again = client.post(address, values)
    assert again.status_code == 422 and "in the stock already" in again.context["range_form"].errors["first"][0]
    assert "There is no network" in text_of(client.post(address, values | {"network": "Nowhere"}))


# Pages.


def upload(client, text, **query):
    file = SimpleUploadedFile("flyers.csv", text.encode() if isinstance(text, str) else text, "text/csv")
    return client.post(reverse("numbers:import-new", query=query or None), {"file": file})


def test_the_page_from_the_file_to_the_refused_rows(scene):
    client = sign_in(scene.people.member)
    response = upload(client, "description\nFlyer\n\nSpot\n", campaign=scene.roofing.pk)
    job = NumberImport.objects.get()
    assert response.status_code == 302 and response["Location"] == reverse("numbers:import", args=[job.pk])
    page = client.get(response["Location"])
    assert "0 of 2 rows dealt with" in text_of(page) and 'hx-trigger="every 1s' in page.content.decode()
    part = client.get(response["Location"], {"part": "progress"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "HX-Refresh" not in part.headers
    CampaignNumbers.objects.filter(pk=scene.roofing.pk).update(allowed=1)
    done(job)
    part = client.get(response["Location"], {"part": "progress"}, headers={"HX-Request": "true"})
    assert part.status_code == 286 and part.headers["HX-Refresh"] == "true"
    page = client.get(response["Location"])
    assert "data-live" not in page.content.decode(), "nothing is asked again once it has ended"
    assert "1 added" in text_of(page) and "1 refused" in text_of(page) and "promo number limit" in text_of(page)
    assert "flyers.csv" in text_of(client.get(reverse("numbers:imports")))


def test_a_wrong_file_is_explained_on_the_form(scene):
    client = sign_in(scene.people.member)
    response = upload(client, "colour,size\nred,4\n")
    assert (
        response.status_code == 422 and "missing: campaign, description" in response.context["form"].errors["file"][0]
    )
    assert client.post(reverse("numbers:import-new")).status_code == 422
    assert not NumberImport.objects.exists()


def test_a_file_that_is_too_large_is_not_even_read(scene):
    client = sign_in(scene.people.member)
    response = client.post(
        reverse("numbers:import-new"), b"x", content_type="multipart/form-data; boundary=x",
        headers={"Content-Length": str(30 * 1024 * 1024)}, CONTENT_LENGTH=str(30 * 1024 * 1024),
    )  # fmt: skip
    assert response.status_code == 413 and "larger than 20 MB" in text_of(response)


def test_a_forged_upload_is_refused(scene):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(scene.people.member, backend="portal.accounts.backends.RoleAndGrantBackend")
    assert upload(client, "description,campaign\nA,roofing\n").status_code == 403
    assert not NumberImport.objects.exists()


def test_who_sees_and_cancels_an_import(scene):
    holder = MembershipFactory(network=scene.network, role=Role.LIMITED).user
    access_grant(by=None, obj=scene.roofing, to=holder, action="manage_numbers")
    job = start(scene, "description,campaign\nA,roofing\n", by=holder)
    stock_job = start(scene, "number\n+13035550100\n", by=scene.people.staff, into_stock=True)
    page, cancel = (reverse(f"numbers:{name}", args=[job.pk]) for name in ("import", "import-cancel"))
    for user, seen in (
        (scene.people.limited, 404),
        (scene.people.observer, 404),
        (scene.people.outsider, 404),
        (scene.people.member, 200),
        (holder, 200),
        (scene.people.staff, 200),
    ):
        client = sign_in(user)
        assert client.get(page).status_code == seen
        assert client.get(reverse("numbers:import-refused", args=[job.pk])).status_code == seen
        if user != scene.people.staff:
            assert client.get(reverse("numbers:import", args=[stock_job.pk])).status_code == 404
    assert sign_in(scene.people.member).post(cancel).status_code == 403
    assert sign_in(scene.people.observer).post(cancel).status_code == 404
    assert sign_in(holder).get(cancel).status_code == 405
    assert sign_in(scene.people.manager).post(cancel).status_code == 302
    job.refresh_from_db()
    assert job.state == "canceled"


def test_who_left_the_network_sees_nothing_of_his_imports(scene):
    job = start(scene, "description,campaign\nA,roofing\n")
    Membership.objects.filter(user=scene.people.member).delete()
    assert sign_in(scene.people.member).get(reverse("numbers:import", args=[job.pk])).status_code == 404


def test_the_refused_rows_are_paginated(scene):
    job = start(scene, "description,campaign\nA,roofing\n")
    NumberImportRefusal.objects.bulk_create(
        NumberImportRefusal(job=job, line=n, row='{"a": "1"}', code="x", reason=f"Reason {n}") for n in range(2, 130)
    )
    actions.import_cancel(by=None, job=job)
    client = sign_in(scene.people.member)
    first = client.get(reverse("numbers:import", args=[job.pk])).context["page"]
    second = client.get(reverse("numbers:import", args=[job.pk]), {"after": first.after}).context["page"]
    assert first.rows[-1].line + 1 == second.rows[0].line == 52
    assert len(raw_of(client.get(reverse("numbers:import-refused", args=[job.pk]))).splitlines()) == 129
