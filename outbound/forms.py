"""The forms of the outbound pages. They read what was typed; the rules and their words are the actions'."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict

from campaigns.forms import HoursEditor
from outbound.choices import RETRYABLE, CarrierKind, CatchUp, Outcome, RecipientState, ResultFormat
from outbound.models import Batch, Carrier, DoNotCallList
from outbound.secrets import HIDDEN, is_secret
from portal.accounts.models import Network
from portal.errors import Invalid, NotAllowed, NotFound, Refused
from portal.web.forms import PortalForm

CLOCK_FORMAT = "%Y-%m-%dT%H:%M"
# How many of the completed calls the batch page shows, as its reader chooses.
COMPLETED_CHOICES = (10, 25, 50, 100, 250)


def _clock(label: str, help_text: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=CLOCK_FORMAT)
    return forms.DateTimeField(label=label, required=False, help_text=help_text, widget=widget)


def _text(label: str, help_text: str = "", **attrs: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, help_text=help_text, widget=forms.TextInput(attrs=attrs))


class BasicsForm(PortalForm):
    """What a batch is: name, ani, addresses, parameters."""

    field_names = {"campaign_id": "ani"}
    name = forms.CharField(max_length=200, help_text="For yourselves; the people called never see it.")
    ani = forms.CharField(
        label="Number shown (ani)",
        help_text="One of your promo numbers: carriers block others.",
        widget=forms.TextInput(attrs={"list": "anis", "autocomplete": "off", "inputmode": "tel"}),
    )
    carrier = forms.TypedChoiceField(coerce=int)
    start_url = _text(
        "Start URL", "Asked by the carrier when a call is answered.", placeholder="https://", maxlength=255
    )
    result_url = _text(
        "Result URL", "Every outcome is POSTed there, signed. Both addresses must answer 200 at the start.",
        placeholder="https://", maxlength=255,
    )  # fmt: skip
    result_format = forms.ChoiceField(label="Form of results", choices=ResultFormat.choices)
    result_each_attempt = forms.BooleanField(label="Send each attempt too, not only the outcome", required=False)
    message_reference = _text("Message reference", "Goes with every result.", maxlength=255)
    parameters = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One per line, such as greeting=hello. Columns of the list come on top.",
    )  # fmt: skip

    def __init__(self, data: QueryDict | None, *, carriers: list[Carrier], batch: Batch | None) -> None:
        super().__init__(data, initial=self._initial(batch, carriers))
        self.batch = batch
        self.fields["carrier"].choices = [(one.pk, one.name) for one in carriers]  # type: ignore[attr-defined]

    @staticmethod
    def _initial(batch: Batch | None, carriers: list[Carrier]) -> dict[str, Any]:
        if batch is None:
            return {"carrier": carriers[0].pk if carriers else None, "result_format": ResultFormat.JSON}
        names = ("name", "ani", "start_url", "result_url", "result_format", "result_each_attempt", "message_reference")
        lines = [f"{name}={HIDDEN if is_secret(name) else value}" for name, value in batch.parameters.items()]
        return {
            **{name: getattr(batch, name) for name in names}, "carrier": batch.carrier_id, "parameters": "\n".join(lines)
        }  # fmt: skip

    def clean_parameters(self) -> dict[str, str]:
        found: dict[str, str] = {}
        known = self.batch.parameters if self.batch else {}
        for line in self.cleaned_data["parameters"].splitlines():
            name, equals, value = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not equals or not name:
                raise forms.ValidationError(f"“{line.strip()[:60]}” is not a parameter; write name=value.")
            # A hidden value that was left as it stood keeps what it hides.
            found[name] = str(known[name]) if value == HIDDEN and name in known else value
        return found


class ListForm(PortalForm):
    """A list for a batch: a file, or numbers typed in."""

    field_names = {"columns": "number_column", "calls": "numbers", "destination": "numbers"}
    file = forms.FileField(
        label="File", required=False, widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"})
    )
    number_column = _text("Column of the numbers", "Blank = destination, phone_number, number, phone or to.")
    zone_column = _text(
        "Column of the time zones", "Blank = time_zone, if there is one. It wins over the number's own."
    )
    ani_column = _text("Column of the anis", "Blank = ani, if there is one.")
    numbers = forms.CharField(
        label="Numbers", required=False, widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="For a few: one per line, up to 1,000.",
    )  # fmt: skip

    def columns(self) -> dict[str, str]:
        """{name in the file: what it means}, of those that were named."""
        given = {"number_column": "destination", "zone_column": "time_zone", "ani_column": "ani"}
        return {
            self.cleaned_data[name].strip(): means for name, means in given.items() if self.cleaned_data[name].strip()
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not values.get("file") and not (values.get("numbers") or "").strip() and "file" not in self.errors:
            self.add_error("file", forms.ValidationError("Choose a file, or type numbers below.", code="required"))
        return values


class ScheduleForm(PortalForm):
    """When a batch may call. Start and expiry are typed in the network's time zone, hours are the callee's clock."""

    starts_at = _clock("Start", "Blank = at once when it is started.")
    expires_at = _clock("Expiry", "Nobody is called after it. Blank = never.")
    holidays = forms.CharField(
        label="Days without calls", required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Dates such as 2026-12-25, by the callee's calendar.",
    )  # fmt: skip
    catch_up = forms.ChoiceField(label="When the portal was down", choices=CatchUp.choices)

    def __init__(self, data: QueryDict | None, *, batch: Batch, network: Network, started: bool) -> None:
        zone = ZoneInfo(network.time_zone)
        initial = {
            "starts_at": _local(batch.starts_at, zone), "expires_at": _local(batch.expires_at, zone),
            "holidays": ", ".join(batch.holidays), "catch_up": batch.catch_up,
        }  # fmt: skip
        super().__init__(data, initial=initial)
        if started:
            del self.fields["starts_at"]
        self.hours = HoursEditor(batch.hours, data)

    def clean_holidays(self) -> list[str]:
        return [part for part in self.cleaned_data["holidays"].replace(",", " ").replace(";", " ").split() if part]

    def values(self) -> dict[str, Any]:
        return {**self.cleaned_data, "hours": self.hours.value()}

    def refuse(self, error: Refused) -> None:
        if isinstance(error, NotAllowed | NotFound):
            raise error
        problems = error.problems if isinstance(error, Invalid) else [(error.field, error.code, error.message)]
        for field, code, message in problems:
            if not self.hours.take(field, message):
                self.add_error(self._form_field(field), forms.ValidationError(message, code=code))


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime(CLOCK_FORMAT) if at else ""


class PaceForm(PortalForm):
    """How fast, how often again, and who is left alone."""

    calls_per_second = forms.DecimalField(
        label="Calls per second", required=False, help_text="Blank = as the carrier takes them."
    )
    lines = forms.IntegerField(
        label="Lines", required=False, help_text="Calls at once. Blank = as the carrier takes them."
    )
    priority = forms.IntegerField(help_text="1 to 10: its share when batches compete for the same lines.")
    max_attempts = forms.IntegerField(
        label="Attempts at most", help_text="Of one person, whatever the outcomes: 1 to 10."
    )
    retry_minutes = forms.IntegerField(
        label="Minutes to the next attempt", min_value=1, max_value=2880,
        help_text="From the dispatch; moved into the next calling window.",
    )  # fmt: skip
    do_not_call_lists = forms.TypedMultipleChoiceField(
        label="Further do-not-call lists", required=False, coerce=int, widget=forms.CheckboxSelectMultiple,
        help_text="Lists for the whole network hold anyway.",
    )  # fmt: skip
    field_names = {"retry_interval": "retry_minutes"}

    def __init__(self, data: QueryDict | None, *, batch: Batch, lists: list[DoNotCallList]) -> None:
        initial: dict[str, Any] = {
            name: getattr(batch, name) for name in ("calls_per_second", "lines", "priority", "max_attempts")
        }
        initial |= {
            "retry_minutes": batch.retry_interval // 60,
            "do_not_call_lists": list(batch.do_not_call_lists.values_list("pk", flat=True)),
        }
        for outcome in RETRYABLE:
            rule = batch.retries.get(outcome, {})
            initial |= {f"count_{outcome}": rule.get("count"), f"delay_{outcome}": _minutes(rule.get("delay"))}
        super().__init__(data, initial=initial)
        self.fields["do_not_call_lists"].choices = [  # type: ignore[attr-defined]
            (one.pk, one.name) for one in lists if not one.applies_to_all
        ]
        for outcome in RETRYABLE:
            label = Outcome(outcome).label
            self.put(f"count_{outcome}", forms.IntegerField(label=f"{label}: how often again", required=False))
            self.put(
                f"delay_{outcome}",
                forms.IntegerField(label=f"{label}: minutes", required=False, min_value=1, max_value=2880),
            )

    def outcomes(self) -> list[dict[str, Any]]:
        """A row per outcome that may be tried again."""
        return [
            {"label": Outcome(one).label, "count": self[f"count_{one}"], "delay": self[f"delay_{one}"]}
            for one in RETRYABLE
        ]

    def values(self) -> dict[str, Any]:
        clean = self.cleaned_data
        retries: dict[str, dict[str, int]] = {}
        for outcome in RETRYABLE:
            count, delay = clean[f"count_{outcome}"], clean[f"delay_{outcome}"]
            rule = {"count": count, "delay": delay * 60 if delay is not None else None}
            rule = {name: value for name, value in rule.items() if value is not None}
            if rule:
                retries[outcome] = rule
        return {
            **{name: clean[name] for name in ("calls_per_second", "lines", "priority", "max_attempts", "do_not_call_lists")},
            "retry_interval": clean["retry_minutes"] * 60, "retries": retries,
        }  # fmt: skip

    def _form_field(self, name: str | None) -> str | None:
        if name and name.startswith("retries."):
            _, outcome, *rest = name.split(".")
            return f"{rest[0] if rest else 'count'}_{outcome}" if f"count_{outcome}" in self.fields else None
        return super()._form_field(name)


def _minutes(seconds: int | None) -> int | None:
    return None if seconds is None else max(1, seconds // 60)


class RecipientFilterForm(PortalForm):
    """The filter of a batch's calls."""

    state = forms.ChoiceField(label="Status", required=False, choices=[("", "Any"), *RecipientState.choices])
    outcome = forms.ChoiceField(label="Outcome", required=False, choices=[("", "Any"), *Outcome.choices])
    q = forms.CharField(
        label="Number", required=False, max_length=32,
        widget=forms.TextInput(attrs={"placeholder": "Beginning of a number", "inputmode": "tel", "autocomplete": "off"}),
    )  # fmt: skip
    show = forms.TypedChoiceField(
        label="Entries", required=False, coerce=int, choices=[(n, str(n)) for n in COMPLETED_CHOICES]
    )

    def filters(self) -> dict[str, str]:
        """What the query takes; a field that cannot be used filters nothing."""
        self.is_valid()
        clean = self.cleaned_data
        digits = "".join(char for char in clean.get("q", "") if char.isdigit())
        if len(digits) == 10 and digits[0] in "23456789" and not clean["q"].strip().startswith("+"):
            digits = f"1{digits}"
        return {"state": clean.get("state", ""), "outcome": clean.get("outcome", ""), "search": digits}

    @property
    def size(self) -> int:
        return self.cleaned_data.get("show") or 50


