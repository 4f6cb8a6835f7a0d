from django.apps import AppConfig


class OutboundConfig(AppConfig):
    name = "outbound"
    verbose_name = "Outbound"

    def ready(self) -> None:
        from . import rights

        rights.register()
