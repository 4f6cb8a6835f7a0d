"""The campaign wizard: the same five steps for a new campaign and for changing one.

Every step is one form that saves when it is left, whichever way: onwards, back, to another step, or for today. A campaign that
was never live is changed at once; of any other the changes wait in its draft until the last step takes them live.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns.actions import (
    campaign_create,
    campaign_update,
    destination_add,
    draft_discard,
)
from campaigns.actions.advertisers import may_add
from campaigns.actions.campaigns import MOVES, future_problems
from campaigns.choices import CampaignType
from campaigns.drafts import futures_of, is_drafted
from campaigns.forms import BasicsForm, DestinationStepForm, PayoutForm, StepForm, TreatmentForm, time_zones
from campaigns.models import BundleDestination, Campaign, Cap
from campaigns.pricing import SIDES, policies_of
from campaigns.queries.lists import advertisers_visible, campaigns_visible, picked
from campaigns.queries.review import review_findings
from campaigns.queries.terms import terms_difference, terms_in_words, treatment_words
from campaigns.queries.treatment import copied
from portal.accounts import access
from portal.accounts.models import Network
from portal.errors import Conflict, NotFound, Refused
from portal.web.pages import network_of, number_in, page, show

from .caps import CapsSection
from .common import campaign_or_404, crumbs_of, go_live_words, rights_on, user_of

STEPS = ("basics", "destination", "payout", "treatment", "review")
# Terms that a copy takes along beside what the first step asks.
_COPIED = (
    "time_zone", "operating_24_7", "hours", "named_regions", "destination_phone_number", "currency", "distribution",
    "overflow", "repeat_caller", "repeat_window_days",
)  # fmt: skip
_OF_BUNDLES = ("distribution", "overflow", "repeat_caller", "repeat_window_days")


@dataclass(frozen=True)
class Step:
    """One entry of the list of steps."""

    key: str
    label: str
    number: int
    is_current: bool


def steps_of(current: str, *, bundle: bool) -> list[Step]:
    labels = {
        "basics": "Basics",
        "destination": "Destinations and time zone" if bundle else "Destination, hours and regions",
        "payout": "Payout",
        "treatment": "Call treatment",
        "review": "Review",
    }
    return [Step(key, labels[key], number, key == current) for number, key in enumerate(STEPS, 1)]


def _goes_to(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Where the button that was pressed leads, once the step is saved."""
    go = request.POST.get("go", "next")
    place = STEPS.index(step)
    if go == "close":
        return redirect("campaigns:detail", pk=pk)
    if go == "open-treatment":
        return redirect("campaigns:treatment", pk=pk)
    if go == "back":
        go = STEPS[max(place - 1, 0)]
    elif go not in STEPS:
        go = STEPS[min(place + 1, len(STEPS) - 1)]
    return redirect("campaigns:wizard", pk=pk, step=go)


# A new campaign ------------------------------------------------------------------------------------------------------


@page
def campaign_new(request: HttpRequest) -> HttpResponse:
    """The first step for a new campaign; `?type=Bundled` a bundle, `?from=pk` a copy, `?advertiser=pk` for that advertiser."""
    user, network = user_of(request), network_of(request)
    may_add(user, network)
    pk = number_in(request, "from")
    source = None if pk is None else campaign_or_404(request, pk, "overflow")
    bundle = source.is_bundle if source else request.GET.get("type") == CampaignType.BUNDLED
    form = BasicsForm(
        request.POST if request.method == "POST" else None, bundle=bundle, creating=True,
        advertisers=advertisers_visible(user, network), address=reverse("campaigns:suggest-advertisers"),
        initial=_initial(request, network, source),
    )  # fmt: skip
    if form.is_bound and form.is_valid():
        try:
            campaign = _create(request, form, bundle, source)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{campaign}” is saved as a draft; it takes no calls before you take it live.")
            return _goes_to(request, campaign.pk, "basics")
    return show(
        request, "campaigns/wizard.html", status=422 if form.is_bound else 200, title=f"New {'bundle' if bundle else 'campaign'}",
        crumbs=[("Campaigns", reverse("campaigns:list"))], form=form, step="basics", source=source, bundle=bundle,
        steps=steps_of("basics", bundle=bundle), network_makes_ids=network.auto_generate_ids, may_change=True,
    )  # fmt: skip


