"""The call treatment of a campaign as everybody sees it, and what its conditions may know of a call."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import phonenumbers

from campaigns import ports
from campaigns.callers import Caller, caller_read
from campaigns.models import Call, Campaign
from campaigns.regions import place_of, regions_compile
from campaigns.treatment.bundles import Json, composed, implied
from campaigns.treatment.expressions import Context, InRegion, Word
from campaigns.treatment.nodes import Condition, Connect, Tree, VerifyLocation
from campaigns.treatment.validate import treatment_read

logger = logging.getLogger(__name__)

_LINES = {phonenumbers.PhoneNumberType.MOBILE: "mobile", phonenumbers.PhoneNumberType.FIXED_LINE: "landline"}


def treatment_of(campaign: Campaign) -> Json:
    """The call treatment {record_calls, root} in force: the one that was set, or the implied one.

    What a bundle's node says of repeat callers and overflow, and the number of a tree that only connects, come from the
    campaign's fields: those are the one truth (campaigns.treatment.bundles).
    """
    number = campaign.destination_phone_number
    tree = campaign.ivr_tree
    if tree is None:
        tree = implied(is_bundle=campaign.is_bundle, number=number)
    overflow = campaign.overflow.id_from_network if campaign.overflow_id and campaign.overflow else ""
    return composed(
        tree, overflow=overflow, repeat_caller=campaign.repeat_caller, number="" if campaign.is_bundle else number
    )


def copied(source: Campaign, values: Mapping[str, Any]) -> Json | None:
    """The call treatment of `source` for a copy whose fields are `values`; None where it has none of its own to take along."""
    number = values.get("destination_phone_number") or ""
    if source.ivr_tree is None or (source.ivr_tree["root"].get("node_type") == "Connect" and not number):
        return None
    overflow = values.get("overflow")
    return composed(
        source.ivr_tree, overflow=overflow.id_from_network if overflow else "",
        repeat_caller=bool(values.get("repeat_caller")), number="" if source.is_bundle else number,
    )  # fmt: skip


def tree_of(campaign: Campaign) -> Tree:
    """The call treatment in force, ready to be walked. One that can no longer be read gives way to the implied one."""
    tree, faults = treatment_read(treatment_of(campaign), campaign.network.country)
    if tree is not None and not faults:
        return tree
    if campaign.ivr_tree is not None:
        logger.error("call treatment cannot be read: %s", faults[:3], extra={"campaign": campaign.pk})
    return implied_tree(campaign)


def implied_tree(campaign: Campaign) -> Tree:
    """The tree of a campaign without a treatment of its own."""
    plain = implied(is_bundle=campaign.is_bundle, number=campaign.destination_phone_number)
    overflow = campaign.overflow.id_from_network if campaign.overflow else ""
    whole = composed(plain, overflow=overflow, repeat_caller=campaign.repeat_caller)
    tree, _faults = treatment_read(whole, campaign.network.country)
    return tree or Tree(Connect())


def line_of(number: str | None) -> str:
    """mobile or landline where the numbering plan tells; empty elsewhere, as in North America."""
    if not number:
        return ""
    try:
        return _LINES.get(phonenumbers.number_type(phonenumbers.parse(number)), "")
    except phonenumbers.NumberParseException:
        return ""


def own_tree_of(destination: Campaign) -> Json | None:
    """The call treatment that a call walks through when a bundle hands it to this destination; None where it was given none
    of its own, and the call only rings its number."""
    return None if destination.ivr_tree is None else treatment_of(destination)


def facts_inside(
    *, destination: Campaign, called: Campaign, tree: Tree, facts: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """What the conditions of a destination's own tree may know of a call that a bundle hands to it, as JSON.

    called: the bundle; facts: what was known when the call came. Hours, regions and place are the destination's, `repeat` is
    the bundle's (as payout policies have it). Of custom data the call's own go first, then the destination's, then the
    bundle's.
    """
    names = ("line", "affiliate_name", "media_type", "promo_number_description")
    inside = facts_of(
        campaign=destination, tree=tree, caller=caller_read(facts.get("caller")), promo_number="",
        given={name: facts.get(name) for name in names}, at=at, called=called,
    )  # fmt: skip
    known, bundles = facts.get("custom_data") or {}, called.extra.get("custom_data")
    standing = {str(name): str(value) for name, value in (bundles if isinstance(bundles, Mapping) else {}).items()}
    calls = {name: value for name, value in known.items() if standing.get(name) != value}
    return {**inside, "custom_data": {**known, **inside["custom_data"], **calls}}


def facts_of(
    *,
    campaign: Campaign,
    tree: Tree,
    caller: Caller,
    promo_number: str,
    given: Mapping[str, Any],
    at: datetime,
    called: Campaign | None = None,
) -> dict[str, Any]:
    """What does not change while a call walks through `tree`, as JSON: asked once, when the call comes.

    given: what the switch says besides (line, affiliate_name, media_type, promo_number_description, custom_data); it wins
    over what the portal knows. Only what a condition of the tree asks is looked up. called: the bundle, where `campaign` is
    its destination; `repeat` asks about that.
    """
    leaves = [leaf for node in tree.walk() if isinstance(node, Condition) for leaf in node.condition.leaves()]
    number = ports.facts_of_number(campaign.network_id, promo_number) if promo_number else {}
    known: dict[str, Any] = {**number, **{name: value for name, value in given.items() if value}}
    custom = campaign.extra.get("custom_data")
    facts: dict[str, Any] = {
        name: str(known.get(name) or "") for name in ("affiliate_name", "media_type", "promo_number_description")
    }
    facts["custom_data"] = {
        str(name): str(value)
        for source in (custom, number.get("custom_data"), given.get("custom_data"))
        if isinstance(source, Mapping)
        for name, value in source.items()
    }
    facts["line"] = known.get("line") or line_of(caller.e164)
    facts["caller"] = caller.e164
    facts["time_zone"] = campaign.time_zone
    facts["hours"] = None if campaign.operating_24_7 else campaign.hours
    if any(isinstance(leaf, InRegion) for leaf in leaves):
        facts["regions"] = regions_of(campaign, caller.key)
    if Word("repeat") in leaves:
        facts["repeat"] = is_repeat(called or campaign, caller.e164, at)
    if any(isinstance(node, VerifyLocation) for node in tree.walk()):
        facts["place"] = place_of(caller.e164)
    return facts


def regions_of(campaign: Campaign, caller_key: int | None) -> list[str]:
    """The names of the campaign's regions that a caller's number is in; none for a withheld number."""
    if caller_key is None:
        return []
    inside = []
    for named in campaign.named_regions:
        ranges = regions_compile([named]) or []
        if any(low <= caller_key < high for low, high in ranges):
            inside.append(named["name"])
    return inside


def is_repeat(campaign: Campaign, caller: str | None, at: datetime) -> bool:
    """Whether the caller called this campaign before, within its window (domain: 30 days by default)."""
    if caller is None:
        return False
    since = at - timedelta(days=campaign.repeat_window_days)
    return Call.objects.filter(
        network=campaign.network_id, caller=caller, campaign=campaign, started_at__gte=since, started_at__lt=at
    ).exists()


def context_of(
    facts: Mapping[str, Any], *, now: datetime, started_at: datetime, answered_at: datetime | None = None, seed: int = 0
) -> Context:
    """What conditions see at `now`; the rest of the facts is as it was when the call came."""
    return Context(
        now=now,
        caller=facts.get("caller"),
        time_zone=facts.get("time_zone") or "UTC",
        hours=facts.get("hours"),
        regions=frozenset(facts.get("regions") or ()),
        repeat=bool(facts.get("repeat")),
        line=facts.get("line") or "",
        duration=max((now - started_at).total_seconds(), 0),
        connect_duration=max((now - answered_at).total_seconds(), 0) if answered_at else 0,
        custom_data=facts.get("custom_data") or {},
        affiliate_name=facts.get("affiliate_name") or "",
        media_type=facts.get("media_type") or "",
        promo_number_description=facts.get("promo_number_description") or "",
        place=facts.get("place") or "",
        seed=seed,
    )
