"""The forms of the number pages. They read what was typed; the rules and their words are the actions'."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from campaigns.forms import PickerField
from campaigns.models import Campaign
from campaigns.regions import STATES
from portal.accounts.models import Network
from portal.web.forms import PortalForm
from promo_numbers.choices import MediaType, PromoType
from promo_numbers.models import PromoNumber
from promo_numbers.queries.numbers import custom_data_text
from promo_numbers.suppliers import Wanted

ANY, OWN = "any", "own"


class CustomDataField(forms.CharField):
    """“name = value” per line. What was not touched keeps its value as it was, of whatever JSON type."""

    widget = forms.Textarea

    def __init__(self, *, before: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before = dict(before or {})
        self.initial = custom_data_text(self.before)
        self.widget.attrs.update({"rows": 3, "spellcheck": "false", "placeholder": "store = 12"})

    def clean(self, value: Any) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            name, equals, text = (part.strip() for part in line.partition("="))
            if not equals or not name:
                raise forms.ValidationError(f"“{line[:60]}” is not of the form name = value.", code="no_value")
            if name in data:
                raise forms.ValidationError(f"“{name}” stands there twice.", code="twice")
            old = self.before.get(name)
            data[name] = old if name in self.before and self._shown(old) == text else text
        return data

    @staticmethod
    def _shown(value: Any) -> str:
        return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class NumberForm(PortalForm):
    """What a number carries."""

    description = forms.CharField(max_length=200, help_text="What it is for: the flyer, the billboard, the site.")
    media_type = forms.ChoiceField(label="Media type", choices=MediaType.choices)
    id_from_network = forms.CharField(
        label="Your own id", required=False, max_length=100, help_text="Unique among the network's numbers."
    )
    custom_data = forms.CharField(required=False)  # becomes a CustomDataField in __init__

    def __init__(self, *args: Any, number: PromoNumber | None = None, **kwargs: Any) -> None:
        if number is not None:
            kwargs["initial"] = {
                "description": number.description, "media_type": number.media_type,
                "id_from_network": number.id_from_network,
            }  # fmt: skip
        super().__init__(*args, **kwargs)
        self.put(
            "custom_data",
            CustomDataField(
                before=number.custom_data if number else None, label="Custom data", required=False,
                help_text="One “name = value” per line; calls to the number carry it.",
            ),
        )  # fmt: skip

    def values(self) -> dict[str, Any]:
        """What to hand to the action."""
        return {name: self.cleaned_data[name] for name in NumberForm.base_fields}


class NumberAddForm(NumberForm):
    """Any free number as wished, or a certain one."""

    field_names = {"promo_number": "number"}
    which = forms.ChoiceField(
        label="Which number", choices=[(ANY, "Any free number"), (OWN, "A certain number")], widget=forms.RadioSelect,
        initial=ANY,
    )  # fmt: skip
    promo_type = forms.ChoiceField(label="Kind", choices=PromoType.choices)
    area_code = forms.CharField(label="Area code", required=False, help_text="Such as 805; several with commas.")
    city = forms.CharField(required=False, max_length=100)
    state = forms.CharField(required=False, max_length=60, help_text="Such as CA.")
    number = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        help_text="Of our stock, or your own that you carry to us.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("which") == OWN and not given.get("number"):
            self.add_error("number", "Say which number, or choose any free one.")
        for code in self._codes():
            if not re.fullmatch(r"\d{2,6}", code):
                self.add_error("area_code", f"“{code[:20]}” is not an area code; write it like 805.")
        return given

    def _codes(self) -> tuple[str, ...]:
        return tuple(part for part in re.split(r"[,;\s]+", self.cleaned_data.get("area_code", "")) if part)

    def values(self) -> dict[str, Any]:
        given, state = self.cleaned_data, self.cleaned_data["state"].strip()
        values = super().values() | {"promo_type": given["promo_type"]}
        if given["which"] == OWN:
            return values | {"number": given["number"]}
        region = STATES.get(state.title(), state.upper())
        wanted = Wanted(
            kind=given["promo_type"], area_codes=self._codes(), locality=given["city"].strip(), region=region
        )
        return values | {"wanted": wanted}


class CampaignPick(PortalForm):
    """The campaign that numbers go to."""

    def __init__(self, data: Any = None, *, rows: QuerySet[Campaign], address: str) -> None:
        super().__init__(data)
        picker = PickerField(
            rows=rows, address=address, what="a campaign", label="Campaign",
            help_text="Type to search by name or own id. Its limit must have room.",
        )  # fmt: skip
        self.put("campaign", picker)


class CampaignLimitForm(PortalForm):
    """“Promo Numbers Allowed”. `confirmed` holds the figure that the warning was about: another one is asked for anew."""

    allowed = forms.IntegerField(label="Promo Numbers Allowed", widget=forms.NumberInput(attrs={"min": 0, "step": 1}))
    reason = forms.CharField(
        label="Why", max_length=500, required=False, help_text="Kept in the audit log; your CSM reads it."
    )
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def is_confirmed(self) -> bool:
        return self.cleaned_data["confirmed"] == str(self.cleaned_data["allowed"])


class NetworkLimitsForm(PortalForm):
    """A network's limits; blank = none. For platform staff."""

    total = forms.IntegerField(
        label="All numbers", required=False, help_text="Static and dynamic. Blank = no limit, 0 = closed."
    )
    dynamic = forms.IntegerField(
        label="Dynamic numbers", required=False, help_text="In RingPools. Blank = no limit, 0 = closed."
    )
    campaign_default = forms.IntegerField(
        label="A new campaign's limit", help_text="Promo Numbers Allowed on campaigns created from now on."
    )
    reason = forms.CharField(label="Why", max_length=500, required=False, help_text="Kept in the audit log.")

    def limits(self) -> dict[str, int | None]:
        return {name: self.cleaned_data[name] for name in ("total", "dynamic", "campaign_default")}


class ImportForm(PortalForm):
    file = forms.FileField(label="CSV file", widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}))

    def content(self) -> tuple[bytes, str]:
        """(the file, its name)"""
        file: UploadedFile = self.cleaned_data["file"]
        return file.read(), file.name or ""


class StockRangeForm(PortalForm):
    """A range of numbers for the stock."""

    field_names = {"number": "first", "last_number": "last"}
    first = forms.CharField(
        label="First number", widget=forms.TextInput(attrs={"type": "tel", "placeholder": "+18055550100"})
    )
    last = forms.CharField(
        label="Last number", widget=forms.TextInput(attrs={"type": "tel", "placeholder": "+18055550199"})
    )
    kind = forms.ChoiceField(choices=PromoType.choices)
    locality = forms.CharField(label="City", required=False, max_length=100, help_text="Blank = as the number says.")
    region = forms.CharField(label="State", required=False, max_length=60, help_text="Blank = as the number says.")
    network = forms.CharField(
        label="For the network", required=False, help_text="Its name; blank = any network may take them."
    )

    def clean_network(self) -> Network | None:
        name = self.cleaned_data["network"].strip()
        network = Network.objects.filter(name__iexact=name).first() if name else None
        if name and network is None:
            raise forms.ValidationError(f"There is no network “{name}”.", code="unknown_network")
        return network
