"""Fields that several forms share."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from campaigns.queries.lists import pick
from portal.zones import time_zones as known_zones

ZONE_LIST = "time-zones"


def time_zones() -> list[str]:
    """Zones to suggest: those with a place, without the aliases that nobody types."""
    areas = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Pacific/")
    return [*sorted(zone for zone in known_zones() if zone.startswith(areas)), "UTC"]


def zone_field(label: str, help_text: str = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"list": ZONE_LIST, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, help_text=help_text, widget=widget)


class PickerField(forms.CharField):
    """A campaign or advertiser found by typing: suggestions come from `address`, `rows` are those that may be picked."""

    def __init__(self, *, rows: QuerySet[Any], address: str, what: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.what = rows, what
        self.widget.attrs.update({"autocomplete": "off", "spellcheck": "false", "data-suggest": address})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        row = pick(self.rows, text)
        if row is None:
            raise forms.ValidationError(f"“{text}” is not {self.what} that you can see; choose one from the list.")
        return row
