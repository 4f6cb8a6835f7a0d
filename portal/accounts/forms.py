"""Forms of the accounts pages. They read what was typed; the actions check it."""

import zoneinfo
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from portal.web.forms import PortalForm
from portal.zones import time_zones

from .actions import NETWORK_CONTRACT
from .actions.networks import CURRENCIES
from .models import Network
from .roles import Role

REASON = "Optional; kept in the audit log."


def role_choices(ceiling: int | None) -> list[tuple[int, str]]:
    """The roles that somebody of role `ceiling` may give (None: platform staff, all)."""
    return [(role.value, role.label) for role in Role if ceiling is None or role <= ceiling]


class MemberAddForm(PortalForm):
    email = forms.CharField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(required=False, max_length=200, help_text="Used when the person is new to the portal.")
    role = forms.TypedChoiceField(coerce=int)
    reason = forms.CharField(required=False, help_text=REASON)

    def __init__(self, *args: Any, ceiling: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(ceiling)  # type: ignore[attr-defined]
        self.fields["role"].initial = Role.OBSERVER.value


class MemberRoleForm(PortalForm):
    role = forms.TypedChoiceField(coerce=int)
    reason = forms.CharField(required=False, help_text=REASON)

    def __init__(self, *args: Any, ceiling: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(ceiling)  # type: ignore[attr-defined]


class GroupForm(PortalForm):
    label = forms.CharField(label="Name", help_text="Such as “Night shift” or “Agency North”.")


class GroupMemberForm(PortalForm):
    user = forms.TypedChoiceField(label="Member", coerce=int)

    def __init__(self, *args: Any, people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].choices = people  # type: ignore[attr-defined]


class TokenForm(PortalForm):
    field_names = {"expires_at": "expires_on"}

    name = forms.CharField(label="Used by", help_text="Such as “switch in Denver”: so that you know what to revoke.")
    expires_on = forms.DateField(
        label="Good until", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day on which it works; empty = until revoked.",
    )  # fmt: skip
    read_only = forms.BooleanField(
        label="Read only", required=False, help_text="It can look at everything that you can, and change nothing."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expires_on"].initial = timezone.localdate() + timedelta(days=365)

    def expires_at(self, zone: str) -> datetime | None:
        """The end of the last day, in `zone`."""
        day = self.cleaned_data["expires_on"]
        return datetime.combine(day, time.max.replace(microsecond=0), zoneinfo.ZoneInfo(zone)) if day else None


class NetworkForm(PortalForm):
    name = forms.CharField()
    time_zone = forms.ChoiceField(label="Time zone", help_text="Of these pages, and what new campaigns begin with.")
    country = forms.CharField(max_length=2, help_text="Two letters; how numbers without + are read.")
    currency = forms.ChoiceField(choices=[(code, code) for code in CURRENCIES], help_text="Of new campaigns.")
    auto_generate_ids = forms.BooleanField(
        label="Make up ids", required=False, help_text="Where a new advertiser or campaign is given none of your own."
    )
    concurrent_call_caps_enabled = forms.BooleanField(
        label="Concurrent call caps (Enterprise package)", required=False,
        help_text="Off: the cap is hidden and not enforced; stored values stay. Takes effect on the next call.",
    )  # fmt: skip
    call_fee_per_minute = forms.DecimalField(
        label="Call fee per minute", help_text="Counted into budget caps that include call fees."
    )
    reason = forms.CharField(required=False, help_text=REASON)

    def __init__(self, *args: Any, network: Network, staff: bool, **kwargs: Any) -> None:
        values = {name: getattr(network, name) for name in self.base_fields if name != "reason"}
        super().__init__(*args, initial=values, **kwargs)
        zones = sorted(time_zones())
        self.fields["time_zone"].choices = [(zone, zone) for zone in zones]  # type: ignore[attr-defined]
        if not staff:
            for name in NETWORK_CONTRACT:
                self.fields[name].disabled = True
                self.fields[name].help_text = "Part of the contract: only platform staff change it."
