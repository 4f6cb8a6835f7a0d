from django.apps import AppConfig


class PromoNumbersConfig(AppConfig):
    name = "promo_numbers"
    label = "numbers"
    verbose_name = "Promo numbers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from campaigns import ports

        from . import queries, rights

        ports.fill_campaign_of_number(queries.campaign_of_number)
        rights.register()
