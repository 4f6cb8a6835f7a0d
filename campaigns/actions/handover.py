"""Handing a call over to a destination that has a call treatment of its own: its tree and facts, kept with the call."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns.models import CallFlow, Campaign
from campaigns.queries.treatment import context_of, facts_inside, own_tree_of
from campaigns.treatment.expressions import Context
from campaigns.treatment.interpreter import Inside
from campaigns.treatment.validate import treatment_read

logger = logging.getLogger(__name__)


def context_at(flow: CallFlow, facts: Mapping[str, Any], now: datetime) -> Context:
    """What conditions see of the call at `now`."""
    return context_of(facts, now=now, started_at=flow.started_at, answered_at=flow.answered_at, seed=flow.pk)


def handed_over(flow: CallFlow, destination_id: int) -> dict[str, Any] | None:
    """The own tree of a destination that the call is handed to, as it is now, with what its conditions may know of the call;
    None if it has none, or one that cannot be read any more."""
    destination = Campaign.objects.select_related("network", "overflow").get(pk=destination_id)
    own = own_tree_of(destination)
    if own is None:
        return None
    tree, faults = treatment_read(own, flow.network.country)
    if tree is None or faults:
        logger.error("call treatment cannot be read: %s", faults[:3], extra={"campaign": destination.pk})
        return None
    facts = facts_inside(destination=destination, called=flow.campaign, tree=tree, facts=flow.facts, at=flow.started_at)
    return {"destination": destination.pk, "tree": own, "facts": facts}


def inside_of(flow: CallFlow, handed: Mapping[str, Any] | None, now: datetime) -> Inside | None:
    """What `handed_over` found, ready to be walked."""
    if not handed:
        return None
    tree, faults = treatment_read(handed["tree"], flow.network.country)
    if tree is None or faults:
        return None
    return Inside(tree, context_at(flow, handed["facts"], now))
