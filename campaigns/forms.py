"""The forms of campaign pages. They read what was typed; the rules and their words are the actions'."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from campaigns.choices import CampaignType, CapKind, Distribution, RegionType, ResetPeriod
from campaigns.hours import DAY, DAYS
from campaigns.models import Advertiser, Campaign, Cap
from campaigns.queries.lists import pick, picked
from portal.accounts.actions.networks import CURRENCIES
from portal.errors import Invalid, Refused
from portal.web.forms import PortalForm
from portal.zones import time_zones as known_zones

ZONE_LIST = "time-zones"


def time_zones() -> list[str]:
    """Zones to suggest: those with a place, without the aliases that nobody types."""
    areas = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Pacific/")
    return [*sorted(zone for zone in known_zones() if zone.startswith(areas)), "UTC"]


def _zone_field(label: str, help_text: str = "") -> forms.CharField:
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


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds % DAY, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{left:02d}" if left else "")


def _seconds(text: str) -> int:
    """Seconds past midnight of hh:mm or hh:mm:ss; ValueError for anything else."""
    parts = [int(part) for part in text.split(":")]
    if len(parts) not in (2, 3) or not (0 <= parts[0] < 24 and all(0 <= part < 60 for part in parts[1:])):
        raise ValueError(text)
    return sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


class CampaignForm(PortalForm):
    """Create or change a campaign. `bundle` says which kind of fields it shows; hours and regions are editors of their own."""

    name = forms.CharField(max_length=200)
    id_from_network = forms.CharField(label="Your own id", required=False)
    advertiser = forms.CharField()  # becomes a PickerField in __init__
    campaign_type = forms.ChoiceField(
        label="Type", required=False,
        choices=[choice for choice in CampaignType.choices if choice[0] != CampaignType.BUNDLED],
    )  # fmt: skip
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    url = forms.URLField(label="Web address", required=False, assume_scheme="https")
    time_zone = _zone_field("Time zone", "Opening hours are read in it.")
    destination_phone_number = forms.CharField(
        label="Destination number", required=False, widget=forms.TextInput(attrs={"type": "tel"}),
        help_text="Where calls are sent. Needed before the campaign goes live.",
    )  # fmt: skip
    currency = forms.ChoiceField(choices=[(code, code) for code in CURRENCIES], required=False)
    payin = forms.CharField(required=False, help_text="Received per connected call.")
    payout = forms.CharField(required=False, help_text="Paid per connected call; counts against the budget cap.")
    operating_24_7 = forms.BooleanField(label="Open around the clock", required=False)

    distribution = forms.ChoiceField(
        choices=Distribution.choices, required=False,
        help_text="How destinations of the same priority share the calls.",
    )  # fmt: skip
    overflow = forms.CharField(required=False)  # becomes a PickerField in __init__
    repeat_caller = forms.BooleanField(
        label="Repeat caller", required=False,
        help_text="Send a caller back to the destination first connected, even over its concurrent call cap.",
    )  # fmt: skip
    repeat_window_days = forms.IntegerField(label="Repeat window (days)", required=False)

    DESTINATION_ONLY = ("campaign_type", "destination_phone_number", "operating_24_7")
    BUNDLE_ONLY = ("distribution", "overflow", "repeat_caller", "repeat_window_days")
    CREATE_ONLY = ("id_from_network", "advertiser", "campaign_type")

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        bundle: bool,
        creating: bool,
        advertisers: QuerySet[Advertiser],
        destinations: QuerySet[Campaign],
        addresses: Mapping[str, str],
        initial: Mapping[str, Any],
    ) -> None:
        super().__init__(data, initial=dict(initial))
        advertiser = PickerField(
            rows=advertisers, address=addresses["advertisers"], what="an advertiser",
            help_text="Type to search. It cannot be changed later.",
        )  # fmt: skip
        overflow = PickerField(
            rows=destinations, address=addresses["destinations"], what="a destination campaign", required=False,
            label="Overflow campaign", help_text="The else branch: gets the calls that no destination can take. Type to search.",
        )  # fmt: skip
        self.put("advertiser", advertiser)
        self.put("overflow", overflow)
        self.bundle, self.creating = bundle, creating
        gone = [*(self.DESTINATION_ONLY if bundle else self.BUNDLE_ONLY), *(() if creating else self.CREATE_ONLY)]
        for name in gone:
            self.fields.pop(name, None)
        self.hours = None if bundle else HoursEditor(initial.get("hours") or {}, data)
        self.regions = None if bundle else RegionsEditor(initial.get("named_regions") or [], data)

    def is_valid(self) -> bool:
        """Also whether the hours could be read."""
        return super().is_valid() and (self.hours is None or not self.hours.errors)

    def values(self) -> dict[str, Any]:
        """What to hand to the action: `FIELDS` of `campaigns.actions.campaigns`."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in self.CREATE_ONLY}
        for name in ("payin", "payout"):
            values[name] = values[name].strip() or 0
        if not values["time_zone"]:
            del values["time_zone"]
        if self.hours is not None and self.regions is not None:
            values["hours"] = self.hours.value()
            values["named_regions"] = self.regions.value()
        if self.bundle and values.get("repeat_window_days") is None:
            values.pop("repeat_window_days", None)
        return values

    def refuse(self, error: Refused) -> None:
        if isinstance(error, Invalid):
            left = [
                problem
                for problem in error.problems
                if not (self.hours and self.hours.take(problem[0], problem[2]))
                and not (self.regions and self.regions.take(problem[0], problem[2]))
            ]
            if not left:
                self.add_error(None, "Nothing was saved: see the marked hours and regions.")
                return
            error = Invalid.of(left)
        super().refuse(error)


