"""The lists of a batch: sending one, watching its import, its refused rows; and adding a few numbers by hand."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from outbound import actions
from outbound.choices import BatchStatus, ImportState
from outbound.forms import ListForm
from outbound.models import Batch, BatchImport
from outbound.queries.batches import import_list, rejection_list
from outbound.secrets import dial_string_shown
from portal.accounts import access
from portal.errors import Invalid, NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import fragment, page, part_of, show

from .calls import csv_line
from .common import batch_or_404, crumbs_of, rights_on, said, user_of
from .wizard import next_of, steps_of

# What a form adds to its file.
SLACK = 256 * 1024
OPEN = (ImportState.WAITING, ImportState.RUNNING)
PAGE_SIZE = 20


def _too_large(request: HttpRequest) -> bool:
    """By what the browser announces, before a byte of it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return length.isdigit() and int(length) > settings.OUTBOUND_UPLOAD_LIMIT + SLACK


@csrf_exempt
@require_http_methods(["GET", "POST"])
@page
def batch_lists(request: HttpRequest, pk: int) -> HttpResponse:
    """The imports of a batch, newest first; a POST sends another list, to a draft or to a batch that runs."""
    # The check against forged requests reads the whole body: not that of a file which is too large anyway.
    if request.method == "POST" and _too_large(request):
        return _lists(request, pk)
    return csrf_protect(_lists)(request, pk)


def _lists(request: HttpRequest, pk: int) -> HttpResponse:
    batch = batch_or_404(request, pk)
    large = request.method == "POST" and _too_large(request)
    moving = request.method == "POST" and not large and _only_moves(request)
    if moving:
        return next_of(request, batch, "lists")
    form = ListForm(*((request.POST, request.FILES) if request.method == "POST" and not large else (None,)))
    if request.method == "POST":
        access.require(user_of(request), "change", batch)
    if form.is_bound and form.is_valid():
        try:
            said_so = _take(request, batch, form)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, said_so)
            return redirect("outbound:lists", pk)
    cut = keyset(import_list(batch=batch), request.GET, order=("-id",), size=PAGE_SIZE)
    is_open = any(job.state in OPEN for job in cut)
    context: dict[str, Any] = {"batch": batch, "page": cut, "is_open": is_open, "rights": rights_on(request, batch)}
    if part_of(request) == "imports":
        return fragment(request, "outbound/parts/imports.html", ended=not is_open, **context)
    return show(
        request, "outbound/lists.html", title="List" if batch.status == BatchStatus.DRAFT else "Lists", subtitle=batch.name,
        crumbs=crumbs_of(batch), status=413 if large else 422 if form.is_bound else 200, form=form, too_large=large,
        most=settings.OUTBOUND_UPLOAD_LIMIT // 1_048_576, steps=steps_of(batch, "lists"), step="lists", tab="lists",
        is_draft=batch.status == BatchStatus.DRAFT, **context,
    )  # fmt: skip


def _only_moves(request: HttpRequest) -> bool:
    """Whether a button of the wizard was pressed and nothing was given to be added."""
    moves = any(name in request.POST for name in ("back", "next", "draft"))
    return moves and not request.FILES and not request.POST.get("numbers", "").strip()


def _take(request: HttpRequest, batch: Batch, form: ListForm) -> str:
    """Receive what was sent. Returns what to say."""
    user = user_of(request)
    if form.cleaned_data["file"]:
        file = form.cleaned_data["file"]
        actions.import_create(
            by=user, batch=batch, file_name=file.name, pieces=file.chunks(1 << 20), columns=form.columns()
        )
        return f"{file.name} is received; its rows are being read."
    lines = [line.strip() for line in form.cleaned_data["numbers"].splitlines() if line.strip()]
    added = actions.recipients_add(by=user, batch=batch, calls=[{"destination": line} for line in lines])
    if not added.added and added.refused:
        raise Invalid.of([("numbers", one["reason"], _refusal_words(one)) for one in added.refused[:5]])
    words = f"{added.added:,} added"
    if added.suppressed:
        words += f", of which {added.suppressed:,} will not be called (do-not-call or unknown time zone)"
    if added.refused:
        value = dial_string_shown(str(added.refused[0]["value"]))
        words += f"; {len(added.refused):,} refused, such as “{value}” ({_refusal_words(added.refused[0])})"
    return words + "."


def _refusal_words(one: dict[str, Any]) -> str:
    from outbound.choices import Refusal

    return f"Line {one['line']}: {Refusal(one['reason']).label.lower()}."


def _job_or_404(request: HttpRequest, pk: int, job: int) -> BatchImport:
    found = import_list(batch=batch_or_404(request, pk)).select_related("batch").filter(pk=job).first()
    if found is None:
        raise NotFound("There is no such import.")
    return found


@page
@require_POST
def import_stop(request: HttpRequest, pk: int, job: int) -> HttpResponse:
    """Cancel an import; nothing of it stays."""
    try:
        actions.import_cancel(by=user_of(request), job=_job_or_404(request, pk, job))
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, "The import is canceled; nothing of this list was added.")
    return redirect("outbound:lists", pk)


@page
@require_GET
def import_refused(request: HttpRequest, pk: int, job: int) -> Any:
    """The refused rows as CSV: line, value, reason."""
    found = _job_or_404(request, pk, job)

    def lines() -> Iterator[str]:
        yield csv_line(("line", "value", "reason"))
        for one in rejection_list(job=found).iterator(chunk_size=5000):
            yield csv_line((one.line, dial_string_shown(one.value), one.get_reason_display()))

    return StreamingHttpResponse(
        lines(), content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="refused-{found.pk}.csv"', "Cache-Control": "no-store"},
    )  # fmt: skip
