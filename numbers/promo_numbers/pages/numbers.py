"""All promo numbers of the network, and what is done with one or with several: change, move, release."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns.callers import pretty
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from campaigns.pages.common import user_of
from campaigns.queries.lists import campaigns_visible, suggestions
from portal.accounts import access
from portal.errors import NotFound, Refused
from portal.web.lists import PAGE_SIZE, Page, keyset
from portal.web.pages import network_of, number_in, page, show
from promo_numbers.actions import LimitReached, number_update, numbers_move, numbers_release
from promo_numbers.choices import MediaType, NumberState
from promo_numbers.forms import CampaignPick, NumberForm
from promo_numbers.models import PromoNumber
from promo_numbers.queries import limits_of_network, number_list

from .ceilings import Refusal, refusal_of
from .exports import csv_response, number_rows, stamped

_ASKED = ("q", "campaign", "kind", "state", "media_type")


def _filters(request: HttpRequest) -> dict[str, Any]:
    """What the address asks for, as `number_list` takes it."""
    asked = {name: request.GET.get(name, "").strip() for name in _ASKED}
    return {
        "search": asked["q"], "campaign": number_in(request, "campaign"), "kind": asked["kind"], "state": asked["state"],
        "media_type": asked["media_type"],
    }  # fmt: skip


def _manages_any(request: HttpRequest) -> bool:
    rows = Campaign.objects.filter(network=network_of(request))
    return access.restrict(rows, request.user, "manage_numbers").exists()


def _managed(request: HttpRequest, numbers: Page) -> set[int]:
    """Of the campaigns on this page, those whose numbers the user may change. One statement."""
    rows = Campaign.objects.filter(pk__in={number.campaign_id for number in numbers})
    return set(access.restrict(rows, request.user, "manage_numbers").values_list("pk", flat=True))


@page
def number_index(request: HttpRequest) -> HttpResponse:
    """Every promo number that the user may see, searched and filtered; rows can be chosen to move or release."""
    user, network = user_of(request), network_of(request)
    filters = _filters(request)
    campaign = None
    if filters["campaign"] is not None:
        campaign = campaigns_visible(user, network).filter(pk=filters["campaign"]).first()
    rows = number_list(user=user, network=network, **filters)
    limits = limits_of_network(network)
    numbers = keyset(rows, request.GET, order=("-id",), size=PAGE_SIZE)
    managed = _managed(request, numbers)
    return show(
        request,
        "numbers/list.html",
        title="Promo numbers",
        page=numbers,
        managed=managed,
        asked={name: request.GET.get(name, "").strip() for name in _ASKED},
        filtered=any(request.GET.get(name, "").strip() for name in _ASKED),
        campaign=campaign,
        states=NumberState.choices,
        media_types=MediaType.choices,
        manages=bool(managed) or _manages_any(request),
        limits=limits,
        is_full=[view for view in limits if not view.lets_in(1)],
    )


@page
def number_export(request: HttpRequest) -> Any:
    """The filtered list as CSV."""
    user, network = user_of(request), network_of(request)
    rows = number_list(user=user, network=network, **_filters(request))
    return csv_response(number_rows(rows, network), stamped("promo-numbers", network))


def _number_or_404(request: HttpRequest, pk: int) -> PromoNumber:
    rows = PromoNumber.objects.select_related("campaign__network", "ring_pool").filter(pk=pk)
    number = access.restrict(rows, request.user).first()
    if number is None:
        raise NotFound("There is no such promo number.")
    return number


def _said(number: PromoNumber) -> str:
    """The number as people write it."""
    return pretty(number.number) if number.number else str(number)


def _back(request: HttpRequest, number: PromoNumber) -> str:
    """Where the user came from: the network's list or the campaign's tab."""
    if request.GET.get("from") == "list" or number.is_dynamic:
        return reverse("numbers:list")
    return reverse("numbers:direct", args=[number.campaign_id])


@page
def number_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what a number carries."""
    number, user = _number_or_404(request, pk), user_of(request)
    access.require(user, "manage_numbers", number)
    form = NumberForm(request.POST if request.method == "POST" else None, number=number)
    if form.is_bound and form.is_valid():
        try:
            number_update(by=user, number=number, **form.values())
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"{_said(number)} is saved.")
            return redirect(_back(request, number))
    return show(
        request, "numbers/edit.html", title="Edit promo number", status=422 if form.is_bound else 200, form=form,
        number=number, back=_back(request, number), crumbs=[("Promo numbers", reverse("numbers:list"))],
    )  # fmt: skip


