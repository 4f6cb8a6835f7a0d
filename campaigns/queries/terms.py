"""A campaign's terms in words for people: what is in force, what will be, and the difference."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.drafts import future_of
from campaigns.hours import hours_in_words
from campaigns.models import Campaign
from campaigns.pricing import Side, in_words, policies_of
from campaigns.treatment.validate import treatment_read

from .treatment import treatment_of


@dataclass(frozen=True)
class Term:
    """One term in words. `step` is the step of the wizard that it is set in."""

    label: str
    words: str
    step: str


@dataclass(frozen=True)
class Difference:
    """One term that going live will change; `current` and `future` in words."""

    label: str
    current: str
    future: str
    step: str


def hours_words(campaign: Campaign) -> str:
    """Such as “Monday to Friday 08:00–18:00, Saturday 09:00–12:00”; days of the same hours in a row stand together."""
    if campaign.operating_24_7:
        return "around the clock"
    spans: list[tuple[str, str, str]] = []
    for day, words in hours_in_words(campaign.hours):
        if spans and spans[-1][2] == words:
            spans[-1] = (spans[-1][0], day, words)
        else:
            spans.append((day, day, words))
    open_spans = [
        f"{first}{'' if first == last else f' to {last}'} {words}" for first, last, words in spans if words != "closed"
    ]
    return ", ".join(open_spans) or "always closed"


def regions_words(campaign: Campaign) -> str:
    """Such as “Front Range: Denver, CO (city), 720, 970 (number prefix)”."""
    kinds = {"Prefix": "number prefix"}
    named = [
        f"{row['name']}: "
        + ", ".join(
            f"{region.get('text') or region['value']} ({kinds.get(region['region_type'], region['region_type'].lower())})"
            for region in row["regions"]
        )
        for row in campaign.named_regions
    ]
    return "; ".join(named) or "everywhere"


def treatment_words(campaign: Campaign) -> str:
    """The first node and how many there are; the page of the call treatment shows the tree itself."""
    if campaign.ivr_tree is None:
        return "select from the bundle" if campaign.is_bundle else "connect to the destination number"
    tree, _faults = treatment_read(treatment_of(campaign), campaign.network.country)
    nodes = list(tree.walk()) if tree else []
    return f"{nodes[0].label}, {len(nodes)} node{'s' if len(nodes) != 1 else ''} in all" if nodes else "cannot be read"


def money_words(campaign: Campaign, side: Side) -> str:
    """The policies of one side, in the order in which they are asked."""
    return in_words(policies_of(campaign, side), campaign.currency)


def _extra(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:200]


def terms_in_words(campaign: Campaign) -> list[Term]:
    """Every term of a campaign as it stands in the object (a row, or `future_of` it), in the order of the wizard."""
    terms = [
        Term("Description", campaign.description or "none", "basics"),
        Term("Web address", campaign.url or "none", "basics"),
        Term("Pause date", campaign.pause_date.isoformat() if campaign.pause_date else "none", "basics"),
        Term("Time zone", campaign.time_zone, "destination"),
    ]
    if campaign.is_bundle:
        window = f"{campaign.repeat_window_days} day{'s' if campaign.repeat_window_days != 1 else ''}"
        terms += [
            Term("Distribution", campaign.get_distribution_display(), "treatment"),
            Term("Overflow campaign", campaign.overflow.name if campaign.overflow else "none", "treatment"),
            Term("Repeat caller", "yes" if campaign.repeat_caller else "no", "treatment"),
            Term("Repeat window", window, "treatment"),
        ]
    else:
        terms += [
            Term("Destination number", campaign.destination_phone_number or "none", "destination"),
            Term("Opening hours", hours_words(campaign), "destination"),
            Term("Regions", regions_words(campaign), "destination"),
        ]
    terms += [
        Term("Payin", money_words(campaign, "payin"), "payout"),
        Term("Payout", money_words(campaign, "payout"), "payout"),
        Term("Call treatment", treatment_words(campaign), "treatment"),
    ]
    return terms


def terms_difference(campaign: Campaign) -> list[Difference]:
    """What going live will change of the terms in force: a row per term, in words. Nothing while there is no draft."""
    if not campaign.draft:
        return []
    future = future_of(campaign)
    current_terms, future_terms = terms_in_words(campaign), terms_in_words(future)
    rows = [
        Difference(old.label, old.words, new.words, old.step)
        for old, new in zip(current_terms, future_terms, strict=True)
        if old.words != new.words
    ]
    if "ivr_tree" in campaign.draft and all(row.label != "Call treatment" for row in rows):
        words = treatment_words(campaign)
        rows.append(Difference("Call treatment", words, f"changed: {treatment_words(future)}", "treatment"))
    extra: Mapping[str, Any] = campaign.draft.get("extra", {})
    rows += [
        Difference(name.replace("_", " ").capitalize(), _extra(campaign.extra.get(name)), _extra(value), "basics")
        for name, value in extra.items()
    ]
    # What reads the same in words though it was changed (such as a region's hidden text) must not go unseen.
    seen = {row.label for row in rows}
    for field, label, step in (("named_regions", "Regions", "destination"), ("hours", "Opening hours", "destination")):
        if field in campaign.draft and label not in seen and not campaign.is_bundle:
            old = next(term.words for term in current_terms if term.label == label)
            text = (
                "changed, but not in force while it is open around the clock" if field == "hours" else f"changed: {old}"
            )
            rows.append(Difference(label, old, text, step))
    return rows
