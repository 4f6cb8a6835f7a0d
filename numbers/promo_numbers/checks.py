"""System checks: settings of supply that are missing or cannot be meant are errors that name them."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .suppliers.registry import remote_names


@register()
def supply_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A supplier that exists, with credentials; look-ups that end; days of a month in their order."""
    problems: list[CheckMessage] = []
    name = settings.PROMO_NUMBER_SUPPLIER
    if name and name not in remote_names():
        problems.append(
            Error(
                f"PROMO_NUMBER_SUPPLIER is “{name}”.", hint=f"Use {', '.join(remote_names())}, or leave it empty.",
                id="numbers.E001",
            )
        )  # fmt: skip
    if name == "twilio" and not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        problems.append(
            Error(
                "PROMO_NUMBER_SUPPLIER is twilio, but there is no account to buy on.",
                hint="Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or TWILIO_AUTH_TOKEN_FILE).", id="numbers.E002",
            )
        )  # fmt: skip
    if not settings.PROMO_NUMBER_LOOK_UPS or min(settings.PROMO_NUMBER_LOOK_UPS) < 1:
        problems.append(
            Error("PROMO_NUMBER_LOOK_UPS holds no pauses.", hint="Such as 120,120,300,900,3600.", id="numbers.E003")
        )
    if not settings.PROMO_NUMBER_SUPPLIER_TIMEOUT > 0:
        problems.append(
            Error("PROMO_NUMBER_SUPPLIER_TIMEOUT is no time.", hint="Seconds, such as 10.", id="numbers.E004")
        )
    days = [
        settings.PROMO_NUMBER_RECLAIM_NOTICE_DAY, settings.PROMO_NUMBER_RECLAIM_REMINDER_DAY,
        settings.PROMO_NUMBER_RECLAIM_DAY,
    ]  # fmt: skip
    if not (1 <= days[0] < days[1] < days[2] <= 28) or settings.PROMO_NUMBER_RECLAIM_AFTER_DAYS < 1:
        problems.append(
            Error(
                f"Reclaiming: notice on {days[0]}, reminder on {days[1]}, reclaim on {days[2]}, after"
                f" {settings.PROMO_NUMBER_RECLAIM_AFTER_DAYS} days.",
                hint="Three days of a month in this order, 1 to 28 (PROMO_NUMBER_RECLAIM_NOTICE_DAY, …_REMINDER_DAY,"
                " PROMO_NUMBER_RECLAIM_DAY), and at least one day without calls (…_AFTER_DAYS).",
                id="numbers.E005",
            )
        )  # fmt: skip
    return problems