@page
@require_POST
def number_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Release one number (POST); the page asked first."""
    number = _number_or_404(request, pk)
    try:
        released = numbers_release(
            by=user_of(request), numbers=[number], reason=request.POST.get("reason", "").strip()[:250]
        )
    except Refused as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
    else:
        if released:
            messages.success(request, f"{_said(number)} is released and rests before anybody gets it again.")
        else:
            messages.info(request, f"{_said(number)} was not in use any more.")
    return redirect(_back(request, number))


def _targets(request: HttpRequest) -> QuerySet[Campaign]:
    """The campaigns that the user may put numbers on."""
    rows = Campaign.objects.filter(network=network_of(request)).exclude(status=CampaignStatus.ARCHIVED)
    return access.restrict(rows, request.user, "manage_numbers")


def _pick(request: HttpRequest, *, bound: bool) -> CampaignPick:
    address = reverse("numbers:suggest-campaigns")
    return CampaignPick(request.POST if bound else None, rows=_targets(request), address=address)


@page
def number_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move one number to another campaign."""
    number, user = _number_or_404(request, pk), user_of(request)
    access.require(user, "manage_numbers", number)
    form = _pick(request, bound=request.method == "POST")
    refusal: Refusal | None = None
    back = _back(request, number)
    if form.is_bound and form.is_valid():
        try:
            numbers_move(by=user, numbers=[number], campaign=form.cleaned_data["campaign"])
        except LimitReached as error:
            refusal = refusal_of(error, user)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"{_said(number)} is moved to “{form.cleaned_data['campaign']}”.")
            return redirect(back)
    return show(
        request, "numbers/chosen.html", title="Move promo number", crumbs=[("Promo numbers", reverse("numbers:list"))],
        status=422 if form.is_bound else 200, numbers=[number], do="move", form=form, refusal=refusal, back=back, single=True,
    )  # fmt: skip


def _chosen(request: HttpRequest) -> list[PromoNumber]:
    """The numbers whose boxes were ticked, of those that the user may see."""
    keys = {int(key) for key in request.POST.getlist("number") if key.isascii() and key.isdigit() and len(key) < 19}
    rows = PromoNumber.objects.filter(network=network_of(request), pk__in=sorted(keys)[: 4 * PAGE_SIZE])
    return list(access.restrict(rows, request.user).select_related("campaign__network", "ring_pool").order_by("-id"))


@page
@require_POST
def numbers_chosen(request: HttpRequest) -> HttpResponse:
    """Move or release the ticked numbers: asks first (with the numbers in sight), then does it, all or none."""
    user = user_of(request)
    numbers, do = _chosen(request), request.POST.get("do", "")
    came_from = request.POST.get("campaign_page", "")
    back = reverse("numbers:direct", args=[came_from]) if came_from.isdigit() else reverse("numbers:list")
    if not numbers or do not in ("move", "release"):
        messages.info(request, "Tick the numbers first, then choose what to do with them.")
        return redirect(back)
    sure = "sure" in request.POST
    refused: str | None = None
    refusal: Refusal | None = None
    form = _pick(request, bound=sure and do == "move")
    if sure and (do == "release" or form.is_valid()):
        try:
            if do == "release":
                count = numbers_release(by=user, numbers=numbers, reason=request.POST.get("reason", "").strip()[:250])
                messages.success(request, f"{count:,} released; they rest before anybody gets them again.")
            else:
                count = numbers_move(by=user, numbers=numbers, campaign=form.cleaned_data["campaign"])
                messages.success(request, f"{count:,} moved to “{form.cleaned_data['campaign']}”.")
            return redirect(back)
        except LimitReached as error:
            refusal = refusal_of(error, user)
        except Refused as error:
            if error.status == 404:
                raise
            refused = error.message
    return show(
        request, "numbers/chosen.html", title="Move promo numbers" if do == "move" else "Release promo numbers",
        crumbs=[("Promo numbers", reverse("numbers:list"))], status=422 if sure else 200, numbers=numbers, do=do,
        form=form, refused=refused, refusal=refusal, back=back, came_from=came_from,
    )  # fmt: skip


@page
def suggest_campaigns(request: HttpRequest) -> HttpResponse:
    """Campaigns and bundles that the user may put numbers on, for a picker (JSON list of texts)."""
    rows = _targets(request)
    return JsonResponse(suggestions(rows, request.GET.get("q", "").strip()), safe=False)
