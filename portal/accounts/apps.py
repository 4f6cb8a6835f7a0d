from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from . import access, checks  # noqa: F401
        from .models import Network

        access.register(Network, access.Access(network="pk", roles=access.NETWORK_ROLES))