def _initial(request: HttpRequest, network: Network, source: Campaign | None) -> dict[str, Any]:
    if source:
        return {**BasicsForm.initial_of(source), "name": f"Copy of {source.name}"[:200], "pause_date": ""}
    chosen = number_in(request, "advertiser")
    advertiser = advertisers_visible(user_of(request), network).filter(pk=chosen).first() if chosen else None
    return {"campaign_type": CampaignType.DIRECT_ONLY, "advertiser": picked(advertiser) if advertiser else ""}


def _copied(source: Campaign) -> dict[str, Any]:
    """The terms in force of a campaign, for its copy."""
    names = [name for name in _COPIED if source.is_bundle or name not in _OF_BUNDLES]
    money = {
        f"{side}_policies": [
            {"type": policy.type, "amount": policy.amount, "condition": policy.condition}
            for policy in policies_of(source, side)
        ]
        for side in SIDES
    }
    values: dict[str, Any] = {**{name: getattr(source, name) for name in names}, **money}
    tree = copied(source, values)
    return {**values, "ivr_tree": tree} if tree is not None else values


def _create(request: HttpRequest, form: BasicsForm, bundle: bool, source: Campaign | None) -> Campaign:
    user, given = user_of(request), form.cleaned_data
    with transaction.atomic():
        campaign = campaign_create(
            by=user, advertiser=given["advertiser"],
            campaign_type=CampaignType.BUNDLED if bundle else given["campaign_type"],
            id_from_network=given["id_from_network"], **{**(_copied(source) if source else {}), **form.values()},
        )  # fmt: skip
        if source and bundle:
            # A copy of a bundle takes its destinations along, as far as the user may see them.
            rows = access.restrict(Campaign.objects.filter(standing_in__bundle=source), user)
            places = {row.destination_id: row for row in BundleDestination.objects.filter(bundle=source)}
            for destination in rows:
                place = places[destination.pk]
                destination_add(
                    by=user, bundle=campaign, destination=destination, priority=place.priority, weight=place.weight
                )
    return campaign


# The steps -----------------------------------------------------------------------------------------------------------


@page
def campaign_wizard(request: HttpRequest, pk: int, step: str = "basics") -> HttpResponse:
    """One step of a campaign. Who may see the campaign may look; a POST saves and goes where its button says (`go`)."""
    if step not in STEPS:
        raise NotFound("There is no such step.")
    campaign = campaign_or_404(request, pk, "overflow")
    (future,) = futures_of([campaign])
    if step == "review":
        return _review(request, campaign, future)
    rights = rights_on(request, campaign, "change", "change_budget_caps", "operate", "manage_access")
    caps = CapsSection(request, campaign) if step == "payout" else None
    posted = request.method == "POST"
    if posted and not (rights["change"] or (caps and caps.may_change)):
        access.require(user_of(request), "change", campaign)
    form = _form(request, step, future, bound=posted and rights["change"])
    if not rights["change"]:
        form.freeze()
    version = request.POST.get("version") or campaign.updated_at.isoformat()
    if posted and _save(request, campaign, form, caps, version):
        return _goes_to(request, pk, step)
    return show(
        request, "campaigns/wizard.html", status=422 if posted else 200, title=campaign.name,
        subtitle=_subtitle(campaign), crumbs=crumbs_of(campaign), campaign=campaign, future=future, form=form, step=step,
        steps=steps_of(step, bundle=campaign.is_bundle), bundle=campaign.is_bundle, version=version,
        may_change=rights["change"], may_save=rights["change"] or bool(caps and caps.may_change),
        who_may=access.who_may("change", Campaign), tab_rights=rights, zones=time_zones(),
        places=reverse("campaigns:suggest-places"), treatment=treatment_words(future),
        destinations=_destinations(campaign) if step == "destination" and campaign.is_bundle else (),
        caps_have_errors=bool(caps and caps.errors), **(caps.context() if caps else {}),
    )  # fmt: skip


