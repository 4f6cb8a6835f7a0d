"""`budget_activities`: the three caps of a campaign in the API's own words."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from campaigns import actions
from campaigns.actions.caps import live_over
from campaigns.choices import CapKind, ResetPeriod
from campaigns.models import Campaign, Cap, DestinationState
from portal.accounts.models import User
from portal.errors import Conflict, Invalid

from .input import Flag
from .zones import iana

Problem = tuple[str | None, str, str]

KINDS = {
    "budget_cap_alert": CapKind.BUDGET,
    "periodic_call_cap_alert": CapKind.PERIODIC_CALLS,
    "concurrent_call_cap_alert": CapKind.CONCURRENT_CALLS,
}
NAMES = {kind: name for name, kind in KINDS.items()}
# The API's field -> the action's; and what is only read.
_FIELDS = {
    "reset_period": "reset_period", "starts_at": "starts_at", "start_at": "starts_at", "time_zone": "time_zone",
    "budget_currency": "currency", "include_call_fees": "include_call_fees", "alerts_enabled": "alerts_enabled",
    "alert_thresholds": "alert_thresholds",
}  # fmt: skip
_READ_ONLY = ("total_amount",)
_TO_API = {"amount": "budget_amount", "currency": "budget_currency"}


class CapSerializer(serializers.Serializer):
    """A budget or a periodic call cap."""

    budget_amount = serializers.FloatField(help_text="Money, or calls; 0 closes the campaign.")
    total_amount = serializers.FloatField(read_only=True, help_text="Used so far in the present period.")
    reset_period = serializers.ChoiceField(ResetPeriod.choices)
    starts_at = serializers.DateField(help_text="First day of the first period, in the cap's zone.")
    start_at = serializers.DateField(read_only=True, help_text="The same, as older clients spell it.")
    time_zone = serializers.CharField()
    budget_currency = serializers.CharField(required=False)
    include_call_fees = serializers.BooleanField(required=False)
    alerts_enabled = serializers.BooleanField(required=False)
    alert_thresholds = serializers.ListField(child=serializers.IntegerField(), required=False, help_text="Percent.")


class ConcurrentCapSerializer(serializers.Serializer):
    """The concurrent call cap of a destination campaign."""

    budget_amount = serializers.IntegerField(help_text="Calls at once through bundles; 0 closes the campaign.")
    total_amount = serializers.IntegerField(read_only=True, help_text="Live now.")
    alerts_enabled = serializers.BooleanField(required=False)
    alert_thresholds = serializers.ListField(child=serializers.IntegerField(), required=False, help_text="Percent.")


class BudgetActivitiesSerializer(serializers.Serializer):
    """The caps of a campaign. Writing needs `campaigns.change_budget_caps`; null clears a cap, what is left out stays."""

    budget_cap_alert = CapSerializer(allow_null=True, required=False)
    periodic_call_cap_alert = CapSerializer(allow_null=True, required=False)
    concurrent_call_cap_alert = ConcurrentCapSerializer(allow_null=True, required=False)


def _used(used: Any, since: datetime | None, until: datetime | None, now: datetime) -> float:
    """A counter in its present period; one that has passed counts as unused."""
    return 0 if since is None or (until is not None and until <= now) else float(used)


def _body(cap: Cap, state: DestinationState | None, now: datetime) -> dict[str, Any]:
    alerts = {"alerts_enabled": cap.alerts_enabled, "alert_thresholds": cap.alert_thresholds}
    if cap.kind == CapKind.CONCURRENT_CALLS:
        return {"budget_amount": int(cap.amount), "total_amount": state.live if state else 0, **alerts}
    body: dict[str, Any] = {
        "reset_period": cap.reset_period,
        "starts_at": cap.starts_at.isoformat() if cap.starts_at else None,
        "start_at": cap.starts_at.isoformat() if cap.starts_at else None,
        "time_zone": cap.time_zone,
        "include_call_fees": cap.include_call_fees,
        **alerts,
    }
    if cap.kind == CapKind.BUDGET:
        used = _used(state.spend_used, state.spend_since, state.spend_until, now) if state else 0
        return {"budget_amount": float(cap.amount), "total_amount": used, "budget_currency": cap.currency, **body}
    calls = _used(state.calls_used, state.calls_since, state.calls_until, now) if state else 0
    return {"budget_amount": int(cap.amount), "total_amount": int(calls), **body}


def caps_body(campaign: Campaign) -> dict[str, Any]:
    """`budget_activities` of a campaign whose caps, state and network are at hand. null = no cap.

    A concurrent cap is left out where there is none to set: on a bundle, and while the network's switch is off.
    """
    now, state = timezone.now(), getattr(campaign, "state", None)
    body: dict[str, Any] = dict.fromkeys(KINDS)
    if campaign.is_bundle or not campaign.network.concurrent_call_caps_enabled:
        del body["concurrent_call_cap_alert"]
    for cap in campaign.caps.all():
        if NAMES[CapKind(cap.kind)] in body:
            body[NAMES[CapKind(cap.kind)]] = _body(cap, state, now)
    return body


def _path(name: str, field: str | None) -> str:
    return f"budget_activities.{name}" + (f".{_TO_API.get(field, field)}" if field else "")


def _values(name: str, given: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    concurrent = KINDS[name] == CapKind.CONCURRENT_CALLS
    for field, value in given.items():
        if field == "budget_amount" or field in _READ_ONLY:
            continue
        if field not in _FIELDS:
            problems.append((_path(name, field), "unknown_field", f"“{field}” is no field of {name}."))
        elif concurrent and field not in ("alerts_enabled", "alert_thresholds"):
            continue  # A concurrent cap has no period; clients that send one shape for all three are let be.
        elif field in ("include_call_fees", "alerts_enabled"):
            try:
                values[_FIELDS[field]] = Flag().to_internal_value(value)
            except serializers.ValidationError:
                problems.append((_path(name, field), "invalid", f"“{field}” is true or false."))
        elif field == "alert_thresholds":
            values[field] = value
        elif value is not None and not isinstance(value, str):
            problems.append((_path(name, field), "invalid", f"“{field}” is a text."))
        elif value is not None:
            values[_FIELDS[field]] = iana(value) if field == "time_zone" else value
    return values


def caps_write(*, by: User, campaign: Campaign, given: Any, problems: list[Problem]) -> list[dict[str, Any]]:
    """Set and clear the caps named in `given`; to be called inside the write's transaction.

    What is wrong is added to `problems`, and then the caller must roll back. Raises NotAllowed and Conflict. Returns
    warnings: {code, field, detail}.
    """
    warnings: list[dict[str, Any]] = []
    if not isinstance(given, dict):
        problems.append(("budget_activities", "invalid", "budget_activities is an object with one entry per cap."))
        return warnings
    for name, value in given.items():
        if name not in KINDS:
            problems.append((_path(name, None), "unknown_field", f"“{name}” is no cap; use {', '.join(KINDS)}."))
            continue
        if value is not None and not isinstance(value, dict):
            problems.append((_path(name, None), "invalid", f"{name} is an object, or null for no cap."))
            continue
        if value is None or ("budget_amount" in value and value["budget_amount"] is None):
            actions.cap_clear(by=by, campaign=campaign, kind=KINDS[name])
            continue
        if "budget_amount" not in value:
            problems.append((_path(name, "budget_amount"), "required", "Give budget_amount; null clears the cap."))
            continue
        values = _values(name, value, problems)
        try:
            with transaction.atomic():
                cap = actions.cap_set(
                    by=by, campaign=campaign, kind=KINDS[name], amount=value["budget_amount"], **values
                )  # fmt: skip
        except Invalid as error:
            problems += [(_path(name, field), code, message) for field, code, message in error.problems]
            continue
        except Conflict as error:
            error.field = _path(name, error.field)
            raise
        if over := live_over(campaign, cap):
            warnings.append(
                {
                    "code": "below_live",
                    "field": _path(name, "amount"),
                    "detail": f"{over} more live than the new cap: they go on, and new calls come when enough have ended.",
                }
            )
    return warnings
