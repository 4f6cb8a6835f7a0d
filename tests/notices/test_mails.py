"""Mails over a real SMTP connection: delivered, tried again, never twice by two workers, never lost by a killed one."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from portal.notices import actions
from portal.notices.models import Notice
from tests.campaigns.race import together
from tests.factories import NetworkFactory, UserFactory

from .smtp import SmtpServer, closed_port

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent

WORKER = """
import os, django
django.setup()
from django.conf import settings
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(os.environ["SMTP_PORT"])
settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
from portal.notices.actions import mails_send
print("sent", mails_send(), flush=True)
"""


@pytest.fixture
def by_smtp(settings):
    """Mails go to the given port from now on."""

    def use(port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""

    return use


def tell(count=1, **values):
    network = NetworkFactory()
    users = UserFactory.create_batch(count)
    values.setdefault("title", "Approved: 10 more numbers")
    actions.notify(users=users, kind="limit_request.decided", network=network, **values)
    return users, network


def worker(port):
    """A mail worker in a process of its own, on the tests' database."""
    database = connection.settings_dict
    environment = {
        **os.environ, "SMTP_PORT": str(port), "DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONPATH": str(ROOT),
        "DATABASE_URL": _url(database),
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", WORKER], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def _url(database):
    from urllib.parse import quote

    who = quote(database["USER"] or "", safe="") + (
        f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    )
    host = quote(database["HOST"] or "", safe="")
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{who}{'@' if who else ''}{host}{port}/{database['NAME']}"


def test_a_notice_arrives_as_a_mail_once(by_smtp, settings):
    settings.PORTAL_URL = "https://portal.example"
    with SmtpServer() as server:
        by_smtp(server.port)
        (user,), network = tell(body="The limit was raised from 50 to 60.", link="/numbers/requests/7/")
        assert actions.mails_send() == 1
        assert actions.mails_send() == 0
    (mail,) = server.mails
    assert (mail["To"], mail["Subject"]) == (user.email, f"[{network}] Approved: 10 more numbers")
    assert mail.get_content().replace("\r", "").split("\n\n") == [
        "The limit was raised from 50 to 60.", "https://portal.example/numbers/requests/7/\n",
    ]  # fmt: skip
    notice = Notice.objects.get()
    assert notice.mailed_at is not None and notice.mail_tries == 1


@pytest.mark.parametrize("breaks", ["\n", "\r", "\r\n", "\x0b"])
def test_a_title_of_several_lines_makes_no_headers(by_smtp, breaks):
    with SmtpServer() as server:
        by_smtp(server.port)
        tell(title=f"Hello{breaks}Bcc: everybody@example.com")
        assert actions.mails_send() == 1
    (mail,) = server.mails
    assert mail["Bcc"] is None and "Bcc: everybody" in mail["Subject"]


def test_a_server_that_is_down_then_up(by_smtp):
    port = closed_port()
    by_smtp(port)
    tell(3)
    assert actions.mails_send() == 0
    rows = Notice.objects.all()
    assert {row.mail_tries for row in rows} == {1}
    assert all(row.mailed_at is None and row.mail_after > timezone.now() for row in rows)
    assert actions.mails_send() == 0
    assert {row.mail_tries for row in Notice.objects.all()} == {1}, "not tried again before its time"
    with SmtpServer(port) as server:
        Notice.objects.update(mail_after=timezone.now() - timedelta(seconds=1))
        assert actions.mails_send() == 3
    assert len(server.mails) == 3


def test_after_the_last_try_the_bell_alone_keeps_it(by_smtp):
    by_smtp(closed_port())
    tell()
    for _ in range(10):
        Notice.objects.update(mail_after=timezone.now() - timedelta(seconds=1))
        actions.mails_send()
    notice = Notice.objects.get()
    assert notice.mail_tries == len(actions.RETRY_MINUTES) + 1
    assert notice.mailed_at is None and notice.read_at is None


def test_many_workers_at_once_send_each_mail_once(by_smtp):
    with SmtpServer() as server:
        by_smtp(server.port)
        users, _ = tell(40)
        together(lambda number: actions.mails_send(), threads=4)
        assert actions.mails_send() == 0
    assert sorted(mail["To"] for mail in server.mails) == sorted(user.email for user in users)


def test_who_was_told_in_a_transaction_that_failed_gets_no_mail(by_smtp):
    from django.db import transaction

    with SmtpServer() as server:
        by_smtp(server.port)
        with pytest.raises(RuntimeError), transaction.atomic():
            tell()
            raise RuntimeError
        assert actions.mails_send() == 0
    assert server.mails == []


def test_a_worker_that_is_killed_loses_no_mail(by_smtp):
    """Killed while the server had the mail and had not answered: the row is free again and the next worker sends it."""
    with SmtpServer() as server:
        by_smtp(server.port)
        (user,), _ = tell()
        server.hold()
        process = worker(server.port)
        try:
            assert server.arrived.acquire(timeout=120)
            assert actions.mails_send() == 0, "the row is held by the other worker"
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
        server.let_go()
        sent = 0
        for _ in range(200):  # until PostgreSQL has noticed that the worker is gone
            if sent := actions.mails_send():
                break
            connection.cursor().execute("SELECT pg_sleep(0.05)")
        assert sent == 1
    assert {mail["To"] for mail in server.mails} == {user.email}
    assert Notice.objects.get().mailed_at is not None
