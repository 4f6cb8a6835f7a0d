"""Setting a campaign's call treatment."""

import json
from typing import Any

from django.db import transaction

from campaigns.models import Campaign
from campaigns.queries.treatment import treatment_of
from campaigns.treatment.bundles import connects_to, stored
from campaigns.treatment.nodes import Fault, Tree
from campaigns.treatment.validate import overflow_of, selections, treatment_read
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import record
from portal.errors import Conflict, Invalid

MAX_SIZE = 256 * 1024


def problem_of(fault: Fault) -> tuple[str | None, str, str]:
    """A fault of a tree as errors carry it: (ivr_tree.root.children[0].condition, code, message)."""
    return f"ivr_tree.{fault.where}", fault.code, fault.message


def _overflow(by: User | None, bundle: Campaign, own: str, path: str) -> Campaign:
    """The overflow campaign that the else branch names."""
    rows = Campaign.objects.filter(network=bundle.network_id, id_from_network=own)
    found = (rows if by is None else access.restrict(rows, by)).first()
    field = f"ivr_tree.{path}.destination_campaign_id_from_network"
    if found is None:
        raise Invalid(f"There is no campaign “{own}” in this network.", field=field, code="unknown_campaign")
    if found.is_bundle:
        text = f"“{found}” is itself a bundle; overflow must be a campaign with a destination."
        raise Invalid(text, field=field, code="bundle_in_bundle")
    return found


def _checked(tree: Any, campaign: Campaign) -> Tree:
    """The tree, read. Raises Invalid with every fault of it."""
    if len(json.dumps(tree, default=str)) > MAX_SIZE:
        raise Invalid(f"A call treatment has {MAX_SIZE // 1024} KB at most.", field="ivr_tree", code="too_large")
    read, faults = treatment_read(tree, campaign.network.country)
    if faults or read is None:
        raise Invalid.of([problem_of(fault) for fault in faults])
    return read


def treatment_set(*, by: User | None, campaign: Campaign, tree: Any, version: str | None = None) -> Campaign:
    """Give a campaign its call treatment; needs `change`. In effect with the next call; calls in progress keep theirs.

    tree: {record_calls, root} (domain/api-shapes.md); None = back to the implied one. Of a bundle, what its
    SelectFromBundle says of repeat callers and the overflow campaign is written to the campaign's fields `repeat_caller` and
    `overflow`, which are the one truth; of another campaign, the number of a tree that only connects to the field
    `destination_phone_number`. version: `updated_at` in ISO form as the user read it; another one now raises Conflict
    `changed`. Raises Invalid with every fault, its field naming the node: `ivr_tree.root.children[0].condition`.
    """
    access.require(by, "change", campaign)
    with transaction.atomic():
        rows = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("network", "overflow")
        campaign = rows.get(pk=campaign.pk)
        if version is not None and version != campaign.updated_at.isoformat():
            raise Conflict(
                "Somebody changed this campaign meanwhile; look at it again before you save.", code="changed"
            )
        before = treatment_of(campaign)
        if tree is None:
            campaign.ivr_tree = None
        else:
            read = _checked(tree, campaign)
            chosen = selections(read)
            if campaign.is_bundle and chosen:
                own = overflow_of(chosen[0])
                campaign.overflow = _overflow(by, campaign, own, f"{chosen[0].path}.children[0]") if own else None
                campaign.repeat_caller = chosen[0].repeat_caller
            if not campaign.is_bundle and (number := connects_to(read)):
                campaign.destination_phone_number = number
            campaign.ivr_tree = stored(tree, is_bundle=campaign.is_bundle)
        after = treatment_of(campaign)
        if after != before:
            campaign.save()
            record(event="treatment.set", obj=campaign, by=by, changes={"ivr_tree": [before, after]})
    return campaign