def _subtitle(campaign: Campaign) -> str:
    if not is_drafted(campaign):
        return "Never live yet: everything here is a draft until you take it live."
    return (
        "What you change waits in a draft until you take it live. Caps, and destinations of a bundle, change at once."
    )


def _form(request: HttpRequest, step: str, future: Campaign, *, bound: bool) -> StepForm:
    """The form of a step, showing the campaign as it will be."""
    user, data = user_of(request), request.POST if bound else None
    if step == "destination":
        return DestinationStepForm(data, campaign=future)
    if step == "payout":
        return PayoutForm(data, campaign=future)
    if step == "treatment":
        rows = campaigns_visible(user, future.network).exclude(campaign_type=CampaignType.BUNDLED)
        return TreatmentForm(
            data, campaign=future, destinations=rows, address=reverse("campaigns:suggest-campaigns")
        )  # fmt: skip
    return BasicsForm(
        data, bundle=future.is_bundle, creating=False, advertisers=advertisers_visible(user, future.network), address="",
        initial=BasicsForm.initial_of(future),
    )  # fmt: skip


def _destinations(bundle: Campaign) -> list[BundleDestination]:
    return list(BundleDestination.objects.filter(bundle=bundle).select_related("destination"))


def _save(request: HttpRequest, campaign: Campaign, form: StepForm, caps: CapsSection | None, version: str) -> bool:
    """Write the step, all of it or nothing. False when something was refused: it stands beside its field."""
    valid = [form.is_valid() or not form.is_bound, caps is None or caps.is_valid()]
    if not all(valid):
        return False
    user, said = user_of(request), []
    try:
        with transaction.atomic():
            if form.is_bound:
                campaign = campaign_update(by=user, campaign=campaign, version=version, **form.values())
            if caps is not None:
                said = caps.write(user, campaign)
                if caps.errors:
                    transaction.set_rollback(True)
                    return False
    except Refused as error:
        form.refuse(error)
        return False
    for level, text in said:
        messages.add_message(request, level, text)
    if request.POST.get("go") == "close":
        waiting = " The changes wait in its draft until you take them live." if campaign.draft else ""
        messages.success(request, f"“{campaign}” is saved.{waiting}")
    return True


# The last look -------------------------------------------------------------------------------------------------------


def _review(request: HttpRequest, campaign: Campaign, future: Campaign) -> HttpResponse:
    """Everything as it will be, what is likely to be wrong, the difference, and the buttons."""
    rights = rights_on(request, campaign, "change", "operate", "change_budget_caps", "manage_access")
    return show(
        request, "campaigns/wizard_review.html", title=campaign.name, subtitle=_subtitle(campaign),
        crumbs=crumbs_of(campaign), campaign=campaign, step="review", version=campaign.updated_at.isoformat(),
        steps=steps_of("review", bundle=campaign.is_bundle), tab_rights=rights, rights=rights,
        differences=terms_difference(campaign), terms=terms_in_words(future),
        problems=[message for _field, _code, message in future_problems(campaign, by=user_of(request))],
        findings=review_findings(future=future, user=user_of(request)),
        caps=Cap.objects.filter(campaign=campaign).order_by("kind"),
        go_live_words=go_live_words(campaign), may_go_live=campaign.status in MOVES["go_live"][0],
        may_resume=campaign.draft is not None and campaign.status in MOVES["resume"][0], who_may=access.who_may("operate", Campaign),
    )  # fmt: skip


@require_POST
@page
def campaign_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop the draft (POST)."""
    campaign = campaign_or_404(request, pk)
    try:
        campaign = draft_discard(by=user_of(request), campaign=campaign, version=request.POST.get("version") or None)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("campaigns:wizard", pk=pk, step="review")
    messages.success(request, f"The changes of “{campaign}” that were not live are dropped.")
    return redirect("campaigns:detail", pk=pk)
