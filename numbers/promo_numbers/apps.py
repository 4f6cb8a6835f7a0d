from django.apps import AppConfig


class PromoNumbersConfig(AppConfig):
    name = "promo_numbers"
    label = "numbers"
    verbose_name = "Promo numbers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from campaigns import ports
        from portal.notices import kinds

        from . import checks, queries, rights  # noqa: F401 - importing the checks registers them
        from .queries import pools

        ports.fill_campaign_of_number(queries.campaign_of_number)
        ports.fill_facts_of_number(queries.facts_of_number)
        ports.fill_visit_of_number(pools.visit_of_number)
        rights.register()
        kinds.register("limit_request", "Limit requests", "Asked, decided or withdrawn, where you ask or decide.")
        kinds.register(
            "number_order", "Bought numbers", "A number that you asked for came late, or could not be bought."
        )
        kinds.register("reclaim", "Numbers without calls", "Numbers that will be reclaimed, and those that were.")
        kinds.register(
            "stock", "Stock of numbers", "Numbers that their supplier does not know any more (platform staff)."
        )
        kinds.register("number_limit", "Promo number limits", "Somebody raised a limit that you look after.")
