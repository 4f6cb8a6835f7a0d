"""Imports in the background: progress, cancel, several workers, and workers that die."""

import os
import signal
import subprocess
import sys
import time

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from promo_numbers import actions
from promo_numbers.actions import imports
from promo_numbers.models import NumberImport, PromoNumber, StockNumber

from portal.accounts.roles import Role
from portal.audit.models import AuditEvent
from portal.errors import NotAllowed
from tests.campaigns.race import together
from tests.factories import MembershipFactory, stock

from .counting import assert_counted
from .importing import done, refused, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]


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
    monkeypatch.setattr(imports, "CHUNK", 20)
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
    scene.limits(allowed=9000)
    stock(8000, area_code="213")
    job = start(scene, "description,campaign,store\n" + "".join(f"Flyer {n},roofing,{n}\n" for n in range(8000)))
    code = f"from promo_numbers.actions import import_run\nwhile import_run({job.pk}): pass"
    environment = os.environ | {"DATABASE_URL": _database()}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]

    def progress():
        return NumberImport.objects.values_list("done", "state").get(pk=job.pk)

    worker = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, start_new_session=True)
    try:
        while progress()[0] < 500:
            assert worker.poll() is None, "the worker ended by itself"
            time.sleep(0.01)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    reached, state = progress()
    assert state == "running" and 500 <= reached < 8000, "killed in the middle"
    NumberImport.objects.filter(pk=job.pk).update(seen_at="2026-01-01T00:00Z")
    assert actions.imports_take_over() == 1
    second = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert second.returncode == 0, second.stderr
    job.refresh_from_db()
    assert (job.state, job.done, job.added, job.refused) == ("done", 8000, 8000, 0), refused(job)
    stores = sorted(int(row["store"]) for row in PromoNumber.objects.values_list("custom_data", flat=True))
    assert stores == list(range(8000)), "every row exactly once"
    assert StockNumber.objects.filter(state="used").count() == 8000
    assert AuditEvent.objects.filter(event="number.add").count() == 8000
    assert_counted(scene.network)


def _database():
    """This test's database for another process."""
    from urllib.parse import quote, urlsplit

    at = urlsplit(os.environ["DATABASE_URL"])
    return at._replace(path="/" + quote(str(connection.settings_dict["NAME"]))).geturl()
