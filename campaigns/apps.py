from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Campaigns"

    def ready(self) -> None:
        from portal.hooks.actions import kinds_register
        from portal.notices import kinds

        from . import rights
        from .actions import alerts

        rights.register()
        kinds_register(alerts.KINDS)
        kinds.register("cap", "Caps", "A budget or call cap is nearly used up, or has room again.")
