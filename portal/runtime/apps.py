"""The app that carries the commands `up`, `demo` and `traffic`."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Commands, and Celery for every process: no models, no pages."""

    name = "portal.runtime"
    label = "runtime"
    verbose_name = "Setting up and running"

    def ready(self) -> None:
        # Every process that queues tasks (web, commands) must know our broker, not only the worker that names the app.
        from portal import celery  # noqa: F401
