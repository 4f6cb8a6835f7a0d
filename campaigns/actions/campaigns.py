"""Campaigns: create, change, change of status, and compiling them for routing."""

from contextlib import suppress
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from campaigns.choices import ROUTABLE, CampaignStatus, CapKind
from campaigns.drafts import draft_write, future_of, is_drafted, terms_put
from campaigns.hours import hours_compile
from campaigns.models import Advertiser, Campaign, RoutingProfile
from campaigns.pricing import policies_of, price_range
from campaigns.queries.treatment import treatment_of
from campaigns.regions import regions_compile
from campaigns.treatment.validate import treatment_read
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotFound

from .advertisers import Problem, may_add, own_id
from .prices import legs_price
from .terms import FIELDS, terms_clean, type_problem
from .treatment import problem_of

# From which statuses each move is allowed, and where it leads.
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "go_live": ((CampaignStatus.PENDING, CampaignStatus.PAUSED, CampaignStatus.LIVE_PENDING), CampaignStatus.LIVE),
    "resume": ((CampaignStatus.PAUSED,), CampaignStatus.LIVE),
    "pause": (ROUTABLE, CampaignStatus.PAUSED),
    "archive": (
        (CampaignStatus.PENDING, CampaignStatus.PAUSED, CampaignStatus.SUSPENDED, *ROUTABLE),
        CampaignStatus.ARCHIVED,
    ),
    "unarchive": ((CampaignStatus.ARCHIVED,), CampaignStatus.PAUSED),
}
# So many calls wait for their price when no worker has been there for days; going live prices them first.
MOST_PRICED = 100_000
# What another change may have made impossible since a draft was written; going live looks at it again.
_LOOKED_AT_AGAIN = ("url", "time_zone", "hours", "named_regions", "destination_phone_number", "currency", "overflow")


def profile_compile(campaign: Campaign) -> None:
    """Compile what routing needs of a destination into its `RoutingProfile`. Part of every campaign write.

    A call reserves the most that it can cost; where policies have a say, its price is read from them when it ends.
    """
    if campaign.is_bundle:
        return
    RoutingProfile.objects.update_or_create(
        campaign=campaign,
        defaults={
            "routable": campaign.is_live,
            "status": campaign.status,
            "time_zone": campaign.time_zone,
            "hours": None if campaign.operating_24_7 else hours_compile(campaign.hours),
            "regions": regions_compile(campaign.named_regions),
            "payout": price_range(policies_of(campaign, "payout"))[1],
            "payin": campaign.payin,
            "by_policy": bool(campaign.payin_policies or campaign.payout_policies),
        },
    )


def _plain(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in FIELDS if name != "extra"}


def _locked(campaign: Campaign, version: str | None) -> Campaign:
    """The campaign, read again under its lock; Conflict `changed` when it is not as the user saw it."""
    rows = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("network", "overflow")
    campaign = rows.get(pk=campaign.pk)
    if version is not None and version != campaign.updated_at.isoformat():
        raise Conflict("Somebody changed this campaign meanwhile; look at it again before you save.", code="changed")
    return campaign


def campaign_create(
    *,
    by: User | None,
    advertiser: Advertiser,
    name: str,
    campaign_type: str,
    id_from_network: str | None = None,
    **values: Any,
) -> Campaign:
    """Create a campaign, Pending until it goes live. `values` are any of `FIELDS`.

    Raises Invalid with every problem of the input, Conflict when the id is taken, NotAllowed, NotFound.
    """
    network = advertiser.network
    if by is not None and not access.restrict(Advertiser.objects.filter(pk=advertiser.pk), by).exists():
        raise NotFound("There is no such advertiser.", field="advertiser")
    may_add(by, network)
    problems: list[Problem] = []
    if problem := type_problem(campaign_type):
        problems.append(problem)
    own = own_id(network, id_from_network, problems, "camp")
    campaign = Campaign(network=network, advertiser=advertiser, campaign_type=campaign_type, id_from_network=own)
    values = {"time_zone": network.time_zone, "currency": network.currency, **values, "name": name}
    clean = terms_clean(campaign, values, problems, by=by)
    if problems:
        raise Invalid.of(problems)
    for field, value in clean.items():
        setattr(campaign, field, value)
    with transaction.atomic():
        taken = Campaign.objects.filter(network=network, id_from_network=own).first()
        if taken:
            raise Conflict(
                f"The id “{own}” is taken by the campaign “{taken}”.", field="id_from_network", code="id_taken"
            )
        campaign.save()
        profile_compile(campaign)
        record(
            event="campaign.create", obj=campaign, by=by,
            changes=changes_between({}, {"name": campaign.name, "campaign_type": campaign_type, "id_from_network": own}),
        )  # fmt: skip
    return campaign


