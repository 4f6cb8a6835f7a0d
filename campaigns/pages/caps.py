"""Budget and Call Caps Alerts: the one editor of a campaign's three caps."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from campaigns.actions import cap_clear, cap_set, usage_set
from campaigns.actions.caps import live_over
from campaigns.choices import CapKind
from campaigns.forms import CapForm, time_zones
from campaigns.models import Campaign, Cap
from campaigns.queries import summaries
from portal.accounts import access
from portal.accounts.models import User
from portal.errors import Conflict, Invalid, Refused
from portal.web.pages import page, show

from .common import campaign_or_404, crumbs_of, rights_on, user_of


def _kinds(campaign: Campaign) -> list[str]:
    """The kinds that can be edited here: no concurrent cap on a bundle, nor where the network's switch is off."""
    concurrent = not campaign.is_bundle and campaign.network.concurrent_call_caps_enabled
    return [CapKind.BUDGET, CapKind.PERIODIC_CALLS, *([CapKind.CONCURRENT_CALLS] if concurrent else [])]


def _all_valid(forms: list[CapForm]) -> bool:
    """Whether every form can be read; each is looked at, so that all errors are shown in one go."""
    return sum(not form.is_valid() for form in forms) == 0


@page
def campaign_caps(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the caps; whoever has `change_budget_caps` may change them, all three in one go."""
    campaign = campaign_or_404(request, pk)
    user = user_of(request)
    posted = request.method == "POST"
    if posted:
        access.require(user, "change_budget_caps", campaign)
    may_change = posted or access.may(user, "change_budget_caps", campaign)
    caps = {cap.kind: cap for cap in Cap.objects.filter(campaign=campaign)}
    forms = [
        CapForm(request.POST if posted else None, kind=kind, campaign=campaign, cap=caps.get(kind))
        for kind in _kinds(campaign)
    ]
    if not may_change:
        for form in forms:
            form.freeze()
    if posted and _all_valid(forms) and _save(request, user, campaign, forms):
        return redirect("campaigns:detail", pk=pk)
    state = summaries.state_of(campaign)
    used = {view.kind: view for view in summaries.periodic_caps(list(caps.values()), state)}
    return show(
        request,
        "campaigns/caps.html",
        title="Budget and Call Caps Alerts",
        subtitle=campaign.name,
        crumbs=crumbs_of(campaign, inside=True),
        status=422 if posted else 200,
        campaign=campaign,
        tab_rights=rights_on(request, campaign, "change", "manage_access"),
        forms=forms,
        used=used,
        counted=[view for view in used.values() if view.used is not None and not view.begins_at],
        slots=summaries.slots_of(state),
        stored_concurrent=caps.get(CapKind.CONCURRENT_CALLS),
        may_change=may_change,
        who_may=access.who_may("change_budget_caps", Campaign),
        zones=time_zones(),
        has_errors=any(form.errors for form in forms),
    )


@require_POST
@page
def usage_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the counter of a budget or periodic cap, with a reason."""
    campaign = campaign_or_404(request, pk)
    kind, given = request.POST.get("kind", ""), request.POST.get("used", "")
    try:
        was = usage_set(
            by=user_of(request), campaign=campaign, kind=kind, used=given, reason=request.POST.get("reason", "")
        )
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request, f"{CapKind(kind).label}: the counter is set from {was.normalize():f} to {given.strip()}."
        )
    return redirect("campaigns:caps", pk=pk)


def _save(request: HttpRequest, user: User, campaign: Campaign, forms: list[CapForm]) -> bool:
    """Write every changed cap in one transaction; False when any was refused: then nothing was written."""
    said: list[tuple[int, str]] = []
    try:
        with transaction.atomic():
            for form in forms:
                if form.has_changed():
                    said += _save_one(user, campaign, form)
            if any(form.errors for form in forms):
                transaction.set_rollback(True)
                return False
    except Refused as error:
        forms[0].refuse(error)
        return False
    for level, text in said:
        messages.add_message(request, level, text)
    if not said:
        messages.info(request, "Nothing was changed.")
    return True


def _save_one(user: User, campaign: Campaign, form: CapForm) -> list[tuple[int, str]]:
    label = CapKind(form.kind).label
    try:
        if form.is_cleared:
            removed = cap_clear(by=user, campaign=campaign, kind=form.kind)
            return [(messages.SUCCESS, f"{label} removed: no limit any more.")] if removed else []
        values = form.values()
        cap = cap_set(by=user, campaign=campaign, kind=form.kind, amount=values.pop("amount"), **values)
    except Refused as error:
        form.refuse(error)
        return []
    if cap.amount == 0:
        return [(messages.WARNING, f"{label} is 0: the campaign is closed to calls from bundles.")]
    over = live_over(campaign, cap)
    if over:
        calls = "1 call is" if over == 1 else f"{over} calls are"
        text = f"{label} set to {cap.amount:.0f}. {calls} live above it now: they go on, and the cap takes effect as calls end."
        return [(messages.WARNING, text)]
    amount = f"{cap.amount:,.2f} {cap.currency}" if form.kind == CapKind.BUDGET else f"{cap.amount:,.0f}"
    return [(messages.SUCCESS, f"{label} set to {amount}, in effect now.")]
