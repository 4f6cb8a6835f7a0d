from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from portal.accounts import access

        from .models import AuditEvent

        # The same right as `view_audit` on the network; events above networks are for platform staff alone.
        roles = {"view": access.NETWORK_ROLES["view_audit"]}
        access.register(AuditEvent, access.Access(network="network_id", roles=roles))
