"""Reference data: where a number prefix belongs."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class AreaPrefix(models.Model):
    """Digits after the + and the place that they stand for: a country's code, an area code (NPA) or an NPA-NXX.

    Filled from the `phonenumbers` package by `manage.py refresh_area_prefixes`.
    """

    prefix = models.CharField(max_length=15, primary_key=True)
    level = models.CharField(
        max_length=8, choices=[("country", "Country"), ("area", "Area code"), ("exchange", "Exchange")]
    )
    country = models.CharField(max_length=2)
    state = models.CharField(max_length=60, blank=True, help_text="Two-letter code in the US and Canada.")
    city = models.CharField(max_length=100, blank=True)
    zones = ArrayField(models.CharField(max_length=20), default=list, help_text="Named zones such as Pacific.")

    class Meta:
        default_permissions = ()
        ordering = ["prefix"]
        indexes = [
            models.Index(fields=["country", "state", "city"], name="area_prefix_place"),
        ]

    def __str__(self) -> str:
        return self.prefix
