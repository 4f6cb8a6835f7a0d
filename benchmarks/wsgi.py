"""The portal's own WSGI application with one more address: the yardstick of `over_http`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.conf import settings

settings.ROOT_URLCONF = "benchmarks.urls"

from portal.wsgi import application  # noqa: E402

__all__ = ["application"]