def campaign_initial(campaign: Campaign) -> dict[str, Any]:
    """A campaign's values as the form shows them."""
    names = (
        "name", "description", "url", "time_zone", "destination_phone_number", "currency", "operating_24_7", "hours",
        "named_regions", "distribution", "repeat_caller", "repeat_window_days", "campaign_type",
    )  # fmt: skip
    initial = {name: getattr(campaign, name) for name in names}
    for name in ("payin", "payout"):
        initial[name] = f"{getattr(campaign, name).normalize():f}"
    initial["overflow"] = picked(campaign.overflow) if campaign.overflow else ""
    initial["advertiser"] = picked(campaign.advertiser)
    return initial


class HoursEditor:
    """Opening hours, a row per day: opens, closes, and whether it closes on the next day."""

    def __init__(self, hours: Mapping[str, int], data: QueryDict | None) -> None:
        self.errors: dict[str, str] = {}
        self._value: dict[str, int] = {}
        self.rows = [self._row(day, hours, data) for day in DAYS]

    def _row(self, day: str, hours: Mapping[str, int], data: QueryDict | None) -> dict[str, Any]:
        row: dict[str, Any] = {"day": day, "label": day.title()}
        if data is not None:
            row["opens"], row["closes"] = data.get(f"{day}_open", "").strip(), data.get(f"{day}_closed", "").strip()
            row["overnight"] = f"{day}_overnight" in data
            self._read(day, row)
        elif f"{day}_open" in hours:
            opens, closes = hours[f"{day}_open"], hours[f"{day}_closed"]
            row |= {"opens": _clock(opens), "closes": _clock(closes), "overnight": closes >= DAY}
        return row

    def _read(self, day: str, row: dict[str, Any]) -> None:
        for edge, text in (("open", row["opens"]), ("closed", row["closes"])):
            if not text:
                continue
            try:
                self._value[f"{day}_{edge}"] = _seconds(text)
            except ValueError:
                self.errors[day] = f"{row['label']}: “{text}” is not a time; write it as 08:30."
                return
        opens, closes = self._value.get(f"{day}_open"), self._value.get(f"{day}_closed")
        if opens is None or closes is None:
            return
        if row["overnight"]:
            self._value[f"{day}_closed"] = closes + DAY
        elif closes <= opens:
            self.errors[day] = (
                f"{row['label']} closes at {_clock(closes)}, not after it opens at {_clock(opens)}; "
                "tick “next day” if it is open overnight."
            )

    def value(self) -> dict[str, int]:
        return self._value

    def take(self, field: str | None, message: str) -> bool:
        """Show an action's problem on its day's row; False if it is not about hours."""
        if not field or not field.startswith("hours"):
            return False
        day = field.partition(".")[2].partition("_")[0]
        self.errors[day if day in DAYS else DAYS[0]] = message
        return True

    def __iter__(self) -> Iterable[dict[str, Any]]:
        return iter([{**row, "error": self.errors.get(row["day"])} for row in self.rows])


class RegionsEditor:
    """Named regions as flat rows (name, type, value); rows of one name make one named region."""

    TYPES = RegionType.choices

    def __init__(self, named_regions: Iterable[Mapping[str, Any]], data: QueryDict | None) -> None:
        self.errors: dict[int, str] = {}
        if data is not None:
            columns = (data.getlist(f"region_{name}") for name in ("name", "type", "value"))
            rows = [(name.strip(), kind, value.strip()) for name, kind, value in zip(*columns, strict=False)]
            self.rows = [row for row in rows if row[2] or row[0]]
        else:
            self.rows = [
                (named["name"], region["region_type"], region["value"])
                for named in named_regions
                for region in named["regions"]
            ]

    def _grouped(self) -> dict[str, list[int]]:
        """{name of region: indexes of its rows}. A row without a name is called after its value."""
        groups: dict[str, list[int]] = {}
        for index, (name, _kind, value) in enumerate(self.rows):
            groups.setdefault(name or value, []).append(index)
        return groups

    def value(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "regions": [{"region_type": self.rows[i][1], "value": self.rows[i][2]} for i in indexes],
            }
            for name, indexes in self._grouped().items()
        ]

    def take(self, field: str | None, message: str) -> bool:
        """Show an action's problem (`named_regions.1.regions.0.value`) on its row; False if it is not about regions."""
        if not field or not field.startswith("named_regions"):
            return False
        path = field.split(".")
        groups = list(self._grouped().values())
        try:
            index = groups[int(path[1])][int(path[3]) if len(path) > 3 else 0]
        except (IndexError, ValueError):
            index = 0
        self.errors[index] = message
        return True

    def __iter__(self) -> Iterable[dict[str, Any]]:
        rows = [*self.rows, ("", RegionType.CITY, "")]
        return iter(
            [
                {"name": name, "type": kind, "value": value, "error": self.errors.get(index), "index": index}
                for index, (name, kind, value) in enumerate(rows)
            ]
        )


