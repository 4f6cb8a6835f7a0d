"""Budget and Call Caps Alerts: the one editor of a campaign's three caps."""

from decimal import Decimal
from typing import Any

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


class CapsSection:
    """The section “Budget and Call Caps Alerts”: on the page of the caps, and in the wizard's step Payout.

    Read-only, with the reason, for whoever lacks `change_budget_caps`; what a browser sends for it then is ignored.
    """

    def __init__(self, request: HttpRequest, campaign: Campaign) -> None:
        user = user_of(request)
        self.may_change = access.may(user, "change_budget_caps", campaign)
        caps = {cap.kind: cap for cap in Cap.objects.filter(campaign=campaign)}
        self.forms = []
        for kind in _kinds(campaign):
            sent = self.may_change and request.method == "POST" and f"{kind}-amount" in request.POST
            self.forms.append(CapForm(request.POST if sent else None, kind=kind, campaign=campaign, cap=caps.get(kind)))
            if not self.may_change:
                self.forms[-1].freeze()
        state = summaries.state_of(campaign)
        self.used = {view.kind: view for view in summaries.periodic_caps(list(caps.values()), state)}
        self.slots = summaries.slots_of(state)
        self.stored_concurrent = caps.get(CapKind.CONCURRENT_CALLS)

    def is_valid(self) -> bool:
        """Whether every form can be read; each is looked at, so that all errors are shown in one go."""
        return sum(not form.is_valid() for form in self.forms if form.is_bound) == 0

    def write(self, user: User, campaign: Campaign) -> list[tuple[int, str]]:
        """Write every changed cap, in the caller's transaction; returns what to say. Whoever sees `errors` after it rolls back."""
        said: list[tuple[int, str]] = []
        for form in self.forms:
            if form.is_bound and form.has_changed():
                said += _save_one(user, campaign, form)
        return said

    @property
    def errors(self) -> bool:
        return any(form.errors for form in self.forms)

    def context(self) -> dict[str, Any]:
        """What `campaigns/parts/caps_fields.html` shows."""
        return {
            "cap_forms": self.forms, "used": self.used, "slots": self.slots, "stored_concurrent": self.stored_concurrent,
            "may_change_caps": self.may_change, "who_may_caps": access.who_may("change_budget_caps", Campaign),
        }  # fmt: skip


@page
def campaign_caps(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the caps; whoever has `change_budget_caps` may change them, all three in one go."""
    campaign = campaign_or_404(request, pk)
    user = user_of(request)
    posted = request.method == "POST"
    if posted:
        access.require(user, "change_budget_caps", campaign)
    section = CapsSection(request, campaign)
    if posted and section.is_valid() and _save(request, user, campaign, section):
        return redirect("campaigns:detail", pk=pk)
    return show(
        request,
        "campaigns/caps.html",
        title="Budget and Call Caps Alerts",
        subtitle=campaign.name,
        crumbs=crumbs_of(campaign, inside=True),
        status=422 if posted else 200,
        campaign=campaign,
        tab_rights=rights_on(request, campaign, "change", "manage_access"),
        counted=[view for view in section.used.values() if view.used is not None and not view.begins_at],
        zones=time_zones(),
        has_errors=section.errors,
        **section.context(),
    )


def usage_pending(campaign: Campaign, kind: str, given: str) -> bool:
    """Whether a counter just set to `given` reads higher: calls in progress count on top of what was typed."""
    state = summaries.state_of(campaign)
    used = None if state is None else state.spend_used if kind == CapKind.BUDGET else state.calls_used
    return used is not None and used > Decimal(given.strip())


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
        text = f"{CapKind(kind).label}: the counter is set from {was.normalize():f} to {given.strip()}."
        if usage_pending(campaign, kind, given):
            text += " What is in progress counts on top."
        messages.success(request, text)
    return redirect("campaigns:caps", pk=pk)


def _save(request: HttpRequest, user: User, campaign: Campaign, section: CapsSection) -> bool:
    """Write every changed cap in one transaction; False when any was refused: then nothing was written."""
    try:
        with transaction.atomic():
            said = section.write(user, campaign)
            if section.errors:
                transaction.set_rollback(True)
                return False
    except Refused as error:
        section.forms[0].refuse(error)
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
