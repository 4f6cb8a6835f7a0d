"""What the tests of the pages of promo numbers share."""

from django.urls import reverse
from promo_numbers import actions

SENTENCE = "You&#x27;ve reached your promo number limit. To add a number you must increase your promo number limit."


def at(name, *args, **query):
    return reverse(f"numbers:{name}", args=args, query=query or None)


def add(campaign, description="Flyer", **values):
    return actions.number_add(by=None, campaign=campaign, description=description, **values)


def new(**values):
    """What the browser sends for a new number, changed by `values`."""
    return {
        "description": "Flyer", "media_type": "Offline: Print", "which": "any", "promo_type": "Local", "area_code": "",
        "city": "", "state": "", "number": "", "id_from_network": "", "custom_data": "", **values,
    }  # fmt: skip


def who(scene, name, holder):
    return holder if name == "holder" else getattr(scene.people, name)
