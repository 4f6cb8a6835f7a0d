"""Campaigns: create, change, change of status, and compiling them for routing."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from campaigns.callers import NotANumber, e164
from campaigns.choices import ROUTABLE, CampaignStatus, CampaignType, Distribution
from campaigns.hours import hours_clean, hours_compile
from campaigns.models import Advertiser, Campaign, RoutingProfile
from campaigns.regions import regions_clean, regions_compile
from portal.accounts import access
from portal.accounts.actions.networks import CURRENCIES
from portal.accounts.models import Network, User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotFound
from portal.zones import time_zones

from .advertisers import Problem, may_add, own_id

# What a change may set, besides the bundle's own fields; each is checked by `_clean`.
FIELDS = (
    "name", "description", "url", "time_zone", "operating_24_7", "hours", "named_regions", "destination_phone_number",
    "currency", "payin", "payout", "distribution", "overflow", "repeat_caller", "repeat_window_days", "extra",
)  # fmt: skip
BUNDLE_FIELDS = ("distribution", "overflow", "repeat_caller", "repeat_window_days")

# From which statuses each move is allowed, and where it leads.
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "go_live": ((CampaignStatus.PENDING, CampaignStatus.PAUSED, CampaignStatus.LIVE_PENDING), CampaignStatus.LIVE),
    "pause": (ROUTABLE, CampaignStatus.PAUSED),
    "archive": (
        (CampaignStatus.PENDING, CampaignStatus.PAUSED, CampaignStatus.SUSPENDED, *ROUTABLE),
        CampaignStatus.ARCHIVED,
    ),
    "unarchive": ((CampaignStatus.ARCHIVED,), CampaignStatus.PAUSED),
}


def _money(value: Any, field: str, problems: list[Problem]) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        problems.append((field, "not_a_number", f"“{value}” is not an amount of money."))
        return Decimal(0)
    if not amount.is_finite() or amount < 0 or amount >= 1_000_000:
        problems.append((field, "out_of_range", f"{field.title()} must be 0 to 999999; it is {value}."))
        return Decimal(0)
    return amount.quantize(Decimal("0.0001"))


def zone_problem(value: str, field: str = "time_zone") -> Problem | None:
    """The problem with a time zone that this machine does not know; None if it does."""
    if value in time_zones():
        return None
    return (field, "unknown_time_zone", f"“{value}” is not a known time zone; use an IANA name such as America/Denver.")


def _clean(campaign: Campaign, values: dict[str, Any], network: Network, problems: list[Problem]) -> dict[str, Any]:
    """The values to set, each in its stored form; what is wrong is added to `problems`."""
    clean: dict[str, Any] = dict(values)
    for name in values:
        if name not in FIELDS:
            problems.append((name, "unknown_field", f"“{name}” cannot be set here."))
        elif name in BUNDLE_FIELDS and not campaign.is_bundle and values[name] not in (None, False):
            problems.append(
                (name, "not_a_bundle", f"“{name}” belongs to Bundled campaigns; this one is {campaign.campaign_type}.")
            )
    if "name" in values:
        clean["name"] = str(values["name"] or "").strip()
        if not 1 <= len(clean["name"]) <= 200:
            problems.append(("name", "required", "A name has 1 to 200 characters."))
    if "time_zone" in values and (problem := zone_problem(str(values["time_zone"]))):
        problems.append(problem)
    if "hours" in values:
        if isinstance(values["hours"], dict):
            clean["hours"] = hours_clean(values["hours"], problems)
        else:
            problems.append(
                (
                    "hours",
                    "invalid",
                    "Hours are fields such as monday_open and monday_closed, in seconds past midnight.",
                )
            )
    if "named_regions" in values:
        if isinstance(values["named_regions"], list):
            clean["named_regions"] = regions_clean(values["named_regions"], problems)
        else:
            problems.append(("named_regions", "invalid", "Regions are a list of {name, regions}."))
    if values.get("destination_phone_number"):
        try:
            clean["destination_phone_number"] = e164(str(values["destination_phone_number"]), network.country)
        except NotANumber:
            problems.append(
                (
                    "destination_phone_number",
                    "invalid_phone_number",
                    f"“{values['destination_phone_number']}” is not a phone number.",
                )
            )
    for field in ("payin", "payout"):
        if field in values:
            clean[field] = _money(values[field], field, problems)
    if "currency" in values and values["currency"] not in CURRENCIES:
        problems.append(
            ("currency", "unknown_currency", f"“{values['currency']}” is not supported; use {', '.join(CURRENCIES)}.")
        )
    if "distribution" in values and values["distribution"] not in Distribution.values:
        problems.append(("distribution", "unknown_distribution", f"Use one of {', '.join(Distribution.values)}."))
    if "repeat_window_days" in values:
        days = values["repeat_window_days"]
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 365:
            problems.append(
                ("repeat_window_days", "out_of_range", f"The repeat window is 1 to 365 days; it is {days}.")
            )
    overflow = values.get("overflow")
    if overflow is not None:
        if overflow.network_id != network.pk:
            problems.append(("overflow", "other_network", "The overflow campaign belongs to another network."))
        elif overflow.is_bundle:
            problems.append(
                (
                    "overflow",
                    "bundle_in_bundle",
                    f"“{overflow}” is itself a bundle; overflow must be a campaign with a destination.",
                )
            )
    return clean


def profile_compile(campaign: Campaign) -> None:
    """Compile what routing needs of a destination into its `RoutingProfile`. Part of every campaign write."""
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
            "payout": campaign.payout,
            "payin": campaign.payin,
        },
    )


def _plain(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in FIELDS if name != "extra"}


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
    if campaign_type not in CampaignType.values:
        problems.append(
            (
                "campaign_type",
                "unknown_campaign_type",
                f"“{campaign_type}” is not a type; use {', '.join(CampaignType.values)}.",
            )
        )
    own = own_id(network, id_from_network, problems, "camp")
    campaign = Campaign(network=network, advertiser=advertiser, campaign_type=campaign_type, id_from_network=own)
    values = {"time_zone": network.time_zone, "currency": network.currency, **values, "name": name}
    clean = _clean(campaign, values, network, problems)
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

    version: what `queries.campaign_version` said when the user read it; another one now raises Conflict `changed`.
    Raises Invalid with every problem of the input.
    """
    access.require(by, "change", campaign)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).select_related(None).get(pk=campaign.pk)
        if version is not None and version != campaign.updated_at.isoformat():
            raise Conflict(
                "Somebody changed this campaign meanwhile; look at it again before you save.", code="changed"
            )
        problems: list[Problem] = []
        clean = _clean(campaign, values, campaign.network, problems)
        if problems:
            raise Invalid.of(problems)
        before = _plain(campaign)
        if (
            "currency" in clean
            and clean["currency"] != campaign.currency
            and campaign.caps.filter(kind="budget").exists()
        ):
            raise Invalid(
                "The budget cap is in another currency; remove it first, then change the currency.",
                field="currency",
                code="currency_in_use",
            )
        for field, value in clean.items():
            if field == "extra":
                value = {**campaign.extra, **value}
            setattr(campaign, field, value)
        campaign.save()
        profile_compile(campaign)
        changes = changes_between(before, _plain(campaign))
        if changes:
            record(event="campaign.update", obj=campaign, by=by, changes=changes)
    return campaign


