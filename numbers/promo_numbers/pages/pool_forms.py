"""The forms of the RingPool pages. They read what was typed; the rules and their words are the actions'."""

import re
from typing import Any

from django import forms

from portal.web.forms import PortalForm
from promo_numbers.actions.pool_fields import DEFAULTS, FALLBACKS, USE_TOLL_FREE, WAIT
from promo_numbers.choices import PromoType
from promo_numbers.models import RingPool

_WAYS = {USE_TOLL_FREE: "Take toll-free numbers for the rest", WAIT: "Take what there is and wait for the rest"}
_PLACE = ("tn_prefix", "city", "state")
_ASIS = (
    "name", "lifetime_seconds", "max_pool_size", "preferred", "destination_phone_number", "fill_immediately",
    "promo_type", "auto_scale", "growth_percent", "growth_ceiling", "scale_max",
)  # fmt: skip


def _list(text: str) -> list[str]:
    """What stands between commas, semicolons or lines."""
    return [part.strip() for part in re.split(r"[,;\n]+", text) if part.strip()]


class PoolForm(PortalForm):
    """All that is set on a RingPool. `pool` None: a new one."""

    name = forms.CharField(max_length=200, help_text="Such as the web site that shows its numbers.")
    id_from_network = forms.CharField(label="Your own id", required=False, max_length=100, help_text="Blank = made up.")
    max_pool_size = forms.IntegerField(
        label="Numbers", help_text="How many visitors can have a number at the same time."
    )
    lifetime_seconds = forms.IntegerField(
        label="Lifetime (seconds)",
        help_text="How long a visitor keeps his number after his last page. 1800 = half an hour.",
    )
    fill_immediately = forms.BooleanField(
        label="Take all numbers at once", required=False, help_text="Off: begins with 10 % and grows as visitors come."
    )
    allow_overflow = forms.BooleanField(
        label="With an overflow number", required=False,
        help_text="One more number, shown when the pool is exhausted: tracked, not attributed. Fixed once created.",
    )  # fmt: skip
    destination_phone_number = forms.CharField(
        label="Destination number", required=False, max_length=64,
        help_text="Shown, untracked, when the pool is exhausted and has no overflow number. Blank = the campaign's.",
    )  # fmt: skip
    preferred = forms.BooleanField(label="The campaign's preferred pool", required=False)
    promo_type = forms.ChoiceField(label="Kind of numbers", choices=PromoType.choices)
    tn_prefix_whitelist = forms.CharField(
        label="Only these area codes", required=False, help_text="Area codes or first digits, with commas: 805, 720555."
    )
    tn_prefix = forms.CharField(
        label="Near this number", required=False, max_length=20, help_text="An area code will do."
    )
    city = forms.CharField(required=False, max_length=100)
    state = forms.CharField(required=False, max_length=10, help_text="Such as CO.")
    anywhere = forms.BooleanField(label="Elsewhere too when there are none", required=False)
    fallback = forms.ChoiceField(
        label="When the stock has too few", required=False,
        choices=[("", "Do not create the pool"), *((way, _WAYS[way]) for way in FALLBACKS)],
    )  # fmt: skip
    customer_phone_numbers = forms.CharField(
        label="Your own numbers", required=False, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One per line; they are taken before any of the stock.",
    )  # fmt: skip
    auto_scale = forms.BooleanField(
        label="Grow by itself", required=False,
        help_text="Every five minutes, at 75 % in use or when it was exhausted. Numbers that nobody used go back at month end.",
    )  # fmt: skip
    growth_percent = forms.IntegerField(label="Grow by (percent)", help_text="1 to 100.")
    growth_ceiling = forms.IntegerField(label="At most at a time", help_text="Numbers per step.")
    scale_max = forms.IntegerField(
        label="Never larger than", required=False, help_text="Blank = as far as the network's limits let it."
    )

    field_names = {
        "local_number_preferences": "fallback", "local_center": "city",
        "count": "max_pool_size",
    }  # fmt: skip

    def __init__(self, *args: Any, pool: RingPool | None = None, **kwargs: Any) -> None:
        self.pool = pool
        kwargs["initial"] = _initial(pool) if pool else dict(DEFAULTS)
        super().__init__(*args, **kwargs)
        if pool is not None:
            del self.fields["id_from_network"]
            self.fields["allow_overflow"].disabled = True

    def values(self) -> dict[str, Any]:
        """What the actions take. What was kept of other fields of the objects stays there."""
        given = self.cleaned_data
        values: dict[str, Any] = {name: given[name] for name in _ASIS}
        if self.pool is None:
            values |= {name: given[name] for name in ("id_from_network", "allow_overflow")}
        before = self.pool or RingPool()
        center = {name: value for name, value in before.local_center.items() if name not in _PLACE}
        preferences = dict(before.local_number_preferences)
        preferences.pop("allocation_fallback_strategy", None)
        if given["anywhere"] or "restrict_search_to_state" in preferences:
            preferences["restrict_search_to_state"] = not given["anywhere"]
        if given["fallback"]:
            preferences["allocation_fallback_strategy"] = given["fallback"]
        return {
            **values,
            "tn_prefix_whitelist": _list(given["tn_prefix_whitelist"]),
            "customer_phone_numbers": _list(given["customer_phone_numbers"]),
            "local_center": {**center, **{name: given[name].strip() for name in _PLACE if given[name].strip()}},
            "local_number_preferences": preferences,
        }


def _initial(pool: RingPool) -> dict[str, Any]:
    return {
        **{name: getattr(pool, name) for name in _ASIS},
        **{name: pool.local_center.get(name, "") for name in _PLACE},
        "allow_overflow": pool.allow_overflow,
        "tn_prefix_whitelist": ", ".join(pool.tn_prefix_whitelist),
        "customer_phone_numbers": "\n".join(pool.customer_phone_numbers),
        "anywhere": pool.local_number_preferences.get("restrict_search_to_state", True) is False,
        "fallback": pool.local_number_preferences.get("allocation_fallback_strategy", ""),
    }


class SizingForm(PortalForm):
    """The sizing calculator; everything stands in the address."""

    visitors = forms.IntegerField(
        label="New visitors in the busiest hour", min_value=0, max_value=10_000_000, initial=120
    )
    lifetime = forms.IntegerField(
        label="Lifetime (seconds)", min_value=60, max_value=2_592_000, initial=1800,
        help_text="How long a visitor keeps his number after his last page.",
    )  # fmt: skip
    blocking = forms.FloatField(
        label="May find none (percent)", min_value=0.01, max_value=50, initial=1.0, help_text="1 is usual."
    )
