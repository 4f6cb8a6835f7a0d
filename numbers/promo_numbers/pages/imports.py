"""Imports of numbers: sending a file, watching it, its refused rows. The stock's own for platform staff."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from campaigns.models import Campaign
from campaigns.pages.common import campaign_or_404, crumbs_of, user_of
from portal.accounts import access
from portal.accounts.models import User
from portal.errors import NotAllowed, NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import fragment, network_of, number_in, page, part_of, show
from promo_numbers.actions import LimitReached, import_cancel, import_start, stock_range_add
from promo_numbers.actions.import_rows import NUMBER_COLUMNS, STOCK_COLUMNS
from promo_numbers.actions.imports import OPEN
from promo_numbers.csv_files import MAX_BYTES, MAX_ROWS
from promo_numbers.forms import ImportForm, StockRangeForm
from promo_numbers.models import NumberImport
from promo_numbers.queries.imports import imports_visible, refusals

from .exports import csv_response, refusal_rows, stamped

# What a form adds to its file.
_SLACK = 64 * 1024


@page
def import_index(request: HttpRequest) -> HttpResponse:
    """The imports that the user may see, newest first."""
    user, network = user_of(request), network_of(request)
    return show(
        request, "numbers/imports.html", title="Number imports",
        page=keyset(imports_visible(user, network), request.GET, order=("-id",)),
        may_start=access.restrict(Campaign.objects.filter(network=network), user, "manage_numbers").exists(),
        is_staff=access.stands_above(user), crumbs=[("Promo numbers", reverse("numbers:list"))],
    )  # fmt: skip


def _too_large(request: HttpRequest) -> bool:
    """By what the browser announces, before a byte of it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return length.isdigit() and int(length) > MAX_BYTES + _SLACK


def _stock_only(user: User) -> None:
    if not access.stands_above(user):
        raise NotAllowed("Only platform staff fill the stock.", permission="numbers.add_stocknumber")


def _new(request: HttpRequest, *, into_stock: bool = False) -> HttpResponse:
    user = user_of(request)
    campaign = None
    if into_stock:
        _stock_only(user)
    elif (pk := number_in(request, "campaign")) is not None:
        campaign = campaign_or_404(request, pk)
        access.require(user, "manage_numbers", campaign)
    large = request.method == "POST" and _too_large(request)
    form = ImportForm(*((request.POST, request.FILES) if request.method == "POST" and not large else (None,)))
    if form.is_bound and form.is_valid():
        content, name = form.content()
        where = (
            {"into_stock": True}
            if into_stock
            else {"campaign": campaign}
            if campaign
            else {"network": network_of(request)}
        )
        try:
            job = import_start(by=user, content=content, file_name=name, **where)  # type: ignore[arg-type]
        except Refused as error:
            form.refuse(error)
        else:
            return redirect("numbers:import", pk=job.pk)
    crumbs = crumbs_of(campaign, inside=True) if campaign else [("Promo numbers", reverse("numbers:list"))]
    return show(
        request, "numbers/import_new.html", title="Fill the stock" if into_stock else "Import promo numbers",
        subtitle=campaign.name if campaign else "", crumbs=crumbs, status=413 if large else 422 if form.is_bound else 200,
        form=form, campaign=campaign, into_stock=into_stock, too_large=large, most=MAX_BYTES // 1_048_576, most_rows=MAX_ROWS,
        columns=STOCK_COLUMNS if into_stock else NUMBER_COLUMNS, range_form=StockRangeForm() if into_stock else None,
    )  # fmt: skip


def _protected(view: Any, request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """The check against forged requests reads the whole body: not that of a file which is too large anyway."""
    if request.method == "POST" and _too_large(request):
        return view(request, **kwargs)
    return csrf_protect(view)(request, **kwargs)


@csrf_exempt
@page
def import_new(request: HttpRequest) -> HttpResponse:
    """Send a CSV file of numbers; `?campaign=pk` for rows that name no campaign."""
    return _protected(_new, request)


@csrf_exempt
@page
def stock_import(request: HttpRequest) -> HttpResponse:
    """Send a CSV file of numbers for the stock: platform staff."""
    return _protected(_new, request, into_stock=True)


@page
@require_POST
def stock_range(request: HttpRequest) -> HttpResponse:
    """Put a range of numbers into the stock: platform staff (POST)."""
    user = user_of(request)
    _stock_only(user)
    form = StockRangeForm(request.POST)
    if form.is_valid():
        try:
            new = stock_range_add(by=user, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, f"{new:,} new numbers are in the stock.")
            return redirect("numbers:stock-import")
    return show(
        request, "numbers/import_new.html", title="Fill the stock", crumbs=[("Promo numbers", reverse("numbers:list"))],
        status=422, form=ImportForm(), into_stock=True, most=MAX_BYTES // 1_048_576, most_rows=MAX_ROWS,
        columns=STOCK_COLUMNS, range_form=form,
    )  # fmt: skip


def _job_or_404(request: HttpRequest, pk: int) -> NumberImport:
    job = imports_visible(user_of(request)).filter(pk=pk).first()
    if job is None:
        raise NotFound("There is no such import.")
    return job


@page
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """How far an import is; asked again every second while it runs, then never."""
    job, user = _job_or_404(request, pk), user_of(request)
    is_open = job.state in OPEN
    may_cancel = job.asked_by_id == user.pk or access.stands_above(user)
    if not may_cancel and job.network is not None:
        may_cancel = access.may(user, "cancel", job)
    now: dict[str, Any] = {"job": job, "is_open": is_open, "may_cancel": may_cancel}
    if part_of(request) == "progress":
        response = fragment(request, "numbers/parts/import_progress.html", ended=not is_open, **now)
        if not is_open:
            # It has ended: the whole page once more, with the refused rows.
            response["HX-Refresh"] = "true"
        return response
    return show(
        request, "numbers/import.html", title=job.file_name, subtitle=_about(job), **now,
        page=keyset(refusals(job), request.GET, order=("line", "id")), limits=_limits(job),
        crumbs=[("Promo numbers", reverse("numbers:list")), ("Imports", reverse("numbers:imports"))],
    )  # fmt: skip


def _limits(job: NumberImport) -> str:
    """The address of the limits' page, if a limit refused any of the rows."""
    met = not job.into_stock and refusals(job).filter(code=LimitReached.code).exists()
    return reverse("numbers:limits") if met else ""


def _about(job: NumberImport) -> str:
    into = (
        "Into the stock"
        if job.into_stock
        else f"To “{job.campaign}”"
        if job.campaign
        else f"To campaigns of {job.network}"
    )
    return f"{into}, by {job.asked_by}"


@page
@require_POST
def import_stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel an import (POST)."""
    job = _job_or_404(request, pk)
    if import_cancel(by=user_of(request), job=job):
        messages.success(request, "The import is canceled. What was added until now stays.")
    else:
        messages.info(request, "It had ended already.")
    return redirect("numbers:import", pk=pk)


@page
def import_refused(request: HttpRequest, pk: int) -> Any:
    """The refused rows as CSV."""
    job = _job_or_404(request, pk)
    return csv_response(refusal_rows(job), stamped("refused-rows", job.network))
