"""The buttons of a batch and of a call: each a POST that an action decides."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from outbound import actions
from outbound.choices import RecipientState
from outbound.models import Recipient
from portal.errors import Refused
from portal.web.pages import page

from .common import back_to, batch_or_404, recipient_or_404, said, user_of


def _many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


@page
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a draft; what stands against it is said on the review page."""
    batch = batch_or_404(request, pk)
    try:
        started = actions.batch_start(by=user_of(request), batch=batch)
    except Refused as error:
        said(request, error)
        return redirect("outbound:review", pk)
    messages.success(request, "It runs." if started.batch.status == "running" else "It is scheduled.")
    for warning in started.warnings:
        messages.warning(request, warning)
    return redirect("outbound:detail", pk)


@page
@require_POST
def move_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin at another moment, such as :15 instead of the full hour: one click."""
    batch = batch_or_404(request, pk)
    try:
        at: datetime | None = parse_datetime(request.POST.get("at", "").replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or not timezone.is_aware(at):
        messages.error(request, "That is no moment; choose one of those offered.")
        return back_to(request, "outbound:schedule", pk)
    try:
        actions.batch_update(by=user_of(request), batch=batch, starts_at=at)
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, "The start is moved.")
    return back_to(request, "outbound:schedule", pk)


def _done(request: HttpRequest, pk: int, action: Any, words: str, **values: Any) -> HttpResponse:
    batch = batch_or_404(request, pk)
    try:
        action(by=user_of(request), batch=batch, **values)
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, words)
    return redirect("outbound:detail", pk)


@page
@require_POST
def unschedule(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, actions.batch_unschedule, "It is a draft again.")


@page
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Dial nobody more until it is resumed."""
    batch = batch_or_404(request, pk)
    try:
        halted = actions.batch_pause(by=user_of(request), batch=batch, reason=request.POST.get("reason", ""))
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, f"Paused: nobody more is dialed. {_live_words(halted)}")
    return redirect("outbound:detail", pk)


@page
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, actions.batch_resume, "It goes on.")


@page
@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop for good; says at once how many will never start and how many are live."""
    batch = batch_or_404(request, pk)
    try:
        halted = actions.batch_stop(by=user_of(request), batch=batch, reason=request.POST.get("reason", ""))
    except Refused as error:
        said(request, error)
    else:
        never = _many(halted.never_started, "person will never be called", "people will never be called")
        messages.success(request, f"Stopped: {never}. {_live_words(halted)}")
    return redirect("outbound:detail", pk)


def _live_words(halted: actions.Halted) -> str:
    live, open_ones = halted.live, halted.taking_back
    words = (
        "No call is live." if not live else f"{_many(live, 'call is live and goes on', 'calls are live and go on')}."
    )
    if open_ones:
        taken_up = _many(open_ones, "more call was", "more calls were")
        words += f" {taken_up} just taken up by a worker: what it has not handed to the carrier is taken back."
    return words + ("" if halted.quiet else " A request is still on its way to the carrier.")


@page
@require_POST
def hang_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the carrier to end every live call of the batch."""
    batch = batch_or_404(request, pk)
    try:
        asked = actions.batch_hang_up(by=user_of(request), batch=batch)
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, f"The carrier is asked to end {_many(asked, 'call', 'calls')}.")
    return redirect("outbound:detail", pk)


@page
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft with its list."""
    batch = batch_or_404(request, pk)
    try:
        actions.batch_delete(by=user_of(request), batch=batch)
    except Refused as error:
        said(request, error)
        return redirect("outbound:detail", pk)
    messages.success(request, f"The draft “{batch.name}” is deleted.")
    return redirect("outbound:list")


def _of_one(request: HttpRequest, pk: int, recipient: int, act: Callable[[Recipient, str], str]) -> HttpResponse:
    """Do something to one person's call, for the reason given; `act` says what was done."""
    found = recipient_or_404(batch_or_404(request, pk), recipient)
    try:
        messages.success(request, act(found, request.POST.get("reason", "")))
    except Refused as error:
        said(request, error)
    return back_to(request, "outbound:call", pk, recipient)


@page
@require_POST
def cancel_call(request: HttpRequest, pk: int, recipient: int) -> HttpResponse:
    """Cancel one person's call: never dialed if it waits, hung up if it lives."""

    def act(one: Recipient, reason: str) -> str:
        state = actions.recipient_cancel(by=user_of(request), recipient=one, reason=reason)
        return f"{one.number} {'is canceled' if state == RecipientState.CANCELED else 'is being hung up'}."

    return _of_one(request, pk, recipient, act)


@page
@require_POST
def redial_call(request: HttpRequest, pk: int, recipient: int) -> HttpResponse:
    """Dial somebody again whose last call is unknown, with the reason."""

    def act(one: Recipient, reason: str) -> str:
        actions.recipient_redial(by=user_of(request), recipient=one, reason=reason)
        return f"{one.number} will be dialed again."

    return _of_one(request, pk, recipient, act)


@page
@require_POST
def opt_out(request: HttpRequest, pk: int, recipient: int) -> HttpResponse:
    """Never call somebody again, in any batch of the network."""

    def act(one: Recipient, reason: str) -> str:
        new = actions.recipient_opt_out(by=user_of(request), recipient=one, reason=reason)
        words = "is on the list of opt-outs now" if new else "was on the list of opt-outs already"
        return f"{one.number} {words}: no batch dials it."

    return _of_one(request, pk, recipient, act)
