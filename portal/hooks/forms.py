"""Forms of the webhook pages. They read what was typed; the actions check it."""

from django import forms

from portal.web.forms import PortalForm

from .actions import KINDS


def _kinds_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="Events", required=False, choices=sorted(KINDS.items()), widget=forms.CheckboxSelectMultiple,
        help_text="None chosen = all of them.",
    )  # fmt: skip


class WebhookForm(PortalForm):
    url = forms.CharField(
        label="Address",
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/headroom", "autocomplete": "off"}),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.put("kinds", _kinds_field())


class WebhookChangeForm(PortalForm):
    is_active = forms.BooleanField(label="Send messages", required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.put("kinds", _kinds_field())
