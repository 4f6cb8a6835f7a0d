"""The forms of the pages about calls: the list's filter, Simulate, release. They read what was typed, and write nothing."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from campaigns.callers import Caller, NotANumber, caller_read, e164
from campaigns.choices import CampaignType, EndReason, Outcome
from campaigns.models import Campaign
from campaigns.queries.calls import CallFilter, campaigns_seen
from portal.accounts.models import Network, User
from portal.web.forms import PortalForm
from portal.zones import time_zones

# What a list of suggestions may hold; a campaign beyond it is still found by its full name or id.
SUGGESTIONS = 500
_CLOCK = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
_COMMON_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage",
    "Pacific/Honolulu", "America/Halifax", "America/Toronto", "Europe/London", "UTC",
)  # fmt: skip


class CampaignField(forms.CharField):
    """A campaign by number, by the customer's own id or by name, with suggestions while one types (a datalist).

    `campaigns` are those that may be named; any other is unknown, whether it exists or not.
    """

    def __init__(self, *, listed: str, **kwargs: Any) -> None:
        attrs = {"list": listed, "autocomplete": "off", "type": "search", "placeholder": kwargs.pop("placeholder", "")}
        super().__init__(required=kwargs.pop("required", False), widget=forms.TextInput(attrs=attrs), **kwargs)
        self.campaigns: QuerySet[Campaign] = Campaign.objects.none()

    def find(self, text: str) -> Campaign | None:
        """The campaign that `text` names; None if there is none or if several are called so."""
        if text.isascii() and text.isdecimal() and len(text) < 19:
            found = self.campaigns.filter(pk=int(text)).first()
            if found:
                return found
        for lookup in ("id_from_network", "name", "name__iexact"):
            several = list(self.campaigns.filter(**{lookup: text})[:2])
            if len(several) == 1:
                return several[0]
        return None

    def clean(self, value: Any) -> Any:
        text = super().clean(value).strip()
        if not text:
            return None
        found = self.find(text)
        if found is None:
            raise forms.ValidationError(
                f"There is no {str(self.label).lower()} “{text}” that you may see; pick one from the list.",
                code="unknown_campaign",
            )
        return found

    def suggestions(self) -> list[tuple[str, str]]:
        """(what is typed, what is shown beside it) of the campaigns by name: the id where two share a name."""
        rows = list(self.campaigns.order_by("name", "id").values_list("name", "id_from_network")[:SUGGESTIONS])
        times = Counter(name for name, _ in rows)
        return [(own, name) if times[name] > 1 else (name, own) for name, own in rows]


def _show_names(form: forms.Form, *names: str) -> None:
    """Where the address names a campaign by number, show its name in the field."""
    for name in names:
        field = form.fields[name]
        typed = str(form.data.get(name, ""))
        if isinstance(field, CampaignField) and typed.isdecimal() and (found := field.find(typed)):
            several = field.campaigns.filter(name=found.name).count() > 1
            shown = found.id_from_network if several else found.name
            form.data = {**{key: form.data.get(key) for key in form.data}, name: shown}


class CallFilterForm(PortalForm):
    """The filter of the call list. `filters()` is what the query takes."""

    campaign = CampaignField(label="Campaign called", listed="campaigns", placeholder="Any")
    destination = CampaignField(label="Destination", listed="destinations", placeholder="Any")
    caller = forms.CharField(
        label="Caller",
        required=False,
        max_length=64,
        widget=forms.TextInput(
            attrs={"placeholder": "Number or “withheld”", "inputmode": "tel", "autocomplete": "off"}
        ),
    )
    outcome = forms.ChoiceField(label="Outcome", required=False, choices=[("", "Any"), *Outcome.choices])
    reason = forms.ChoiceField(label="Reason", required=False, choices=[("", "Any"), *EndReason.choices])
    promo_number = forms.CharField(
        label="Promo number",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    since = forms.DateTimeField(label="From", required=False, widget=_CLOCK)
    until = forms.DateTimeField(label="Until", required=False, widget=_CLOCK)
    live = forms.BooleanField(label="Live only", required=False)

    def __init__(self, data: QueryDict, *, user: User, network: Network) -> None:
        super().__init__(data)
        self.network = network
        seen = campaigns_seen(user, network)
        self.fields["campaign"].campaigns = seen  # type: ignore[attr-defined]
        self.fields["destination"].campaigns = seen.exclude(campaign_type=CampaignType.BUNDLED)  # type: ignore[attr-defined]
        _show_names(self, "campaign", "destination")

    def _number(self, name: str) -> str:
        try:
            return e164(self.cleaned_data[name], self.network.country)
        except NotANumber as error:
            raise forms.ValidationError(
                f"“{self.cleaned_data[name]}” is not a phone number; write it like +18055550123 or (805) 555-0123.",
                code="invalid_phone_number",
            ) from error

    def clean_caller(self) -> Caller | None:
        text = self.cleaned_data["caller"].strip()
        if not text:
            return None
        try:
            return caller_read(text, self.network.country)
        except NotANumber:
            self._number("caller")
            raise

    def clean_promo_number(self) -> str:
        return self._number("promo_number") if self.cleaned_data["promo_number"].strip() else ""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("since") and values.get("until") and values["since"] >= values["until"]:
            self.add_error(
                "until", forms.ValidationError("The end must come after the beginning.", code="out_of_order")
            )
        return values

    def filters(self) -> CallFilter:
        """The filter as typed; call it on a valid form."""
        values = self.cleaned_data
        caller: Caller | None = values["caller"]
        return CallFilter(
            campaign=values["campaign"], destination=values["destination"], outcome=values["outcome"],
            reason=values["reason"], caller=caller.e164 or "" if caller else "",
            withheld=bool(caller and caller.e164 is None), promo_number=values["promo_number"], since=values["since"],
            until=values["until"], live=values["live"],
        )  # fmt: skip

    @property
    def more_in_use(self) -> bool:
        """Whether one of the filters that fold away is set or wrong."""
        return any(
            self.data.get(name) or name in self.errors
            for name in ("outcome", "reason", "promo_number", "since", "until")
        )


class LiveFilterForm(PortalForm):
    """The filter of the live page."""

    bundle = CampaignField(label="Bundle", listed="bundles", placeholder="Any")
    destination = CampaignField(label="Destination", listed="destinations", placeholder="Any")

    def __init__(self, data: QueryDict, *, user: User, network: Network) -> None:
        super().__init__(data)
        seen = campaigns_seen(user, network)
        self.fields["bundle"].campaigns = seen  # type: ignore[attr-defined]
        self.fields["destination"].campaigns = seen.exclude(campaign_type=CampaignType.BUNDLED)  # type: ignore[attr-defined]
        _show_names(self, "bundle", "destination")


class SimulateForm(PortalForm):
    """A call that nobody places: to which bundle, from whom, when. `caller` and `at` are ready for the query."""

    bundle = CampaignField(label="Bundle", listed="bundles", required=True, placeholder="Type to search")
    caller = forms.CharField(
        label="Caller",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"placeholder": "+1 805 555 0123", "inputmode": "tel", "autocomplete": "off"}),
    )
    withheld = forms.BooleanField(label="Number withheld", required=False)
    at = forms.CharField(
        label="Date and time",
        required=False,
        widget=forms.TextInput(attrs={"type": "datetime-local"}),
        help_text="Empty = now.",
    )
    zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )

    def __init__(self, data: QueryDict | None, *, user: User, network: Network, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.network = network
        bundles = campaigns_seen(user, network).filter(campaign_type=CampaignType.BUNDLED)
        self.fields["bundle"].campaigns = bundles  # type: ignore[attr-defined]
        self.fields["zone"].initial = network.time_zone
        if self.is_bound:
            self.data = {"zone": network.time_zone, **{key: self.data.get(key) for key in self.data}}
            _show_names(self, "bundle")

    @property
    def zones(self) -> list[str]:
        """Suggestions for the zone, the network's own first."""
        return list(dict.fromkeys((self.network.time_zone, *_COMMON_ZONES)))

    def clean_zone(self) -> str:
        zone = self.cleaned_data["zone"].strip() or self.network.time_zone
        if zone not in time_zones():
            raise forms.ValidationError(
                f"“{zone}” is not a known time zone; use an IANA name such as America/Denver.", code="unknown_time_zone"
            )
        return zone

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        typed = values.get("caller", "").strip()
        if not typed and not values.get("withheld"):
            self.add_error(
                "caller", forms.ValidationError("Give the caller's number, or tick “Number withheld”.", code="required")
            )
        try:
            values["caller"] = caller_read(None if values.get("withheld") else typed, self.network.country)
        except NotANumber:
            self.add_error("caller", forms.ValidationError(
                f"“{typed}” is not a phone number; write it like +18055550123 or (805) 555-0123.", code="invalid_phone_number",
            ))  # fmt: skip
        if "zone" in values:
            values["at"] = self._instant(values.get("at", "").strip(), ZoneInfo(values["zone"]))
        return values

    def _instant(self, text: str, zone: ZoneInfo) -> datetime | None:
        if not text:
            return None
        try:
            wall = datetime.fromisoformat(text).replace(tzinfo=zone)
            at = wall.astimezone(UTC)
        except (ValueError, OverflowError):
            self.add_error(
                "at", forms.ValidationError(f"“{text}” is not a time; write it as 2026-11-01T14:30.", code="invalid")
            )
            return None
        if at.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
            self.add_error("at", forms.ValidationError(
                f"{wall:%H:%M} did not exist on that day in {zone.key}: the clock was put forward over it.", code="no_such_time",
            ))  # fmt: skip
        return at
