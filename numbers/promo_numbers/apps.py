from django.apps import AppConfig


class PromoNumbersConfig(AppConfig):
    name = "promo_numbers"
    label = "numbers"
    verbose_name = "Promo numbers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from campaigns import ports
        from campaigns.models import Advertiser, Campaign
        from portal.accounts.access import Access, GrantPath, register
        from portal.accounts.roles import Role

        from . import queries
        from .models import PromoNumber

        ports.fill_campaign_of_number(queries.campaign_of_number)
        register(
            PromoNumber,
            Access(
                network="network_id",
                roles={"view": Role.OBSERVER, "manage_numbers": Role.MEMBER},
                grants=(GrantPath("campaign_id", Campaign), GrantPath("campaign__advertiser_id", Advertiser)),
            ),
        )
