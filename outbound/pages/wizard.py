"""Setting up a batch step by step. Every step saves into the draft, so one may go back and forth, or come back tomorrow."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from promo_numbers.models import PromoNumber

from outbound import actions
from outbound.choices import BatchStatus, ImportState
from outbound.forms import BasicsForm, PaceForm, ScheduleForm
from outbound.models import Batch, BatchImport
from outbound.queries.batches import carrier_list, do_not_call_lists
from outbound.queries.preview import batch_preview
from outbound.schedule import start_alternatives
from portal.accounts import access
from portal.accounts.models import Network
from portal.errors import NotAllowed, Refused
from portal.web.pages import page, show

from .common import batch_or_404, crumbs_of, may_add, network_of, rights_on, user_of

STEPS = (
    ("basics", "Basics"),
    ("lists", "List"),
    ("schedule", "Schedule"),
    ("pace", "Pace and retries"),
    ("review", "Review"),
)
MOST_ANIS = 200


def steps_of(batch: Batch | None, here: str) -> list[dict[str, Any]]:
    """The steps with where each leads; those of a batch that is not made yet lead nowhere."""
    return [{"name": name, "label": label, "here": name == here, "open": batch is not None} for name, label in STEPS]


def next_of(request: HttpRequest, batch: Batch, here: str) -> HttpResponse:
    """Where the pressed button leads after saving: back, on, or to the list of batches."""
    names = [name for name, _ in STEPS]
    place = names.index(here)
    if "draft" in request.POST:
        messages.success(request, f"The draft “{batch.name}” is saved.")
        return redirect("outbound:list")
    if "back" in request.POST and place:
        return redirect(f"outbound:{names[place - 1]}", batch.pk)
    if batch.status not in (BatchStatus.DRAFT, BatchStatus.SCHEDULED):
        messages.success(request, "Saved; it holds from the next call on.")
        return redirect("outbound:detail", batch.pk)
    return redirect(f"outbound:{names[min(place + 1, len(names) - 1)]}", batch.pk)


def _anis(network: Network, request: HttpRequest) -> list[tuple[str, str]]:
    rows = PromoNumber.objects.filter(network=network, released_at=None)
    rows = access.restrict(rows, user_of(request)) if access.is_registered(PromoNumber) else rows
    return list(rows.order_by("number").values_list("number", "description")[:MOST_ANIS])


def _step(request: HttpRequest, batch: Batch | None, here: str, title: str, form: Any, **context: Any) -> HttpResponse:
    invalid = request.method == "POST" and (form.errors or getattr(getattr(form, "hours", None), "errors", None))
    return show(
        request, f"outbound/{here}.html", title=title, subtitle=batch.name if batch and title != batch.name else "",
        crumbs=crumbs_of(batch), status=422 if invalid else 200, form=form, batch=batch, steps=steps_of(batch, here),
        step=here, tab=here, rights=rights_on(request, batch) if batch else {}, **context,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def batch_new(request: HttpRequest) -> HttpResponse:
    """The first step; saving it makes the draft."""
    network = network_of(request)
    if not may_add(request, network) and not access.restrict(_campaigns(network), user_of(request), "change").exists():
        raise NotAllowed("You need the role Member, or a grant to change a campaign.", permission="outbound.add_batch")
    return _basics(request, network, None)


def _campaigns(network: Network) -> Any:
    from campaigns.models import Campaign

    return Campaign.objects.filter(network=network)


@require_http_methods(["GET", "POST"])
@page
def basics(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, number shown, addresses, parameters."""
    return _basics(request, network_of(request), _changeable(request, pk))


def _changeable(request: HttpRequest, pk: int) -> Batch:
    batch = batch_or_404(request, pk)
    access.require(user_of(request), "change", batch)
    return batch


def _basics(request: HttpRequest, network: Network, batch: Batch | None) -> HttpResponse:
    carriers = list(carrier_list(user=user_of(request), network=network).filter(is_enabled=True))
    if not carriers and access.restrict(_campaigns(network), user_of(request), "change").exists():
        # A grant on a campaign lets one call for it, over whatever carriers the network has.
        from outbound.models import Carrier

        carriers = list(Carrier.objects.filter(network=network, is_enabled=True))
    form = BasicsForm(request.POST if request.method == "POST" else None, carriers=carriers, batch=batch)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            if batch is None:
                batch = actions.batch_create(by=user_of(request), network=network, **values)
            else:
                batch = actions.batch_update(by=user_of(request), batch=batch, **values)
        except Refused as error:
            form.refuse(error)
        else:
            return next_of(request, batch, "basics")
    return _step(
        request,
        batch,
        "basics",
        "New batch" if batch is None else "Basics",
        form,
        anis=_anis(network, request),
        carriers=carriers,
    )


@require_http_methods(["GET", "POST"])
@page
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Start, expiry, hours of the people called, days without calls."""
    batch, network = _changeable(request, pk), network_of(request)
    started = batch.status not in (BatchStatus.DRAFT, BatchStatus.SCHEDULED)
    with timezone.override(network.time_zone):
        form = ScheduleForm(
            request.POST if request.method == "POST" else None, batch=batch, network=network, started=started
        )
        valid = request.method == "POST" and form.is_valid() and not form.hours.errors
    if valid:
        try:
            batch = actions.batch_update(by=user_of(request), batch=batch, **form.values())
        except Refused as error:
            form.refuse(error)
        else:
            moved = start_alternatives(batch.starts_at) if batch.starts_at and not started else []
            if moved and "back" not in request.POST and "draft" not in request.POST and "anyway" not in request.POST:
                # Near the full hour: said once, with the better moments to click; “Next anyway” goes on.
                return redirect(f"{request.path}?near=1")
            return next_of(request, batch, "schedule")
    alternatives = start_alternatives(batch.starts_at) if batch.starts_at and not started else []
    return _step(
        request,
        batch,
        "schedule",
        "Schedule",
        form,
        alternatives=alternatives,
        near="near" in request.GET,
        started=started,
    )


@require_http_methods(["GET", "POST"])
@page
def pace(request: HttpRequest, pk: int) -> HttpResponse:
    """How fast, how often again, and who is left alone."""
    batch, network = _changeable(request, pk), network_of(request)
    lists = list(do_not_call_lists(user=user_of(request), network=network))
    form = PaceForm(request.POST if request.method == "POST" else None, batch=batch, lists=lists)
    if request.method == "POST" and form.is_valid():
        try:
            batch = actions.batch_update(by=user_of(request), batch=batch, **form.values())
        except Refused as error:
            form.refuse(error)
        else:
            return next_of(request, batch, "pace")
    return _step(request, batch, "pace", "Pace and retries", form, for_all=[one for one in lists if one.applies_to_all])


@page
@require_GET
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Before the start: how many, who will not be called and why, in which zones, when it will be over."""
    batch = batch_or_404(request, pk)
    if batch.status not in (BatchStatus.DRAFT, BatchStatus.SCHEDULED):
        return redirect("outbound:detail", pk)
    importing = BatchImport.objects.filter(batch=batch, state__in=[ImportState.WAITING, ImportState.RUNNING]).exists()
    return show(
        request, "outbound/review.html", title="Review", subtitle=batch.name, crumbs=crumbs_of(batch), batch=batch,
        preview=batch_preview(batch=batch), steps=steps_of(batch, "review"), step="review", tab="review",
        rights=rights_on(request, batch), importing=importing,
    )  # fmt: skip
