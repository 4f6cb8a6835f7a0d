"""Forms of limit requests, contracts and network limits. Rules are the actions'; these only read what was typed."""

from typing import Any

from django import forms

from portal.accounts.models import Network, User
from portal.web.forms import PortalForm
from promo_numbers.choices import Ceiling, ContractPeriod
from promo_numbers.models import Contract
from promo_numbers.queries.advice import price_text


class RequestForm(PortalForm):
    """How many more, and why; for dynamic numbers the expected traffic too."""

    more = forms.IntegerField(label="How many more", widget=forms.NumberInput(attrs={"min": 1}))
    reason = forms.CharField(label="What they are for", widget=forms.Textarea(attrs={"rows": 3}))
    visitors_per_hour = forms.IntegerField(
        label="Visitors an hour", required=False, widget=forms.NumberInput(attrs={"min": 1}),
        help_text="New visitors in the busiest hour, of the pages that these numbers are for.",
    )  # fmt: skip
    lifetime_minutes = forms.FloatField(
        label="Minutes a visitor keeps his number", required=False, widget=forms.NumberInput(attrs={"min": 1, "step": "any"}),
        help_text="The RingPool's lifetime: 30 by default.",
    )  # fmt: skip
    field_names = {"lifetime_seconds": "lifetime_minutes"}

    def __init__(self, *args: Any, ceiling: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if ceiling != Ceiling.NETWORK_DYNAMIC:
            del self.fields["visitors_per_hour"], self.fields["lifetime_minutes"]

    def values(self) -> dict[str, Any]:
        """The action's values."""
        values = dict(self.cleaned_data)
        minutes = values.pop("lifetime_minutes", None)
        # Filled in from the start, it says nothing without visitors.
        if minutes is not None and values["visitors_per_hour"] is not None:
            values["lifetime_seconds"] = round(minutes * 60) if abs(minutes) < 1e9 else -1
        return values


class ContractForm(PortalForm):
    """A network's contract."""

    starts_on = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    ends_on = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    numbers = forms.IntegerField(
        label="Numbers included", widget=forms.NumberInput(attrs={"min": 0}),
        help_text="Number-months: a number in use during a month counts once in it.",
    )  # fmt: skip
    period = forms.ChoiceField(label="Per", choices=[(value, value.lower()) for value in ContractPeriod.values])
    overage_price = forms.DecimalField(label="Overage price", help_text="Of one number above them, for a month.")
    currency = forms.CharField(max_length=3)
    csm = forms.ModelChoiceField(
        User.objects.none(),
        label="Customer success manager",
        required=False,
        empty_label="Nobody yet (all staff are told)",
    )
    reason = forms.CharField(label="Why", required=False, max_length=500)

    def __init__(self, *args: Any, contract: Contract | None, network: Network, **kwargs: Any) -> None:
        names = ("starts_on", "ends_on", "numbers", "period", "overage_price", "currency", "csm")
        initial = {name: getattr(contract, name) for name in names} if contract else {"currency": network.currency}
        if contract:
            initial["overage_price"] = price_text(contract.overage_price).replace(",", "")
        super().__init__(*args, initial=initial, **kwargs)
        people: Any = self.fields["csm"]
        people.queryset = User.objects.filter(is_platform_staff=True, is_active=True).order_by("name", "email")
