"""Tasks queued outside a worker go to our broker."""

import subprocess
import sys

from celery import current_app
from django.conf import settings

from portal.accounts.tasks import invitation_send


def test_every_django_process_has_our_celery():
    assert current_app.main == "headroom"
    assert invitation_send.app.conf.broker_url == settings.BROKER_URL


def test_a_command_too():
    code = "from celery import current_app; print(current_app.main)"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    said = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True).stdout
    assert said.split()[-1] == "headroom"
