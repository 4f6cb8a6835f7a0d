"""A campaign's terms: from what a surface hands in to their stored form, with everything that is wrong at once."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from campaigns.callers import NotANumber, e164
from campaigns.choices import CampaignType, Distribution
from campaigns.drafts import TERMS
from campaigns.hours import hours_clean
from campaigns.models import Campaign
from campaigns.pricing import SIDES, money, policies_clean
from campaigns.queries.treatment import treatment_of
from campaigns.regions import regions_clean
from campaigns.treatment.bundles import connects_to, stored
from campaigns.treatment.validate import overflow_of, selections, treatment_read
from portal.accounts import access
from portal.accounts.actions.networks import CURRENCIES
from portal.accounts.models import User
from portal.zones import time_zones

from .advertisers import Problem
from .treatment import MAX_SIZE, problem_of

# What a change may set, besides the bundle's own fields; each is checked by `terms_clean`.
FIELDS = ("name", *TERMS)
MAX_URL, MAX_DESCRIPTION = 200, 20_000
BUNDLE_FIELDS = ("distribution", "overflow", "repeat_caller", "repeat_window_days")


def zone_problem(value: str, field: str = "time_zone") -> Problem | None:
    """The problem with a time zone that this machine does not know; None if it does."""
    if value in time_zones():
        return None
    return (field, "unknown_time_zone", f"“{value}” is not a known time zone; use an IANA name such as America/Denver.")


def _name(value: Any, problems: list[Problem]) -> str:
    name = str(value or "").strip()
    if not 1 <= len(name) <= 200:
        problems.append(("name", "required", "A name has 1 to 200 characters."))
    return name


def _hours(value: Any, problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return hours_clean(value, problems)
    text = "Hours are fields such as monday_open and monday_closed, in seconds past midnight."
    problems.append(("hours", "invalid", text))
    return value


def _regions(value: Any, problems: list[Problem]) -> Any:
    if isinstance(value, list):
        return regions_clean(value, problems)
    problems.append(("named_regions", "invalid", "Regions are a list of {name, regions}."))
    return value


def _days(value: Any, problems: list[Problem]) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 365:
        problems.append(("repeat_window_days", "out_of_range", f"The repeat window is 1 to 365 days; it is {value}."))
    return value


def _pause_date(value: Any, problems: list[Problem]) -> date | None:
    if value in (None, "") or isinstance(value, date):
        return value or None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        problems.append(("pause_date", "invalid_date", f"“{value}” is not a date; write it as 2026-11-01."))
        return None


def _url(value: Any, problems: list[Problem]) -> str:
    text = str(value or "").strip()
    try:
        if text:
            URLValidator(schemes=["http", "https"])(text)
    except ValidationError:
        problems.append(("url", "invalid", f"“{text[:100]}” is not a web address such as https://example.com/roofing."))
    if len(text) > MAX_URL:
        problems.append(
            ("url", "too_long", f"A web address has at most {MAX_URL} characters; this one has {len(text)}.")
        )
    return text


def _description(value: Any, problems: list[Problem]) -> str:
    text = str(value or "")
    if len(text) > MAX_DESCRIPTION:
        words = f"A description has at most {MAX_DESCRIPTION} characters; this one has {len(text)}."
        problems.append(("description", "too_long", words))
    return text


# Terms that are read by themselves; those that depend on the campaign stand in `terms_clean`.
_ALONE: dict[str, Callable[[Any, list[Problem]], Any]] = {
    "name": _name, "url": _url, "description": _description, "hours": _hours, "named_regions": _regions,
    "repeat_window_days": _days, "pause_date": _pause_date,
}  # fmt: skip


def _phone(value: Any, country: str, problems: list[Problem]) -> str:
    if not value:
        return ""
    try:
        return e164(str(value), country)
    except NotANumber:
        problems.append(("destination_phone_number", "invalid_phone_number", f"“{value}” is not a phone number."))
        return ""


def _money(values: Mapping[str, Any], currency: str, problems: list[Problem]) -> dict[str, Any]:
    """`payin` and `payout` with their policies: a list of policies sets the Base amount too, an amount only the Base."""
    clean: dict[str, Any] = {}
    for side in SIDES:
        given = f"{side}_policies"
        if given in values:
            clean[side], clean[given] = policies_clean(values[given], currency=currency, field=given, problems=problems)
        if side in values:
            amount = money(values[side], side, side.title(), problems)
            if side in clean and clean[side] != amount:
                text = f"{side.title()} says {amount:f}, the Base policy without a condition {clean[side]:f}; give one of them."
                problems.append((side, "two_amounts", text))
            clean[side] = amount
    return clean


def _treatment(tree: Any, campaign: Campaign, by: User | None, problems: list[Problem]) -> dict[str, Any]:
    """The terms that a call treatment sets (campaigns.treatment.bundles: one truth with the campaign's own fields)."""
    if tree is None:
        return {"ivr_tree": None}
    if len(json.dumps(tree, default=str)) > MAX_SIZE:
        problems.append(("ivr_tree", "too_large", f"A call treatment has {MAX_SIZE // 1024} KB at most."))
        return {}
    read, faults = treatment_read(tree, campaign.network.country)
    if faults or read is None:
        problems += [problem_of(fault) for fault in faults]
        return {}
    if read.caller_id.get("setting") == "partial":
        # Read where it was stored before, when it had no effect; nobody should set it and believe that it does something.
        text = "The caller ID setting “partial” has no effect here; use original, promo, or specific with the number to show."
        problems.append(("ivr_tree.caller_id.setting", "not_supported", text))
        return {}
    kept = stored(tree, is_bundle=campaign.is_bundle)
    # What reads as the present one, though that may be only implied, is no change.
    same = kept == stored(treatment_of(campaign), is_bundle=campaign.is_bundle)
    terms: dict[str, Any] = {} if same else {"ivr_tree": kept}
    chosen = selections(read)
    if campaign.is_bundle and chosen:
        own = overflow_of(chosen[0])
        terms["repeat_caller"], terms["overflow"] = chosen[0].repeat_caller, None
        if own:
            rows = Campaign.objects.filter(network=campaign.network_id, id_from_network=own)
            found = (rows if by is None else access.restrict(rows, by)).first()
            terms["overflow"] = found
            if found is None:
                field = f"ivr_tree.{chosen[0].path}.children[0].destination_campaign_id_from_network"
                problems.append((field, "unknown_campaign", f"There is no campaign “{own}” in this network."))
    if not campaign.is_bundle and (number := connects_to(read)):
        terms["destination_phone_number"] = number
    return terms


def _overflow(overflow: Campaign, campaign: Campaign, problems: list[Problem]) -> None:
    if overflow.network_id != campaign.network_id:
        problems.append(("overflow", "other_network", "The overflow campaign belongs to another network."))
    elif overflow.is_bundle:
        text = f"“{overflow}” is itself a bundle; overflow must be a campaign with a destination."
        problems.append(("overflow", "bundle_in_bundle", text))


def terms_clean(
    campaign: Campaign, values: Mapping[str, Any], problems: list[Problem], *, by: User | None
) -> dict[str, Any]:
    """The values to set, each in its stored form; what is wrong is added to `problems`.

    campaign: as it will be without these values (`drafts.future_of`), so that what depends on others is checked against
    what it will meet. A call treatment (`ivr_tree`, as the API has it) also gives the fields that it shares with the
    campaign; a list of policies also its Base amount.
    """
    clean: dict[str, Any] = dict(values)
    for name in values:
        if name not in FIELDS:
            problems.append((name, "unknown_field", f"“{name}” cannot be set here."))
        elif name in BUNDLE_FIELDS and not campaign.is_bundle and values[name] not in (None, False):
            text = f"“{name}” belongs to Bundled campaigns; this one is {campaign.campaign_type}."
            problems.append((name, "not_a_bundle", text))
    for name, read in _ALONE.items():
        if name in values:
            clean[name] = read(values[name], problems)
    if "time_zone" in values and (problem := zone_problem(str(values["time_zone"]))):
        problems.append(problem)
    if "destination_phone_number" in values:
        number = _phone(values["destination_phone_number"], campaign.network.country, problems)
        clean["destination_phone_number"] = number
    currency = values.get("currency", campaign.currency)
    if currency not in CURRENCIES:
        text = f"“{currency}” is not supported; use {', '.join(CURRENCIES)}."
        problems.append(("currency", "unknown_currency", text))
    clean |= _money(values, str(currency), problems)
    if "distribution" in values and values["distribution"] not in Distribution.values:
        problems.append(("distribution", "unknown_distribution", f"Use one of {', '.join(Distribution.values)}."))
    if "ivr_tree" in values:
        told = _treatment(values["ivr_tree"], campaign, by, problems)
        del clean["ivr_tree"]
        clean = {**clean, **told}
    if clean.get("overflow") is not None:
        _overflow(clean["overflow"], campaign, problems)
    return clean


def type_problem(campaign_type: str) -> Problem | None:
    """The problem with a type that does not exist; None if it does."""
    if campaign_type in CampaignType.values:
        return None
    text = f"“{campaign_type}” is not a type; use {', '.join(CampaignType.values)}."
    return ("campaign_type", "unknown_campaign_type", text)