class CapForm(PortalForm):
    """One cap. A blank amount means none; the action says what is wrong with any other."""

    amount = forms.CharField(required=False)
    reset_period = forms.ChoiceField(label="Resets", choices=ResetPeriod.choices, required=False)
    starts_at = forms.CharField(
        label="First day", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Periods are counted from this day, each beginning at midnight in the time zone.",
    )  # fmt: skip
    time_zone = _zone_field("Time zone")
    include_call_fees = forms.BooleanField(label="Include call fees", required=False)
    alerts_enabled = forms.BooleanField(label="Send alerts", required=False)
    alert_thresholds = forms.CharField(
        label="Alert at (percent)", required=False, help_text="Up to ten, separated by commas."
    )

    AMOUNTS: Mapping[str, tuple[str, str]] = {
        CapKind.BUDGET: ("Budget per period ({currency})", "Blank = no budget cap. 0 = closed: no call fits in."),
        CapKind.PERIODIC_CALLS: ("Calls per period", "Blank = no cap. 0 = closed: no call at all."),
        CapKind.CONCURRENT_CALLS: (
            "Calls at once",
            "Usually the number of agents. Blank = no cap. 0 = closed: no bundle sends calls here.",
        ),
    }

    def __init__(self, data: QueryDict | None = None, *, kind: str, campaign: Campaign, cap: Cap | None) -> None:
        super().__init__(data, prefix=kind, initial=self._initial(kind, campaign, cap))
        self.kind, self.cap = kind, cap
        label, help_text = self.AMOUNTS[kind]
        step = "0.01" if kind == CapKind.BUDGET else "1"
        self.fields["amount"].label = label.format(currency=campaign.currency)
        self.fields["amount"].help_text = help_text
        self.fields["amount"].widget.attrs |= {"inputmode": "decimal" if step == "0.01" else "numeric", "autocomplete": "off"}  # fmt: skip
        if kind == CapKind.CONCURRENT_CALLS:
            for name in ("reset_period", "starts_at", "time_zone", "include_call_fees"):
                del self.fields[name]
        elif kind == CapKind.PERIODIC_CALLS:
            del self.fields["include_call_fees"]

    @staticmethod
    def _initial(kind: str, campaign: Campaign, cap: Cap | None) -> dict[str, Any]:
        if cap is None:
            return {
                "reset_period": ResetPeriod.MONTHLY if kind == CapKind.BUDGET else ResetPeriod.DAILY,
                "time_zone": campaign.time_zone, "alerts_enabled": kind != CapKind.CONCURRENT_CALLS,
                "alert_thresholds": "75, 90, 100",
            }  # fmt: skip
        amount = f"{cap.amount:.2f}" if kind == CapKind.BUDGET else f"{cap.amount:.0f}"
        return {
            "amount": amount, "reset_period": cap.reset_period, "starts_at": cap.starts_at and cap.starts_at.isoformat(),
            "time_zone": cap.time_zone, "include_call_fees": cap.include_call_fees, "alerts_enabled": cap.alerts_enabled,
            "alert_thresholds": ", ".join(str(percent) for percent in cap.alert_thresholds),
        }  # fmt: skip

    def clean_alert_thresholds(self) -> list[int]:
        text = self.cleaned_data["alert_thresholds"]
        try:
            return [int(part) for part in text.replace("%", "").replace(";", ",").split(",") if part.strip()]
        except ValueError:
            raise forms.ValidationError("Write whole percentages separated by commas, such as 75, 90, 100.") from None

    @property
    def is_cleared(self) -> bool:
        """Whether the amount was left blank: no cap."""
        return not self.cleaned_data["amount"].strip()

    def values(self) -> dict[str, Any]:
        """What to hand to `cap_set` beside the kind."""
        values = dict(self.cleaned_data)
        if "starts_at" in values:
            values["starts_at"] = values["starts_at"] or None
        return values


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
