"""The wizard's steps as forms. Each shows some of a campaign's terms and hands them to the action under their own names."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from campaigns.choices import CampaignType, Distribution
from campaigns.models import Advertiser, Campaign
from campaigns.pricing import SIDES, policies_of
from campaigns.queries.lists import picked
from portal.accounts.actions.networks import CURRENCIES
from portal.errors import Invalid, Refused
from portal.web.forms import PortalForm

from .editors import HoursEditor, PoliciesEditor, RegionsEditor
from .fields import PickerField, zone_field


class StepForm(PortalForm):
    """One step of the wizard. `editors` are what it holds beside its fields."""

    def __init__(self, data: QueryDict | None, initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=dict(initial))
        self.editors: list[HoursEditor | RegionsEditor | PoliciesEditor] = []
        self.frozen = False

    def freeze(self) -> None:
        """Also says so to the template: editors are shown read-only."""
        super().freeze()
        self.frozen = True

    def values(self) -> dict[str, Any]:
        """What to hand to `campaign_update`."""
        return dict(self.cleaned_data)

    def refuse(self, error: Refused) -> None:
        if isinstance(error, Invalid):
            left = [
                problem
                for problem in error.problems
                if not any(editor.take(problem[0], problem[2]) for editor in self.editors)
            ]
            if not left:
                self.add_error(None, "Nothing was saved: see the marked rows.")
                return
            error = Invalid.of(left)
        super().refuse(error)


class BasicsForm(StepForm):
    """What the campaign is. Type, advertiser and own id are asked once, when it is created."""

    name = forms.CharField(max_length=200, help_text="Changes at once, also of a live campaign.")
    advertiser = forms.CharField()  # becomes a PickerField in __init__
    campaign_type = forms.ChoiceField(
        label="Type", choices=[choice for choice in CampaignType.choices if choice[0] != CampaignType.BUNDLED],
        help_text="It cannot be changed later.",
    )  # fmt: skip
    id_from_network = forms.CharField(label="Your own id", required=False)
    url = forms.URLField(label="Web address", required=False, assume_scheme="https")
    pause_date = forms.CharField(
        label="Pause date", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="It is paused when this day begins in its time zone. Blank = never by itself.",
    )  # fmt: skip
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))

    CREATE_ONLY = ("advertiser", "campaign_type", "id_from_network")

    def __init__(
        self, data: QueryDict | None = None, *, bundle: bool, creating: bool, advertisers: QuerySet[Advertiser],
        address: str, initial: Mapping[str, Any],
    ) -> None:  # fmt: skip
        super().__init__(data, initial)
        picker = PickerField(
            rows=advertisers, address=address, what="an advertiser",
            help_text="Type to search. It cannot be changed later.",
        )  # fmt: skip
        self.put("advertiser", picker)
        gone = self.CREATE_ONLY if not creating else ("campaign_type",) if bundle else ()
        for name in gone:
            self.fields.pop(name, None)

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in self.CREATE_ONLY}

    @staticmethod
    def initial_of(campaign: Campaign) -> dict[str, Any]:
        return {
            "name": campaign.name, "url": campaign.url, "description": campaign.description,
            "pause_date": campaign.pause_date and campaign.pause_date.isoformat(),
            "campaign_type": campaign.campaign_type, "advertiser": picked(campaign.advertiser),
        }  # fmt: skip


class DestinationStepForm(StepForm):
    """Where calls go, when and from where; of a bundle only the time zone (its destinations have rows of their own)."""

    destination_phone_number = forms.CharField(
        label="Destination number", required=False, widget=forms.TextInput(attrs={"type": "tel"}),
        help_text="Where calls are sent. Needed before the campaign goes live.",
    )  # fmt: skip
    time_zone = zone_field("Time zone", "Opening hours and dates are read in it.")
    operating_24_7 = forms.BooleanField(label="Open around the clock", required=False)

    def __init__(self, data: QueryDict | None = None, *, campaign: Campaign) -> None:
        names = ("destination_phone_number", "time_zone", "operating_24_7")
        super().__init__(data, {name: getattr(campaign, name) for name in names})
        self.hours: HoursEditor | None = None
        self.regions: RegionsEditor | None = None
        if campaign.is_bundle:
            del self.fields["destination_phone_number"], self.fields["operating_24_7"]
            return
        self.hours = HoursEditor(campaign.hours, data)
        self.regions = RegionsEditor(campaign.named_regions, data)
        self.editors = [self.hours, self.regions]

    def is_valid(self) -> bool:
        """Also whether the hours could be read."""
        return super().is_valid() and (self.hours is None or not self.hours.errors)

    def values(self) -> dict[str, Any]:
        values = dict(self.cleaned_data)
        if not values["time_zone"]:
            del values["time_zone"]
        if self.hours is not None and self.regions is not None:
            values["hours"], values["named_regions"] = self.hours.value(), self.regions.value()
        return values


class PayoutForm(StepForm):
    """The money: policies of what is received and what is paid."""

    currency = forms.ChoiceField(
        choices=[(code, code) for code in CURRENCIES], help_text="Of all its money and its budget."
    )

    def __init__(self, data: QueryDict | None = None, *, campaign: Campaign) -> None:
        super().__init__(data, {"currency": campaign.currency})
        self.payin, self.payout = (PoliciesEditor(side, policies_of(campaign, side), data) for side in SIDES)
        self.editors = [self.payin, self.payout]

    def values(self) -> dict[str, Any]:
        policies = {f"{editor.side}_policies": editor.value() for editor in (self.payin, self.payout)}
        return {**self.cleaned_data, **policies}


class TreatmentForm(StepForm):
    """What a bundle does with a call: how destinations share, where the rest goes, and repeat callers."""

    distribution = forms.ChoiceField(
        choices=Distribution.choices, help_text="How destinations of the same priority share the calls."
    )
    overflow = forms.CharField(required=False)  # becomes a PickerField in __init__
    repeat_caller = forms.BooleanField(
        label="Repeat caller", required=False,
        help_text="Send a caller back to the destination first connected. This ignores its concurrent call cap.",
    )  # fmt: skip
    repeat_window_days = forms.IntegerField(
        label="Repeat window (days)", help_text="1 to 365. Withheld numbers are never repeat callers."
    )

    def __init__(
        self, data: QueryDict | None = None, *, campaign: Campaign, destinations: QuerySet[Campaign], address: str
    ) -> None:
        super().__init__(
            data,
            {
                "distribution": campaign.distribution, "repeat_caller": campaign.repeat_caller,
                "repeat_window_days": campaign.repeat_window_days,
                "overflow": picked(campaign.overflow) if campaign.overflow else "",
            },
        )  # fmt: skip
        picker = PickerField(
            rows=destinations, address=address, what="a destination campaign", required=False, label="Overflow campaign",
            help_text="The else branch: gets the calls that no destination can take. Type to search.",
        )  # fmt: skip
        self.put("overflow", picker)
        if not campaign.is_bundle:
            self.fields.clear()
