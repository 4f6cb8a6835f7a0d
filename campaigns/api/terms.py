"""A campaign's terms, from what a client sent to what the actions take, and to the older versions' shapes."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import phonenumbers
from rest_framework import serializers

from campaigns.actions.terms import BUNDLE_FIELDS
from campaigns.drafts import future_of
from campaigns.models import Advertiser, Campaign
from campaigns.pricing import Side, figure, in_words, policies_of, price_range
from campaigns.queries.treatment import treatment_of
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
    "draft", "has_draft", "expiration_date", "oauth_token",
)  # fmt: skip
_RENAMED = {"timezone": "time_zone"}
_EMPTY: dict[str, Any] = {
    "description": "",
    "url": "",
    "destination_phone_number": "",
    "hours": {},
    "named_regions": [],
    "pause_date": None,
}
_KEPT_WHEN_NULL = ("distribution", "repeat_caller", "repeat_window_days")
POLICIES: dict[str, Side] = {"advertiser_payin": "payin", "affiliate_payout": "payout"}
_OWN_WORDS = ("hours", "named_regions", "pause_date", "ivr_tree", *POLICIES)


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


def _policies(data: dict[str, Any], values: dict[str, Any], future: Campaign | None) -> None:
    """Read advertiser_payin and affiliate_payout into the values that the actions take.

    A client that changes `payin` in what it read sends the old policies along, and the other way round: what differs from
    what is stored is what he means. The policies' currency is the campaign's where the client names no other.
    """
    problems: list[Problem] = []
    for sent, side in POLICIES.items():
        if sent not in data:
            continue
        given = data[sent] if data[sent] is not None else {"policies": []}
        rows = given.get("policies") if isinstance(given, dict) else None
        if not isinstance(rows, list):
            text = f"{sent} is an object with a list “policies”, each {{type, currency, amount, condition}}."
            problems.append((f"{sent}.policies", "invalid", text))
            continue
        values[f"{side}_policies"] = rows
        if side in values and future is not None:
            base = next((row for row in rows if isinstance(row, dict) and _is_plain_base(row)), {})
            if _same_money(values[side], getattr(future, side)):
                del values[side]
            elif _same_money(base.get("amount", 0), getattr(future, side)):
                others = [row for row in rows if row is not base]
                values[f"{side}_policies"] = [*others, {"type": "Base", "amount": values.pop(side)}]
    if problems:
        raise Invalid.of(problems)
    _currency(values, future)


def _is_plain_base(policy: dict[str, Any]) -> bool:
    return policy.get("type", "Base") == "Base" and not policy.get("condition")


def _same_money(one: Any, other: Any) -> bool:
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False


def _currency(values: dict[str, Any], future: Campaign | None) -> None:
    """Network Integration clients name the currency in the policies alone; it is taken from them when all agree."""
    lists = [values[f"{side}_policies"] for side in POLICIES.values() if f"{side}_policies" in values]
    named = {
        row.get("currency")
        for rows in lists
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("currency"), str)
    }
    if "currency" in values or len(named) != 1 or not (future is None or len(lists) == len(POLICIES)):
        return
    (currency,) = named
    if future is None or future.currency != currency:
        values["currency"] = currency


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
    own_words: dict[str, Any] = {name: data.pop(name) for name in _OWN_WORDS if name in data}
    terms = {name: value for name, value in own_words.items() if name not in POLICIES}
    given = {**cleaned(serializer, data), **terms}
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
    future = future_of(found) if found else None
    extra = extra_of({**data, **own_words}, serializer, future.extra if future else {})
    extra.pop("advertiser", None)
    if "timezone" in given and values["time_zone"] != given["timezone"]:
        extra["timezone"] = given["timezone"]
    _policies(own_words, values, future)
    if (
        future is not None
        and "ivr_tree" in values
        and values["ivr_tree"] in (tree_body(future), old_tree(tree_body(future)))
    ):
        del values["ivr_tree"]  # as it was read: what else is sent may change the fields that they share
    if extra:
        values["extra"] = extra
    return values, other


def _overflow(own: str, by: User, network: Network) -> Campaign:
    found = access.restrict(Campaign.objects.filter(network=network, id_from_network=own), by).first()
    if found is None:
        raise Invalid(f"There is no campaign “{own}” in this network.", field="overflow", code="unknown_campaign")
    return found


def _money_body(campaign: Campaign, side: Side) -> dict[str, Any]:
    """advertiser_payin or affiliate_payout."""
    policies, currency = policies_of(campaign, side), campaign.currency
    low, high = price_range(policies)
    least, most = figure(low), figure(high)
    return {
        "policies": [
            {
                "type": policy.type,
                "currency": currency,
                "amount": float(policy.amount),
                "condition": policy.condition or None,
            }
            for policy in policies
        ],
        "min": float(low),
        "max": float(high),
        "range": f"{least} {currency}" if low == high else f"{least} to {most} {currency}",
        "pricing": in_words(policies, currency),
    }


def tree_body(campaign: Campaign) -> dict[str, Any] | None:
    """The call treatment in force; null for a campaign that has neither one nor a number to connect to."""
    if campaign.ivr_tree is None and not campaign.is_bundle and not campaign.destination_phone_number:
        return None
    return treatment_of(campaign)


def old_tree(tree: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same with the root's number as Network Integration writes it: national, its country's code beside it."""
    number = tree["root"].get("destination_phone_number") if tree else None
    if not tree or tree["root"].get("node_type") != "Connect" or not str(number).startswith("+"):
        return tree
    try:
        parsed = phonenumbers.parse(str(number))
    except phonenumbers.NumberParseException:
        return tree
    national = phonenumbers.national_significant_number(parsed)
    root = {
        **tree["root"],
        "destination_phone_number": national,
        "destination_country_code": str(parsed.country_code),
    }
    return {**tree, "root": root}


