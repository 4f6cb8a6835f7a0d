"""Destination Campaign Summary and Bundled Campaign Summary, and moving a campaign's status."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.actions import campaign_move_status
from campaigns.actions.campaigns import MOVES
from campaigns.choices import CapKind
from campaigns.hours import DAYS, hours_in_words
from campaigns.models import Campaign, Cap
from campaigns.queries import charts, summaries
from campaigns.queries.lint import lint
from campaigns.queries.terms import money_words, terms_difference
from portal.errors import Conflict, Invalid
from portal.web.pages import fragment, page, part_of, show

from .common import campaign_or_404, crumbs_of, go_live_words, recent_changes, rights_on, user_of
from .lists import may_create

_DONE = {
    "go_live": "is live: it takes calls now.",
    "resume": "takes calls again, on the terms that were in force.",
    "pause": "is paused: no new calls; calls in progress go on.",
    "archive": "is archived.",
    "unarchive": "is taken from the archive and paused.",
}


@page
def campaign_summary(request: HttpRequest, pk: int) -> HttpResponse:
    """The summary of a campaign: which one depends on its type."""
    campaign = campaign_or_404(request, pk, "overflow")
    return _bundle(request, campaign) if campaign.is_bundle else _destination(request, campaign)


def _common(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    rights = rights_on(request, campaign, "change", "operate", "change_budget_caps", "manage_access")
    moves = {name: campaign.status in allowed for name, (allowed, _target) in MOVES.items()}
    return {
        "campaign": campaign,
        "rights": rights,
        "moves": moves,
        "go_live_words": go_live_words(campaign),
        "differences": terms_difference(campaign),
        "payin_words": money_words(campaign, "payin"),
        "payout_words": money_words(campaign, "payout"),
        "version": campaign.updated_at.isoformat(),
        "may_create": may_create(request, campaign.network),
        "changes": recent_changes(campaign),
        "crumbs": crumbs_of(campaign),
        "span": "7d" if request.GET.get("span") == "7d" else "24h",
    }


def _destination(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Current concurrent cap, live calls, peaks, budgets, hours, regions, bundles, recent calls and changes."""
    user = user_of(request)
    state = summaries.state_of(campaign)
    caps = list(Cap.objects.filter(campaign=campaign))
    stored = next((cap for cap in caps if cap.kind == CapKind.CONCURRENT_CALLS), None)
    slots = summaries.slots_of(state)
    now: dict[str, Any] = {
        "campaign": campaign,
        "slots": slots,
        "stored_cap": stored,
        "switched_on": campaign.network.concurrent_call_caps_enabled,
        "periodic": summaries.periodic_caps(caps, state),
        "legs": summaries.recent_legs(campaign=campaign, user=user),
    }
    part = part_of(request)
    if part == "now":
        return fragment(request, "campaigns/parts/destination_now.html", **now)
    if part == "calls":
        return fragment(request, "campaigns/parts/recent_legs.html", **now)
    common = _common(request, campaign)
    bundles, hidden = summaries.standing_in(campaign=campaign, user=user)
    today = timezone.now().astimezone(ZoneInfo(campaign.time_zone)).weekday()
    return show(
        request,
        "campaigns/destination_summary.html",
        title=campaign.name,
        subtitle="Destination Campaign Summary",
        **{**now, **common},
        bundles=bundles,
        hidden_bundles=hidden,
        hours=hours_in_words(campaign.hours),
        today=DAYS[today].title(),
        chart=charts.peak_per_hour(campaign=campaign, cap=slots.cap, hours=168 if common["span"] == "7d" else 24),
    )


def _bundle(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Per destination cap, live, free, state with its reason and share; overflow, repeat callers, warnings."""
    rows = summaries.bundle_rows(bundle=campaign, user=user_of(request))
    now: dict[str, Any] = {
        "campaign": campaign,
        "rows": rows,
        "rights": rights_on(request, campaign, "change"),
        "findings": lint(bundle=campaign, rows=rows),
        "overflow_reasons": summaries.overflow_reasons(campaign),
        "calls_now": summaries.calls_now(campaign=campaign),
        "totals": _totals(rows),
    }
    part = part_of(request)
    if part == "now":
        return fragment(request, "campaigns/parts/bundle_now.html", **now)
    now["recent"] = summaries.recent_calls(bundle=campaign)
    if part == "calls":
        return fragment(request, "campaigns/parts/recent_calls.html", **now)
    common = _common(request, campaign)
    caps = list(Cap.objects.filter(campaign=campaign))
    return show(
        request,
        "campaigns/bundle_summary.html",
        title=campaign.name,
        subtitle="Bundled Campaign Summary",
        **{**now, **common},
        periodic=summaries.periodic_caps(caps, None),
        chart=charts.bundle_calls_per_hour(bundle=campaign, hours=168 if common["span"] == "7d" else 24),
    )


def _totals(rows: list[summaries.BundleRow]) -> dict[str, Any]:
    """The bundle's slots summed over its destinations; `cap` None when any of the open ones has no cap."""
    open_rows = [row for row in rows if row.is_open]
    return {
        "live": sum(row.slots.live for row in rows),
        "open": len(open_rows),
        "all": len(rows),
        "free": None
        if any(row.slots.free is None for row in open_rows)
        else sum(row.slots.free or 0 for row in open_rows),
    }


@page
@require_POST
def campaign_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Go live, resume, pause, archive or unarchive (POST `move`, optional `reason`, `version` as the user saw it)."""
    campaign = campaign_or_404(request, pk)
    move = request.POST.get("move", "")
    try:
        campaign = campaign_move_status(
            by=user_of(request), campaign=campaign, move=move, reason=request.POST.get("reason", "").strip(),
            version=request.POST.get("version") or None,
        )  # fmt: skip
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
        if request.POST.get("from") == "review":
            return redirect("campaigns:wizard", pk=pk, step="review")
    else:
        messages.success(request, f"“{campaign}” {_DONE[move]}")
    return redirect("campaigns:detail", pk=pk)