def campaign_update(*, by: User | None, campaign: Campaign, version: str | None = None, **values: Any) -> Campaign:
    """Change a campaign; needs `change`. `values` are any of `FIELDS`.

    A campaign that was never live is changed at once. Of any other the terms go into its draft and come into force when it
    goes live (`campaigns.drafts`); its name alone, which is no term, changes at once. What is given as it is in force
    leaves the draft. version: `updated_at` in ISO form as the user read it; another one now raises Conflict `changed`.
    Raises Invalid with every problem of the input.
    """
    access.require(by, "change", campaign)
    with transaction.atomic():
        campaign = _locked(campaign, version)
        problems: list[Problem] = []
        future = future_of(campaign)
        clean = terms_clean(future, values, problems, by=by)
        changes_currency = "currency" in clean and clean["currency"] != future.currency
        if changes_currency and not problems and (problem := _currency_problem(campaign, clean["currency"])):
            problems.append(problem)
        if problems:
            raise Invalid.of(problems)
        if is_drafted(campaign):
            _change_draft(by, campaign, clean)
        else:
            _change_at_once(by, campaign, clean)
    return campaign


def _currency_problem(campaign: Campaign, currency: str) -> Problem | None:
    """A budget is compared with payouts: both are in one currency."""
    if not campaign.caps.filter(kind=CapKind.BUDGET).exclude(currency=currency).exists():
        return None
    text = "The budget cap is in another currency; remove it first, then change the currency."
    return ("currency", "currency_in_use", text)


def _change_at_once(by: User | None, campaign: Campaign, clean: dict[str, Any]) -> None:
    before = _plain(campaign)
    for field, value in clean.items():
        if field == "extra":
            value = {**campaign.extra, **value}
        setattr(campaign, field, value)
    campaign.save()
    profile_compile(campaign)
    changes = changes_between(before, _plain(campaign))
    if changes:
        record(event="campaign.update", obj=campaign, by=by, changes=changes)


def _change_draft(by: User | None, campaign: Campaign, clean: dict[str, Any]) -> None:
    """The name at once, the rest into the draft. Routing goes on with the terms in force."""
    name, status = campaign.name, campaign.status
    campaign.name = clean.pop("name", name)
    changes = draft_write(campaign, clean)
    if "overflow" in changes:  # by name, as the rest of the audit trail
        names = {row.pk: str(row) for row in Campaign.objects.filter(pk__in=filter(None, changes["overflow"]))}
        changes["overflow"] = [names.get(pk) for pk in changes["overflow"]]
    if status != campaign.status:
        changes["status"] = [status, campaign.status]
    if changes or name != campaign.name:
        campaign.save(update_fields=["name", "draft", "status", "updated_at"])
    if name != campaign.name:
        record(event="campaign.update", obj=campaign, by=by, changes={"name": [name, campaign.name]})
    if changes:
        record(event="campaign.draft", obj=campaign, by=by, changes=changes)


def draft_discard(*, by: User | None, campaign: Campaign, version: str | None = None) -> Campaign:
    """Drop the draft: the terms in force stay as they are. Needs `change`; nothing happens when there is no draft.

    version: as for `campaign_update`.
    """
    access.require(by, "change", campaign)
    with transaction.atomic():
        campaign = _locked(campaign, version)
        if campaign.draft is None:
            return campaign
        future = _plain(future_of(campaign))
        campaign.draft = None
        if campaign.status == CampaignStatus.LIVE_PENDING:
            campaign.status = CampaignStatus.LIVE
        campaign.save(update_fields=["draft", "status", "updated_at"])
        record(
            event="campaign.draft_discard", obj=campaign, by=by, changes=changes_between(future, _plain(campaign))
        )  # fmt: skip
    return campaign


