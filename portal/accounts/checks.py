"""System checks: a missing or unsafe production setting is an error that names it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

_EMAIL_TO_NOWHERE = ("console", "dummy", "locmem")


@register(Tags.security, deploy=False)
def settings_given(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without a secret key nothing can be signed; outside embedded mode it must come from the environment."""
    problems: list[CheckMessage] = []
    try:
        settings.SECRET_KEY  # noqa: B018 - Django raises on reading an empty one
    except ImproperlyConfigured:
        problems.append(
            Error(
                "SECRET_KEY is not set.",
                hint="Set SECRET_KEY or SECRET_KEY_FILE, or start with `make run`.",
                id="headroom.E001",
            )
        )
    return problems


@register(Tags.security, deploy=True)
def settings_safe(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What an operator must have decided before others depend on the portal (`manage.py check --deploy`)."""
    problems: list[CheckMessage] = []
    if settings.HEADROOM_EMBEDDED:
        problems.append(
            Error("The portal runs on embedded services.", hint="Give DATABASE_URL and BROKER_URL.", id="headroom.E002")
        )
    if not settings.ALLOWED_HOSTS:
        problems.append(
            Error("ALLOWED_HOSTS is empty.", hint="Name the hosts that the portal answers for.", id="headroom.E003")
        )
    if any(word in settings.EMAIL_BACKEND for word in _EMAIL_TO_NOWHERE):
        problems.append(
            Error(
                "EMAIL_URL is not set: mail goes nowhere.",
                hint="Such as submission://user:password@host.",
                id="headroom.E004",
            )
        )
    if settings.CACHES["default"]["BACKEND"].endswith(("LocMemCache", "DummyCache")):
        problems.append(
            Error(
                "Rate limits need a shared cache.",
                hint="Set CACHE_URL or a Redis-compatible BROKER_URL.",
                id="headroom.E005",
            )
        )
    return problems
