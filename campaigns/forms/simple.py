"""Forms of a few fields: a destination's place in a bundle, an advertiser."""

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from campaigns.models import Campaign
from portal.web.forms import PortalForm

from .fields import PickerField


class DestinationForm(PortalForm):
    """A destination's place in a bundle."""

    priority = forms.IntegerField(
        initial=1, help_text="1 comes first. The next one gets calls only when it has nothing free."
    )
    weight = forms.IntegerField(initial=1, help_text="Its share among destinations of the same priority. 0 = no calls.")


class DestinationAddForm(DestinationForm):
    destination = forms.CharField()  # becomes a PickerField in __init__
    field_order = ("destination", "priority", "weight")

    def __init__(self, data: QueryDict | None = None, *, rows: QuerySet[Campaign], address: str) -> None:
        super().__init__(data)
        picker = PickerField(
            rows=rows, address=address, what="a destination campaign", label="Destination campaign",
            help_text="Type to search by name or own id. A bundle cannot stand in a bundle.",
        )  # fmt: skip
        self.put("destination", picker)


class AdvertiserForm(PortalForm):
    name = forms.CharField(max_length=200)
    id_from_network = forms.CharField(label="Your own id", required=False)