def campaign_move_status(*, by: User | None, campaign: Campaign, move: str, reason: str = "") -> Campaign:
    """Go live, pause, archive or unarchive (`move` is a key of `MOVES`); needs `operate`.

    Calls in progress go on; no new ones come. Raises Conflict when the move is not allowed from the present status.
    """
    access.require(by, "operate", campaign)
    if move not in MOVES:
        raise Invalid(f"“{move}” is not a move; use {', '.join(MOVES)}.", field="move", code="unknown_move")
    allowed, target = MOVES[move]
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if campaign.status == target:
            return campaign
        if campaign.status not in allowed:
            raise Conflict(
                f"“{campaign}” is {campaign.get_status_display().lower()}; {move.replace('_', ' ')} is possible from "
                f"{', '.join(CampaignStatus(status).label.lower() for status in allowed)}.",
                code="wrong_status",
            )
        if move == "go_live" and not campaign.is_bundle and not campaign.destination_phone_number:
            raise Invalid(
                "Give the destination phone number before it goes live.",
                field="destination_phone_number",
                code="required",
            )
        before = campaign.status
        campaign.status = target
        campaign.save(update_fields=["status", "updated_at"])
        record(event=f"campaign.{move}", obj=campaign, by=by, changes={"status": [before, target]}, reason=reason)
    return campaign
