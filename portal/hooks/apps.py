from django.apps import AppConfig


class HooksConfig(AppConfig):
    name = "portal.hooks"
    label = "hooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from portal.accounts.access import Access, register
        from portal.accounts.roles import Role

        from .models import Delivery, Webhook

        roles = {"view": Role.SUPER, "change": Role.SUPER}
        register(Webhook, Access(network="network_id", roles=roles))
        register(Delivery, Access(network="webhook__network_id", roles=roles))
