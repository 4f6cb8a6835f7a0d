"""The app that carries the commands `up`, `demo` and `traffic`."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Nothing but commands: no models, no pages."""

    name = "portal.runtime"
    label = "runtime"
    verbose_name = "Setting up and running"
