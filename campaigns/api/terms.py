"""A campaign's terms, from what a client sent to what the actions take, and to the older versions' shapes."""

import json
from typing import Any

from rest_framework import serializers

from campaigns.actions.terms import BUNDLE_FIELDS
from campaigns.models import Advertiser, Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.errors import Invalid

from .input import cleaned
from .zones import iana

Problem = tuple[str | None, str, str]

MAX_EXTRA = 64 * 1024
MAX_REGIONS = 1000
# Given back by a read, so clients send them again; never written.
READ_ONLY = (
    "id", "status", "object_url", "created_at", "updated_at", "live", "warnings", "current_terms", "future_terms",
    "expiration_date", "oauth_token",
)  # fmt: skip
_RENAMED = {"timezone": "time_zone"}
_EMPTY: dict[str, Any] = {
    "description": "",
    "url": "",
    "destination_phone_number": "",
    "hours": {},
    "named_regions": [],
}
_KEPT_WHEN_NULL = ("distribution", "repeat_caller", "repeat_window_days")
_POLICIES = {"advertiser_payin": "payin", "affiliate_payout": "payout"}


def extra_of(data: dict[str, Any], serializer: type[serializers.Serializer], present: dict[str, Any]) -> dict[str, Any]:
    """The fields of `data` that nobody uses, to be kept. Raises Invalid when they grow too many."""
    known = serializer().fields
    extra = {name: value for name, value in data.items() if name not in known and name not in READ_ONLY}
    if extra and len(json.dumps({**present, **extra})) > MAX_EXTRA:
        raise Invalid(
            f"The fields kept for you have {MAX_EXTRA // 1024} KB at most; send fewer that Headroom does not use.",
            code="too_much_kept",
        )
    return extra


def _policy_amount(value: Any) -> Any:
    """The amount of the first Base policy of advertiser_payin or affiliate_payout; None if there is none."""
    policies = value.get("policies") if isinstance(value, dict) else None
    for policy in policies if isinstance(policies, list) else []:
        if isinstance(policy, dict) and policy.get("type", "Base") == "Base" and not policy.get("condition"):
            return policy.get("amount")
    return None


def _connect_number(node: Any) -> str | None:
    """Where an `ivr_tree` of one Connect node sends calls."""
    if not isinstance(node, dict) or node.get("node_type") != "Connect":
        return None
    number, country = node.get("destination_phone_number"), node.get("destination_country_code")
    if not isinstance(number, str | int) or isinstance(number, bool) or not number:
        return None
    text = str(number)
    return text if text.startswith("+") or not country else f"+{country}{text}"