def polished(body: dict[str, Any], campaign: Campaign) -> dict[str, Any]:
    """A campaign's body in the current version, with what is read from several of its fields. campaign: a row or its future."""
    for sent, side in POLICIES.items():
        body[sent] = _money_body(campaign, side)
    body["ivr_tree"] = tree_body(campaign)
    body["pause_date"] = body["expiration_date"] = campaign.pause_date.isoformat() if campaign.pause_date else None
    if not campaign.is_bundle:
        body.update(dict.fromkeys(BUNDLE_FIELDS))
    return body


_NO_TERMS = ("status", "updated_at", "live", "budget_activities", "draft", "has_draft")


def with_draft(body: dict[str, Any], future: dict[str, Any], campaign: Campaign) -> dict[str, Any]:
    """A body of the current version: its fields are what is in force, `draft` what going live will change them to."""
    draft = {name: value for name, value in future.items() if name not in _NO_TERMS and body.get(name) != value}
    return {**body, "has_draft": campaign.draft is not None, "draft": draft if campaign.draft is not None else None}


_OUTSIDE_TERMS = ("id", "id_from_network", "name", "status", "object_url")
_NOT_OLD = ("advertiser", "live", "warnings", "created_at", "updated_at", "draft", "has_draft")


def _old_terms(body: dict[str, Any], campaign: Campaign) -> dict[str, Any]:
    terms = {name: value for name, value in body.items() if name not in (*_OUTSIDE_TERMS, *_NOT_OLD)}
    terms["ivr_tree"] = old_tree(terms["ivr_tree"])
    kept = campaign.extra.get("timezone")
    if isinstance(kept, str) and iana(kept) == campaign.time_zone:
        terms["timezone"] = kept  # as it was written
    return terms


def old_campaign(body: dict[str, Any], future_body: dict[str, Any], campaign: Campaign) -> dict[str, Any]:
    """A campaign in the Network Integration shape: what is in force as `current_terms`, what it will be as `future_terms`.

    A campaign that was never live has no current terms yet. Caps are the same in both: they are changed live.
    """
    outside = {name: body[name] for name in _OUTSIDE_TERMS}
    answer = {
        **outside,
        "current_terms": None if campaign.status == "Pending" else _old_terms(body, campaign),
        "future_terms": _old_terms(future_body, future_of(campaign)),
    }
    if body.get("warnings"):
        answer["warnings"] = body["warnings"]
    return answer


def old_advertiser(body: dict[str, Any], advertiser: Advertiser) -> dict[str, Any]:
    """An advertiser in the Network Integration shape."""
    return {name: value for name, value in body.items() if name != "created_at"}