class DoNotCallListForm(PortalForm):
    name = forms.CharField(max_length=100)
    applies_to_all = forms.BooleanField(label="Binds every batch of the network", required=False, initial=True)


class DoNotCallAddForm(PortalForm):
    """Numbers and prefixes, typed or as a file."""

    field_names = {"pattern": "patterns"}
    patterns = forms.CharField(
        label="Numbers and prefixes", required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "(805) 555-0123\n+1800*"}),
        help_text="One per line. A prefix ends with a star.",
    )  # fmt: skip
    file = forms.FileField(
        label="Or a CSV file", required=False, help_text="The first column counts; a header is passed over.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )  # fmt: skip
    note = forms.CharField(required=False, max_length=200, help_text="Why, or where it comes from.")


class CarrierForm(PortalForm):
    """A carrier's account. The auth token is written and never read back."""

    field_names = {"settings": "account_sid", "secrets": "auth_token"}
    kind = forms.ChoiceField(choices=CarrierKind.choices)
    name = forms.CharField(max_length=100)
    base_url = _text("Address", "Blank = the kind's own.", placeholder="https://")
    account_sid = _text("Account SID", "Twilio and compatible.", autocomplete="off")
    auth_token = forms.CharField(
        label="Auth token", required=False, help_text="Kept and never shown. Blank = as it is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    calls_per_second = forms.DecimalField(
        label="Calls per second", required=False, help_text="Blank = no limit of its own."
    )
    lines = forms.IntegerField(required=False, help_text="Calls at once. Blank = no limit of its own.")
    is_enabled = forms.BooleanField(label="In use", required=False, initial=True)

    def __init__(self, data: QueryDict | None = None, *, carrier: Carrier | None = None) -> None:
        initial: dict[str, Any] = {"is_enabled": True}
        if carrier is not None:
            initial = {
                name: getattr(carrier, name) for name in ("name", "base_url", "calls_per_second", "lines", "is_enabled")
            }
            initial["account_sid"] = carrier.settings.get("account_sid", "")
        super().__init__(data, initial=initial)
        self.carrier = carrier
        if carrier is not None:
            del self.fields["kind"]

    def values(self) -> dict[str, Any]:
        clean: Mapping[str, Any] = self.cleaned_data
        settings = dict(self.carrier.settings) if self.carrier else {}
        if clean["account_sid"].strip():
            settings["account_sid"] = clean["account_sid"].strip()
        values: dict[str, Any] = {
            name: clean[name] for name in ("name", "base_url", "calls_per_second", "lines", "is_enabled")
        }
        values["settings"] = settings
        if clean["auth_token"]:
            values["secrets"] = {"auth_token": clean["auth_token"]}
        if self.carrier is None:
            values["kind"] = clean["kind"]
        return values
