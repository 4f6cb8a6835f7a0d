from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from . import access, checks  # noqa: F401
        from .models import Membership, Network, NetworkGroup
        from .roles import Role

        access.register(Network, access.Access(network="pk", roles=access.NETWORK_ROLES))
        members = {"view": Role.OBSERVER, "change": Role.SUPER, "delete": Role.SUPER}
        for model in (Membership, NetworkGroup):
            access.register(model, access.Access(network="network_id", roles=members))
