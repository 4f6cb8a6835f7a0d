"""The forms of the call treatment's page. They read what was typed; checking is the validator's."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from campaigns.callers import Caller, NotANumber, caller_read
from campaigns.treatment.bundles import CAMPAIGN, Json
from campaigns.treatment.edits import CHOICES
from campaigns.treatment.fields import METHODS, QUESTIONS, SMS_DELAYS
from campaigns.treatment.flow import InputKind
from campaigns.treatment.nodes import TYPES, Fault
from portal.web.forms import PortalForm

_DELAYS = dict(
    zip(SMS_DELAYS, ("At once", "After half an hour", "After a day", "After a week", "After 30 days"), strict=True)
)
# More digits than any setting has are left as they were typed: the validator says what is wrong with them.
MOST_DIGITS = 12
DIALS: dict[str, InputKind] = {"answer": "answered", "busy": "busy", "none": "no_answer", "fail": "failed"}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def _text(label: str, help_text: str = "", **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, help_text=help_text, strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )  # fmt: skip


def _lines(label: str, help_text: str = "", rows: int = 2) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, help_text=help_text, widget=forms.Textarea(attrs={"rows": rows})
    )


def _choice(label: str, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", "Standard"), *choices])


def _box(label: str, help_text: str = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=help_text)


def _seconds(label: str, help_text: str = "5 to 300 seconds.") -> forms.CharField:
    return _text(label, help_text, inputmode="numeric")


# How each setting is typed. A setting that is not here is kept as it is.
SETTINGS: dict[str, Any] = {
    "prompt": lambda: _lines("Prompt", "Read to the caller first."),
    "condition": lambda: _lines(
        "Condition", "Such as: during_hours and not repeat; in_region[West]; pressed[2]; custom_data[plan] = \"gold\". Empty = always."
    ),
    "destination_phone_number": lambda: _text("Phone number", inputmode="tel"),
    "destination_extension": lambda: _text("Extension", "Keys to press once it answers; a comma pauses for a second."),
    CAMPAIGN: lambda: _text("Overflow campaign", "The campaign's own id. Instead of a phone number.", list="campaigns"),
    "connect_timeout": lambda: _seconds("Rings for"),
    "record_message": lambda: _box("Take a message before the call ends (voicemail)"),
    "ring_group_destinations": lambda: _lines(
        "Numbers", "One per line: number, then if you like a comma and its weight, a comma and a description. # in front: not rung.", 4
    ),
    "ring_group_connect_timeout": lambda: _seconds("Each rings for"),
    "distribution_method": lambda: _choice("Order", [(name, name) for name in METHODS]),
    "ring_group_destination_total_limit": lambda: _text("At most so many numbers", inputmode="numeric"),
    "max_simultaneous_calls": lambda: _text("So many at once", "1 to 10.", inputmode="numeric"),
    "confirm_response_enabled": lambda: _box("Read the answer back and ask whether it is right"),
    "number_question_type": lambda: _choice("Kind of number", [(name, name) for name in QUESTIONS]),
    "error_prompt_disabled": lambda: _box("Say nothing after a wrong answer"),
    "custom_error_prompt_text": lambda: _lines("Said after a wrong answer"),
    "caller_response_custom_data_partner_name": lambda: _text("Save the answer as", "Name of a custom data field."),
    "sms_promo_copy": lambda: _lines("Text message"),
    "sms_promo_delay": lambda: _choice("Sent", list(_DELAYS.items())),
    "dynamic_route_destination": lambda: _text("Custom data field", "It holds the phone number to ring."),
    "behave_like_ring_group": lambda: _box("The field holds several numbers, with commas"),
    "repeat_caller": lambda: _box(
        "Repeat callers go back to the destination that they were first connected to",
        "This ignores the concurrent call cap: a repeat caller is sent there even if the destination is full.",
    ),
}  # fmt: skip
_NUMBERS = (
    "connect_timeout",
    "ring_group_connect_timeout",
    "ring_group_destination_total_limit",
    "max_simultaneous_calls",
)


def _rings_in_words(rings: Any) -> str:
    lines = []
    for ring in rings if isinstance(rings, list) else []:
        if isinstance(ring, dict):
            mark = "# " if ring.get("destination_disabled") else ""
            weight, text = ring.get("distribution_weight", ""), ring.get("description", "")
            parts = [f"{mark}{ring.get('ring_group_number', '')}", str(weight), str(text)]
            lines.append(", ".join(parts if text else parts[: 2 if weight != "" else 1]))
    return "\n".join(lines)


def _rings(text: str, before: Any) -> list[Json]:
    """The lines as destinations; what is known of a number beyond its line stays with it."""
    known = {str(ring.get("ring_group_number")): ring for ring in before or [] if isinstance(ring, dict)}
    rings = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        number, _, rest = line.removeprefix("#").partition(",")
        weight, _, description = rest.partition(",")
        ring: Json = {**known.get(number.strip(), {}), "ring_group_number": number.strip()}
        for name in ("destination_disabled", "distribution_weight", "description"):
            ring.pop(name, None)
        if line.startswith("#"):
            ring["destination_disabled"] = True
        if weight.strip():
            ring["distribution_weight"] = int(weight) if _is_number(weight.strip()) else weight.strip()
        if description.strip():
            ring["description"] = description.strip()
        rings.append(ring)
    return rings


class NodeForm(PortalForm):
    """The settings of one node. `values()` are what to set; None takes a setting away."""

    prefix = "n"

    def __init__(self, node: Json, data: Mapping[str, Any] | None = None, *, in_else: bool = False) -> None:
        self.node, cls = node, TYPES[node["node_type"]]
        self.shown = {name: node.get(name) for name in SETTINGS if name in cls.__dataclass_fields__}
        if CAMPAIGN in self.shown and not in_else and not node.get(CAMPAIGN):
            del self.shown[CAMPAIGN]
        first = {self.add_prefix(name): self._typed(name, value) for name, value in self.shown.items()}
        super().__init__(
            {name: value for name, value in (data if data is not None else first).items() if value is not None}
        )
        for name in self.shown:
            self.put(name, SETTINGS[name]())
        self.is_valid()

    def _typed(self, name: str, value: Any) -> Any:
        if name == "ring_group_destinations":
            return _rings_in_words(value)
        return value if value is None or isinstance(value, bool) else str(value)

    def values(self) -> Json:
        """The settings as typed."""
        values: Json = {}
        for name in self.shown:
            value = self.cleaned_data.get(name)
            text = value.strip() if isinstance(value, str) else value
            if name == "ring_group_destinations":
                values[name] = _rings(str(text or ""), self.node.get(name)) or None
            elif name == "sms_promo_delay" or (name in _NUMBERS and isinstance(text, str) and _is_number(text)):
                values[name] = int(text) if text else None
            elif name == "condition":
                values[name] = text or ""
            else:
                values[name] = text or None
        if self.node.get("destination_phone_number") != values.get("destination_phone_number", None):
            # The country code belonged to the number that stood there.
            values["destination_country_code"] = None
        return values

    def blame(self, faults: list[Fault]) -> None:
        """Put this node's faults beside their fields."""
        for fault in faults:
            name = fault.field if fault.field in self.fields else None
            self.add_error(name, forms.ValidationError(fault.message, code=fault.code))