def values_of(
    data: dict[str, Any],
    serializer: type[serializers.Serializer],
    *,
    by: User,
    network: Network,
    found: Campaign | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values for the campaign actions, the other fields sent: id_from_network, campaign_type, caps, advertiser).

    Raises Invalid or DRF's ValidationError for what is of a wrong type.
    """
    data = {name: value for name, value in data.items() if name not in READ_ONLY}
    caps = data.pop("budget_activities", None)
    if isinstance(data.get("overflow"), dict):
        data["overflow"] = data["overflow"].get("id_from_network")  # as a read gives it
    if isinstance(data.get("advertiser"), dict):
        data["advertiser"] = data["advertiser"].get("id_from_network")
    regions = data.get("named_regions")
    if isinstance(regions, list) and sum(
        len(named.get("regions") or []) for named in regions if isinstance(named, dict) and isinstance(named.get("regions"), list)
    ) > MAX_REGIONS:  # fmt: skip
        raise Invalid(f"At most {MAX_REGIONS} regions.", field="named_regions", code="too_many")
    # The action says more about these than their type, each with its path.
    own_words: dict[str, Any] = {name: data.pop(name) for name in ("hours", "named_regions") if name in data}
    given = {**cleaned(serializer, data), **own_words}
    other: dict[str, Any] = {
        name: given.pop(name) for name in ("id_from_network", "campaign_type", "advertiser") if name in given
    }
    other["caps"] = caps
    values: dict[str, Any] = {
        _RENAMED.get(name, name): _EMPTY[name] if value is None and name in _EMPTY else value
        for name, value in given.items()
    }
    values = {name: value for name, value in values.items() if value is not None or name not in _KEPT_WHEN_NULL}
    if "time_zone" in values:
        values["time_zone"] = iana(values["time_zone"])
    if values.get("overflow") is not None:
        values["overflow"] = _overflow(values["overflow"], by, network)
    extra = extra_of({**data, **own_words}, serializer, found.extra if found else {})
    extra.pop("advertiser", None)
    if "timezone" in given and values["time_zone"] != given["timezone"]:
        extra["timezone"] = given["timezone"]
    for sent, field in _POLICIES.items():
        if field not in values and (amount := _policy_amount(extra.get(sent))) is not None:
            values[field] = amount
    tree = extra.get("ivr_tree")
    if (
        "destination_phone_number" not in values
        and isinstance(tree, dict)
        and (number := _connect_number(tree.get("root")))
    ):
        values["destination_phone_number"] = number
    if extra:
        values["extra"] = extra
    return values, other


def _overflow(own: str, by: User, network: Network) -> Campaign:
    found = access.restrict(Campaign.objects.filter(network=network, id_from_network=own), by).first()
    if found is None:
        raise Invalid(f"There is no campaign “{own}” in this network.", field="overflow", code="unknown_campaign")
    return found


def _with_money(kept: dict[str, Any], amount: Any, currency: str) -> dict[str, Any]:
    """advertiser_payin or affiliate_payout as kept, its Base policy at the present amount."""
    policies = kept.get("policies") if isinstance(kept, dict) else None
    rows = [dict(policy) for policy in policies if isinstance(policy, dict)] if isinstance(policies, list) else []
    base = next((row for row in rows if row.get("type", "Base") == "Base" and not row.get("condition")), None)
    if base is None:
        base = {"type": "Base", "currency": currency, "amount": None, "condition": None}
        rows.insert(0, base)
    base["amount"] = float(amount)
    amounts = [float(row["amount"]) for row in rows if isinstance(row.get("amount"), int | float)]
    low, high = min(amounts), max(amounts)
    price = f"{low:.2f} {currency}" if low == high else f"{low:.2f} to {high:.2f} {currency}"
    return {**(kept if isinstance(kept, dict) else {}), "policies": rows, "min": low, "max": high, "range": price}


def polished(body: dict[str, Any], campaign: Campaign) -> dict[str, Any]:
    """The current version's body, with what is kept brought in line with what is in force."""
    for sent, field in _POLICIES.items():
        body[sent] = _with_money(campaign.extra.get(sent) or {}, getattr(campaign, field), campaign.currency)
    if not campaign.is_bundle:
        body.update(dict.fromkeys(BUNDLE_FIELDS))
    return body


_OUTSIDE_TERMS = ("id", "id_from_network", "name", "status", "object_url")
_NOT_OLD = ("advertiser", "live", "warnings", "created_at", "updated_at")


def old_campaign(body: dict[str, Any], campaign: Campaign) -> dict[str, Any]:
    """A campaign in the Network Integration shape: the terms read back as `current_terms` and `future_terms`.

    Changes take effect at once, so both are the same; a campaign that was never live has no current terms yet.
    """
    outside = {name: body[name] for name in _OUTSIDE_TERMS}
    terms = {name: value for name, value in body.items() if name not in (*_OUTSIDE_TERMS, *_NOT_OLD)}
    kept = campaign.extra.get("timezone")
    if isinstance(kept, str) and iana(kept) == campaign.time_zone:
        terms["timezone"] = kept  # as it was written
    answer = {**outside, "current_terms": None if campaign.status == "Pending" else terms, "future_terms": terms}
    if body.get("warnings"):
        answer["warnings"] = body["warnings"]
    return answer


def old_advertiser(body: dict[str, Any], advertiser: Advertiser) -> dict[str, Any]:
    """An advertiser in the Network Integration shape."""
    return {name: value for name, value in body.items() if name != "created_at"}
