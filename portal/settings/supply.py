"""Where promo numbers come from and when they go back."""

from celery.schedules import crontab

from .base import CELERY_BEAT_SCHEDULE
from .env import env

# Numbers that the stock does not have are bought from this supplier (“twilio”); empty = only the stock is used.
PROMO_NUMBER_SUPPLIER = env.str("PROMO_NUMBER_SUPPLIER", "")
# Ids of the networks that may buy; empty = all of them.
PROMO_NUMBER_SUPPLIER_NETWORKS = env.list("PROMO_NUMBER_SUPPLIER_NETWORKS", [], subcast=int)
# The platform's account that numbers are bought on. The token is a secret: TWILIO_AUTH_TOKEN_FILE works too.
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", "")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", "")
# Seconds that one request to a supplier may take.
PROMO_NUMBER_SUPPLIER_TIMEOUT = env.float("PROMO_NUMBER_SUPPLIER_TIMEOUT", 10.0)
# Seconds until an order without an answer is looked up, and then after each look-up; after the last it has failed.
PROMO_NUMBER_LOOK_UPS = env.list("PROMO_NUMBER_LOOK_UPS", [120, 120, 300, 900, 3600], subcast=int)
# Give numbers that were bought back to their supplier when their rest is over, instead of handing them out again.
PROMO_NUMBER_RELEASE_AFTER_REST = env.bool("PROMO_NUMBER_RELEASE_AFTER_REST", False)

# Numbers without a call for so many days are proposed to be taken back: notice, reminder and reclaim on these days of a
# month. Off: nothing is proposed.
PROMO_NUMBER_RECLAIM = env.bool("PROMO_NUMBER_RECLAIM", True)
PROMO_NUMBER_RECLAIM_AFTER_DAYS = env.int("PROMO_NUMBER_RECLAIM_AFTER_DAYS", 45)
PROMO_NUMBER_RECLAIM_NOTICE_DAY = env.int("PROMO_NUMBER_RECLAIM_NOTICE_DAY", 20)
PROMO_NUMBER_RECLAIM_REMINDER_DAY = env.int("PROMO_NUMBER_RECLAIM_REMINDER_DAY", 26)
PROMO_NUMBER_RECLAIM_DAY = env.int("PROMO_NUMBER_RECLAIM_DAY", 27)

CELERY_BEAT_SCHEDULE.update(
    {
        # For orders whose wake-up was lost; and for answers that never came.
        "place-number-orders": {
            "task": "promo_numbers.tasks.place_number_orders", "schedule": 30.0, "options": {"expires": 30},
        },
        "look-up-number-orders": {
            "task": "promo_numbers.tasks.look_up_number_orders", "schedule": 30.0, "options": {"expires": 30},
        },
        "reconcile-suppliers": {
            "task": "promo_numbers.tasks.reconcile_suppliers", "schedule": crontab(minute="7"), "options": {"expires": 3600},
        },
        "wake-stock": {"task": "promo_numbers.tasks.wake_stock", "schedule": 300.0, "options": {"expires": 300}},
        "roll-up-last-calls": {
            "task": "promo_numbers.tasks.roll_up_last_calls", "schedule": 300.0, "options": {"expires": 300},
        },
        # Each day several times: what is due is done once, whatever was missed.
        "reclaim-numbers": {"task": "promo_numbers.tasks.reclaim_numbers", "schedule": crontab(hour="*/6", minute="37")},
    }
)  # fmt: skip