def campaign_move_status(
    *, by: User | None, campaign: Campaign, move: str, reason: str = "", version: str | None = None
) -> Campaign:
    """Go live, resume, pause, archive or unarchive (`move` is a key of `MOVES`); needs `operate`.

    Going live puts the draft, if there is one, into force in the same transaction, after looking again at what may have
    changed since it was written. Resuming takes a paused campaign live on the terms that are in force; its draft stays one.
    Calls in progress go on; no new ones come while it is paused. version: as for `campaign_update`, so that nobody takes
    live what he did not see. Raises Conflict when the move is not allowed from the present status, Invalid with what stands
    in the way of going live or resuming.
    """
    access.require(by, "operate", campaign)
    if move not in MOVES:
        raise Invalid(f"“{move}” is not a move; use {', '.join(MOVES)}.", field="move", code="unknown_move")
    allowed, target = MOVES[move]
    with transaction.atomic():
        campaign = _locked(campaign, version)
        if move == "resume" and campaign.draft is not None:
            target = CampaignStatus.LIVE_PENDING
        if campaign.status == target:
            return campaign
        if campaign.status not in allowed:
            raise Conflict(
                f"“{campaign}” is {campaign.get_status_display().lower()}; {move.replace('_', ' ')} is possible from "
                f"{', '.join(CampaignStatus(status).label.lower() for status in allowed)}.",
                code="wrong_status",
            )
        status, before = campaign.status, _plain(campaign)
        drafted = move == "go_live" and campaign.draft is not None
        if move == "go_live" and (problems := future_problems(campaign, by=by)):
            raise Invalid.of(problems)
        if move == "resume" and (problems := _standing_problems(campaign)):
            raise Invalid.of(problems)
        if drafted:
            # What has ended is priced by the terms of its end: those that still stand.
            legs_price(limit=MOST_PRICED, destination=campaign)
            terms_put(campaign, campaign.draft or {})
            campaign.draft = None
        campaign.status = target
        campaign.save(update_fields=None if drafted else ["status", "updated_at"])
        if drafted:
            profile_compile(campaign)
        changes = {"status": [status, target], **changes_between(before, _plain(campaign))}
        record(event=f"campaign.{move}", obj=campaign, by=by, changes=changes, reason=reason)
    return campaign


def _today(campaign: Campaign) -> date:
    return timezone.now().astimezone(ZoneInfo(campaign.time_zone)).date()


def _standing_problems(terms: Campaign) -> list[Problem]:
    """What stands in the way of taking calls on these terms, however long they have been in force."""
    problems: list[Problem] = []
    if not terms.is_bundle and not terms.destination_phone_number:
        text = "Give the destination phone number before it goes live."
        problems.append(("destination_phone_number", "required", text))
    if terms.pause_date and terms.pause_date <= _today(terms):
        text = f"The pause date, {terms.pause_date.isoformat()}, has come: it would be paused again at once. Move or clear it."
        problems.append(("pause_date", "in_the_past", text))
    return problems


def future_problems(campaign: Campaign, *, by: User | None) -> list[Problem]:
    """What stands in the way of going live as the campaign will be; empty when nothing does."""
    future, draft = future_of(campaign), campaign.draft or {}
    problems: list[Problem] = []
    again = {name: getattr(future, name) for name in _LOOKED_AT_AGAIN if name in draft}
    terms_clean(campaign, again, problems, by=by)
    if "ivr_tree" in draft and future.ivr_tree is not None:
        _tree, faults = treatment_read(treatment_of(future), future.network.country)
        problems += [problem_of(fault) for fault in faults]
    problems += _standing_problems(future)
    if "currency" in draft and (problem := _currency_problem(campaign, future.currency)):
        problems.append(problem)
    return problems


def campaigns_pause_due() -> int:
    """Pause every live campaign whose pause date has come in its own time zone. Returns how many. May be repeated."""
    paused = 0
    for campaign in Campaign.objects.filter(status__in=ROUTABLE, pause_date__isnull=False):
        if campaign.pause_date and campaign.pause_date <= _today(campaign):
            # Whoever changed it in this moment is not overruled: the next round looks again.
            with suppress(Conflict):
                campaign_move_status(
                    by=None, campaign=campaign, move="pause", version=campaign.updated_at.isoformat(),
                    reason=f"Its pause date, {campaign.pause_date.isoformat()}, has come.",
                )  # fmt: skip
                paused += 1
    return paused
