"""Numbers without calls that will be reclaimed: keep them, or release them now."""

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns.pages.common import user_of
from portal.accounts import access
from portal.errors import Conflict, NotFound, Refused
from portal.web.lists import PAGE_SIZE, keyset
from portal.web.pages import network_of, page, show
from promo_numbers.actions.reclaim import reclaim_keep, reclaim_now
from promo_numbers.choices import ReclaimState
from promo_numbers.models import ReclaimProposal
from promo_numbers.queries.reclaim import proposals


@page
def reclaim_index(request: HttpRequest) -> HttpResponse:
    """The proposals of the network: those still open, or by state."""
    user, network = user_of(request), network_of(request)
    state = request.GET.get("state", "").strip()
    found = keyset(proposals(user, network, state=state), request.GET, order=("-id",))
    shown = ReclaimProposal.objects.filter(pk__in=[row.pk for row in found])
    may = set(access.restrict(shown, user, "manage_numbers").values_list("pk", flat=True))
    return show(
        request, "numbers/supply/reclaim.html", title="Numbers to be reclaimed",
        crumbs=[("Promo numbers", reverse("numbers:list"))], state=state, states=ReclaimState.choices,
        page=found, manages=bool(may), may=may,
        is_open=state in ("", ReclaimState.PROPOSED), rules={
            "days": settings.PROMO_NUMBER_RECLAIM_AFTER_DAYS, "notice": settings.PROMO_NUMBER_RECLAIM_NOTICE_DAY,
            "reminder": settings.PROMO_NUMBER_RECLAIM_REMINDER_DAY, "reclaim": settings.PROMO_NUMBER_RECLAIM_DAY,
            "on": settings.PROMO_NUMBER_RECLAIM,
        },
    )  # fmt: skip


def _proposal_or_404(request: HttpRequest, pk: int) -> ReclaimProposal:
    rows = ReclaimProposal.objects.select_related("promo_number__campaign__network").filter(pk=pk)
    found = access.restrict(rows, request.user).first()
    if found is None:
        raise NotFound("There is no such proposal.")
    return found


@page
@require_POST
def reclaim_decide(request: HttpRequest, pk: int, do: str) -> HttpResponse:
    """Keep one number, or release it now (POST)."""
    proposal, user = _proposal_or_404(request, pk), user_of(request)
    note = request.POST.get("note", "")
    try:
        if do == "keep":
            reclaim_keep(by=user, proposal=proposal, note=note)
            messages.success(request, f"{proposal.promo_number} is kept.")
        else:
            reclaim_now(by=user, proposal=proposal, note=note)
            messages.success(request, f"{proposal.promo_number} is released and rests before anybody gets it again.")
    except Refused as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
    return redirect("numbers:reclaim")


@page
@require_POST
def reclaim_keep_chosen(request: HttpRequest) -> HttpResponse:
    """Keep the ticked numbers, all that are still open or none (POST)."""
    user = user_of(request)
    keys = {int(key) for key in request.POST.getlist("proposal") if key.isascii() and key.isdigit() and len(key) < 19}
    rows = proposals(user, network_of(request)).filter(pk__in=sorted(keys)[:PAGE_SIZE])
    kept = 0
    with transaction.atomic():
        for proposal in rows:
            try:
                reclaim_keep(by=user, proposal=proposal)
            except Conflict:
                continue  # settled meanwhile
            else:
                kept += 1
    if kept:
        messages.success(request, f"{kept:,} kept.")
    else:
        messages.info(request, "Tick the numbers first, then keep them.")
    return redirect("numbers:reclaim")