class KindForm(PortalForm):
    """Which type a new node is of."""

    kind = forms.ChoiceField(label="Type of node", choices=[(kind, TYPES[kind].label) for kind in CHOICES])


class TestForm(PortalForm):
    """An imagined call: who, when, which keys, and how the dials end."""

    __test__ = False  # not one of pytest's

    caller = forms.CharField(
        label="Caller", required=False, max_length=64, help_text="Empty = withheld.",
        widget=forms.TextInput(attrs={"placeholder": "+1 805 555 0123", "inputmode": "tel", "autocomplete": "off"}),
    )  # fmt: skip
    at = forms.CharField(
        label="Date and time", required=False, help_text="In the campaign's time zone; empty = now.",
        widget=forms.TextInput(attrs={"type": "datetime-local"}),
    )  # fmt: skip
    keys = forms.CharField(
        label="Keys pressed", required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="One per question, with spaces; - for none. 2 - 80202",
    )  # fmt: skip
    dials = forms.CharField(
        label="Dials end with", required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="One per dial: answer, busy, none or fail; then answer.",
    )  # fmt: skip
    mobile = forms.BooleanField(label="On a mobile phone", required=False)

    def __init__(self, data: Mapping[str, Any] | None, *, country: str, zone: str) -> None:
        super().__init__(data, prefix="t")
        self.country, self.zone = country, zone

    def clean_caller(self) -> Caller:
        try:
            return caller_read(self.cleaned_data["caller"], self.country)
        except NotANumber:
            raise forms.ValidationError(
                "This is not a phone number; write it like +18055550123 or (805) 555-0123.", code="invalid_phone_number"
            ) from None

    def clean_at(self) -> datetime:
        text = self.cleaned_data["at"].strip()
        try:
            return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self.zone)) if text else datetime.now(UTC)
        except ValueError:
            raise forms.ValidationError("Write the time as 2026-11-01T14:30.", code="invalid") from None

    def clean_keys(self) -> list[str]:
        return self.cleaned_data["keys"].split()[:50]

    def clean_dials(self) -> list[InputKind]:
        words = self.cleaned_data["dials"].lower().replace(",", " ").split()[:50]
        if unknown := [word for word in words if word not in DIALS]:
            raise forms.ValidationError(f"“{unknown[0]}” is not one of {', '.join(DIALS)}.", code="unknown_choice")
        return [DIALS[word] for word in words]
