"""Drafts: of a campaign that is or was live, changed terms wait until it goes live (again).

A draft is a JSON object of the changed terms alone, in their stored form. What a campaign will be is its row with the
draft laid over it (`future_of`); routing and pages go on with the row. The name and own id are no terms (domain: they stand
outside `current_terms`), so they change at once, as do caps and the places of a bundle's destinations.
"""

import copy
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign

TERMS = (
    "description", "url", "time_zone", "operating_24_7", "hours", "named_regions", "destination_phone_number", "currency",
    "payin", "payin_policies", "payout", "payout_policies", "pause_date", "distribution", "overflow", "repeat_caller",
    "repeat_window_days", "ivr_tree", "extra",
)  # fmt: skip


def is_drafted(campaign: Campaign) -> bool:
    """Whether its terms change by a draft: not while it was never live, since nothing is in force yet."""
    return campaign.status != CampaignStatus.PENDING


def _stored(field: str, value: Any) -> Any:
    """A term's value as JSON; equal values look equal."""
    if isinstance(value, Campaign):
        return value.pk
    if isinstance(value, date):
        return value.isoformat()
    if field in ("payin", "payout"):
        return f"{Decimal(value):.4f}"
    return str(value) if field == "distribution" else value


def _current(campaign: Campaign, field: str) -> Any:
    return _stored(field, campaign.overflow_id if field == "overflow" else getattr(campaign, field))


def _put(campaign: Campaign, field: str, stored: Any) -> None:
    """Set a term from its JSON form."""
    if field == "overflow":
        if campaign.overflow_id != stored:
            campaign.overflow_id = stored
    elif field in ("payin", "payout"):
        setattr(campaign, field, Decimal(stored))
    elif field == "pause_date":
        campaign.pause_date = date.fromisoformat(stored) if stored else None
    elif field == "extra":
        campaign.extra = {**campaign.extra, **stored}
    else:
        setattr(campaign, field, copy.deepcopy(stored))


def terms_put(campaign: Campaign, terms: Mapping[str, Any]) -> None:
    """Set terms given in their JSON form, as a draft holds them, on the campaign itself. Nothing is saved."""
    for field, stored in terms.items():
        _put(campaign, field, stored)


def future_of(campaign: Campaign) -> Campaign:
    """The campaign as it will be: the same object when there is no draft, a copy otherwise (never save it)."""
    if not campaign.draft:
        return campaign
    future = copy.copy(campaign)
    future.draft = None
    terms_put(future, campaign.draft)
    return future


def futures_of(campaigns: Iterable[Campaign]) -> list[Campaign]:
    """`future_of` each, with the overflow campaigns that the drafts name: one query at most, whatever their number."""
    futures = [future_of(campaign) for campaign in campaigns]
    missing = {
        future.overflow_id
        for future in futures
        if future.overflow_id and not Campaign.overflow.is_cached(future)  # type: ignore[attr-defined]
    }
    named = Campaign.objects.in_bulk(missing) if missing else {}
    for future in futures:
        if future.overflow_id in named:
            future.overflow = named[future.overflow_id]
    return futures


def draft_write(campaign: Campaign, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Lay `values` (terms as the columns hold them; `extra` merges) into the campaign's draft; nothing is saved here.

    What comes to the same as the current terms leaves the draft, and a draft of nothing is none: the status moves between
    Live and Live with pending changes accordingly. To be called under the campaign's lock. Returns what changed in the
    future terms, {term: [old, new]} in JSON form, for the audit record.
    """
    assert is_drafted(campaign), "a campaign that was never live has no draft"
    before: dict[str, Any] = campaign.draft or {}
    draft, changes = dict(before), {}
    for field, value in values.items():
        if field == "extra":
            new = {
                name: kept
                for name, kept in {**before.get("extra", {}), **value}.items()
                if campaign.extra.get(name) != kept
            }
            old, now = before.get("extra", {}), {}
        else:
            new, now = _stored(field, value), _current(campaign, field)
            old = before.get(field, now)
        if new == now:
            draft.pop(field, None)
        else:
            draft[field] = new
        if new != old:
            changes[field] = [old, new]
    campaign.draft = draft or None
    if draft and campaign.status == CampaignStatus.LIVE:
        campaign.status = CampaignStatus.LIVE_PENDING
    elif not draft and campaign.status == CampaignStatus.LIVE_PENDING:
        campaign.status = CampaignStatus.LIVE
    return changes
