"""Decisions as the API writes them."""

from typing import Any

from campaigns.models import Campaign
from campaigns.queries import Decision, DestinationView


def _entry(view: DestinationView, own: dict[int, str]) -> dict[str, Any]:
    free = None if view.cap is None else max(0, view.cap - view.live)
    return {
        "id": view.campaign_id,
        "id_from_network": own.get(view.campaign_id),
        "name": view.name,
        "priority": view.priority,
        "weight": view.weight,
        "verdict": view.verdict,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in view.reasons],
        "live": view.live,
        "concurrent_call_cap": view.cap,
        "free_slots": free,
        "share": view.share,
    }


def decision_body(decision: Decision) -> dict[str, Any]:
    """A decision in full. One query for the customer's own ids."""
    ids = {entry.campaign_id for entry in decision.entries} | {decision.chosen, decision.repeat}
    if decision.overflow:
        ids.add(decision.overflow.campaign_id)
    own = dict(Campaign.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "id_from_network"))
    overflow = None
    if decision.overflow:
        entry = _entry(decision.overflow, own)
        overflow = {name: entry[name] for name in ("id", "id_from_network", "name", "verdict", "reasons")}
    return {
        "outcome": decision.outcome,
        "summary": decision.summary,
        "refusal": decision.refusal or None,
        "chosen": own.get(decision.chosen) if decision.chosen else None,
        "repeat": own.get(decision.repeat) if decision.repeat else None,
        "destinations": [_entry(entry, own) for entry in decision.entries],
        "overflow": overflow,
    }
