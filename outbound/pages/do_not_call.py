"""Do-not-call lists of the network: numbers and prefixes that are never dialed."""

import csv
import io
from typing import Any

from django.contrib import messages
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from outbound import actions
from outbound.forms import DoNotCallAddForm, DoNotCallListForm
from outbound.models import DoNotCallEntry, DoNotCallList
from outbound.queries.batches import do_not_call_lists
from portal.accounts import access
from portal.errors import Invalid, NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show

from .common import may_add, network_of, said, user_of

MOST_BYTES = 4 * 1024 * 1024


def _list_or_404(request: HttpRequest, pk: int) -> DoNotCallList:
    rows = do_not_call_lists(user=user_of(request), network=network_of(request))
    found = rows.filter(pk=pk).select_related("network").first()
    if found is None:
        raise NotFound("There is no such list.")
    return found


@require_http_methods(["GET", "POST"])
@page
def list_index(request: HttpRequest) -> HttpResponse:
    """The network's lists; a POST makes one."""
    network = network_of(request)
    form = DoNotCallListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.do_not_call_list_create(by=user_of(request), network=network, **form.cleaned_data)
        except Refused as error:
            form.refuse(error)
        else:
            return redirect("outbound:do-not-call-list", made.pk)
    entries = DoNotCallEntry.objects.filter(list=OuterRef("pk")).order_by().values("list").annotate(n=Count("*"))
    rows = do_not_call_lists(user=user_of(request), network=network).annotate(
        count=Coalesce(Subquery(entries.values("n"), output_field=IntegerField()), 0)
    )
    return show(
        request, "outbound/do_not_call.html", title="Do-not-call lists", subtitle="Checked at import and again before every call",
        status=422 if form.errors else 200, page=keyset(rows, request.GET, order=("name", "id")), form=form,
        may_add=may_add(request, network),
    )  # fmt: skip


@page
@require_GET
def list_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One list with its entries, found by their beginning."""
    return _page(request, _list_or_404(request, pk), DoNotCallAddForm())


def _page(request: HttpRequest, found: DoNotCallList, form: DoNotCallAddForm) -> HttpResponse:
    asked = request.GET.get("q", "").strip()
    rows = DoNotCallEntry.objects.filter(list=found).select_related("added_by")
    digits = "".join(char for char in asked if char.isdigit())
    if digits:
        rows = rows.filter(pattern__startswith=f"+{digits}")
    user = user_of(request)
    return show(
        request, "outbound/do_not_call_list.html", title=found.name,
        subtitle="Binds every batch" if found.applies_to_all else "Binds the batches that name it",
        crumbs=[("Do-not-call lists", "/outbound/do-not-call/")], status=422 if form.errors else 200, list=found, form=form,
        asked=asked, page=keyset(rows, request.GET, order=("pattern", "id")), may_change=access.may(user, "change", found),
        may_delete=access.may(user, "delete", found),
    )  # fmt: skip


def _patterns(form: DoNotCallAddForm) -> list[str]:
    """What was typed, and the first column of the file. Raises Invalid for a file that cannot be read."""
    patterns = [line.strip() for line in form.cleaned_data["patterns"].splitlines() if line.strip()]
    file = form.cleaned_data["file"]
    if not file:
        return patterns
    if file.size > MOST_BYTES:
        raise Invalid("The file is larger than 4 MB; split it.", field="file", code="too_large")
    data = file.read()
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Invalid("The file is neither UTF-8 nor Latin-1 text.", field="file", code="unreadable")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = [row[0].strip() for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row and row[0].strip()]
    if rows and not any(char.isdigit() for char in rows[0]):
        rows = rows[1:]
    if not rows:
        raise Invalid("The file's first column is empty.", field="file", code="empty")
    return patterns + rows


@page
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Put numbers and prefixes on a list: all of them, or none when one is neither."""
    found = _list_or_404(request, pk)
    form = DoNotCallAddForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            patterns = _patterns(form)
            if not patterns:
                raise Invalid("Type a number, or choose a file.", field="patterns", code="required")
            count = actions.do_not_call_add(
                by=user_of(request), to=found, patterns=patterns, note=form.cleaned_data["note"]
            )
        except Refused as error:
            if isinstance(error, Invalid):
                error.problems = error.problems[:10]
            form.refuse(error)
        else:
            messages.success(request, f"{count:,} new; nobody on the list is dialed from now on.")
            return redirect("outbound:do-not-call-list", pk)
    return _page(request, found, form)


def _reason(request: HttpRequest) -> dict[str, Any]:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise Invalid("Say why it may be called again; the reason is kept.", field="reason", code="required")
    return {"reason": reason}


@page
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an entry off a list, with the reason."""
    found, pattern = _list_or_404(request, pk), request.POST.get("pattern", "")
    try:
        count = actions.do_not_call_remove(by=user_of(request), to=found, patterns=[pattern], **_reason(request))
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, f"{pattern} is taken off." if count else f"{pattern} was not on the list.")
    return redirect("outbound:do-not-call-list", pk)


@page
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a list with its entries."""
    found = _list_or_404(request, pk)
    try:
        actions.do_not_call_list_delete(by=user_of(request), to=found)
    except Refused as error:
        said(request, error)
        return redirect("outbound:do-not-call-list", pk)
    messages.success(request, f"The list “{found.name}” is deleted.")
    return redirect("outbound:do-not-call")
