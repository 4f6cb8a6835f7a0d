"""The form of one cap."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from campaigns.choices import CapKind, ResetPeriod
from campaigns.models import Campaign, Cap
from portal.web.forms import PortalForm

from .fields import zone_field


class CapForm(PortalForm):
    """One cap. A blank amount means none; the action says what is wrong with any other."""

    amount = forms.CharField(required=False)
    reset_period = forms.ChoiceField(label="Resets", choices=ResetPeriod.choices, required=False)
    starts_at = forms.CharField(
        label="First day", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Periods are counted from this day, each beginning at midnight in the time zone.",
    )  # fmt: skip
    time_zone = zone_field("Time zone")
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
