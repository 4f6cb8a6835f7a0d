"""Forms of pages: the portal's look on Django's fields, and an action's refusal put beside the field at fault."""

from collections.abc import Mapping
from typing import Any

from django import forms

from portal.errors import Invalid, NotAllowed, NotFound, Refused

_CLASSES = (
    (forms.CheckboxInput, "checkbox"),
    (forms.CheckboxSelectMultiple, "checkbox-list"),
    (forms.RadioSelect, "radio-list"),
    (forms.Textarea, "input input--text"),
    (forms.Select, "input input--select"),
    (forms.Widget, "input"),
)


class PortalForm(forms.Form):
    """A form whose fields carry the portal's classes. Checking is the action's: fields here only read what was typed."""

    # Where an action's field is called otherwise than the form's: {action's field: form's field}.
    field_names: Mapping[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            self.put(name, field)

    def put(self, name: str, field: forms.Field) -> None:
        """Add a field to this one form, or replace one of its class, in the portal's look."""
        css = next(css for widget, css in _CLASSES if isinstance(field.widget, widget))
        field.widget.attrs["class"] = css
        self.fields[name] = field

    def freeze(self) -> None:
        """Show every field read-only; whatever a browser sends for them is ignored."""
        for field in self.fields.values():
            field.disabled = True

    def refuse(self, error: Refused) -> None:
        """Put the refusal of an action beside the fields at fault. A missing right or object is not the form's to show."""
        if isinstance(error, NotAllowed) or (isinstance(error, NotFound) and not error.field):
            raise error
        problems = error.problems if isinstance(error, Invalid) else [(error.field, error.code, error.message)]
        for field, code, message in problems:
            self.add_error(self._form_field(field), forms.ValidationError(message, code=code))

    def _form_field(self, name: str | None) -> str | None:
        """`hours.monday_open` belongs to the field `hours` if there is none of its own; None = the form as a whole."""
        while name:
            known = self.field_names.get(name, name)
            if known in self.fields:
                return known
            name = name.rpartition(".")[0]
        return None
