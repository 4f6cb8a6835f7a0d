"""The people of a batch: the table with its filter, the history of one call (page and modal), the export."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from campaigns.pages.call_export import safe
from outbound.choices import FINAL, LIVE, RecipientState
from outbound.forms import RecipientFilterForm
from outbound.models import Batch, Recipient
from outbound.queries.batches import opted_out, recipient_history, recipient_list
from outbound.queries.stuck import redial_hindrance
from outbound.secrets import shown
from portal.web.lists import keyset
from portal.web.pages import fragment, is_fragment, page, show

from .common import batch_or_404, crumbs_of, network_of, recipient_or_404, rights_on

MAX_ROWS = 1_000_000
CHUNK = 2000
HEADINGS = (
    "number", "ani", "status", "reason", "attempts", "outcome", "callee_type", "cause", "dialed_at", "ended_at",
    "talk_seconds", "next_attempt_from",
)  # fmt: skip


def order_of(filters: dict[str, str]) -> tuple[str, ...]:
    """The order that an index gives: by id within a state, else by number."""
    state = filters["state"]
    return ("-id",) if state and state != RecipientState.PENDING and not filters["search"] else ("number",)


@page
@require_GET
def call_index(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody on the list, filtered; with how many entries to a page, as the reader chooses."""
    batch = batch_or_404(request, pk)
    form = RecipientFilterForm(request.GET)
    filters = form.filters()
    rows = recipient_list(batch=batch, **filters)
    return show(
        request, "outbound/calls.html", title="Calls", subtitle=batch.name, crumbs=crumbs_of(batch), tab="calls",
        batch=batch, form=form, filtered=any(filters.values()), rights=rights_on(request, batch),
        page=keyset(rows, request.GET, order=order_of(filters), size=form.size),
    )  # fmt: skip


@page
@require_GET
def call_page(request: HttpRequest, pk: int, recipient: int) -> HttpResponse:
    """One person's call with all that happened: attempts, events, the carrier's codes, results. As a modal over htmx."""
    batch = batch_or_404(request, pk)
    found = recipient_or_404(batch, recipient)
    history = recipient_history(recipient=found)
    rights = rights_on(request, batch)
    last = history.attempts[-1][0] if history.attempts else None
    asking = found.state == RecipientState.UNKNOWN and last is not None and last.look_at is not None
    context: dict[str, Any] = {
        "batch": batch, "recipient": found, "history": history, "rights": rights,
        "parameters": shown({**batch.parameters, **(found.parameters or {})}),
        "may_cancel": rights["operate"] and found.state not in FINAL,
        "may_redial": rights["operate"] and found.state == RecipientState.UNKNOWN and not asking
        and not redial_hindrance(batch),
        "may_opt_out": rights["operate"] and not opted_out(batch.network_id, found.number),
        "asking": last if asking else None, "is_live": found.state in LIVE,
    }  # fmt: skip
    if is_fragment(request):
        return fragment(request, "outbound/parts/call_info.html", in_modal=True, **context)
    return show(
        request, "outbound/call.html", title=found.number, subtitle=batch.name, crumbs=crumbs_of(batch), **context
    )


@page
@require_GET
def export(request: HttpRequest, pk: int) -> Any:
    """The filtered calls as CSV, streamed in chunks."""
    batch = batch_or_404(request, pk)
    filters = RecipientFilterForm(request.GET).filters()
    zone = ZoneInfo(network_of(request).time_zone)
    return StreamingHttpResponse(
        export_lines(batch, filters, zone),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="batch-{batch.pk}.csv"', "Cache-Control": "no-store"},
    )


def export_lines(batch: Batch, filters: dict[str, str], zone: ZoneInfo) -> Iterator[str]:
    """Lines of the file, at most `MAX_ROWS` calls; where it stops early the last line says so. One statement a chunk."""
    yield csv_line(HEADINGS)
    (order,) = order_of(filters)
    name = order.lstrip("-")
    rows = recipient_list(batch=batch, **filters).order_by(order)
    after, count = None, 0
    while True:
        beyond = rows if after is None else rows.filter(**{f"{name}__{'lt' if order[0] == '-' else 'gt'}": after})
        chunk = list(beyond[:CHUNK])
        yield "".join(csv_line(_cells(one, batch, zone)) for one in chunk)
        count += len(chunk)
        if len(chunk) < CHUNK:
            return
        if count >= MAX_ROWS:
            yield csv_line([f"Stopped after {count} calls: narrow the filter for the rest."])
            return
        after = getattr(chunk[-1], name)


def csv_line(cells: Any) -> str:
    """One line of CSV that no spreadsheet takes for a formula."""
    texts = (safe(cell) for cell in cells)
    return (
        ",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\r\n') else text for text in texts)
        + "\r\n"
    )


def _cells(one: Any, batch: Batch, zone: ZoneInfo) -> list[Any]:
    def clock(at: Any) -> str:
        return at.astimezone(zone).isoformat(timespec="seconds") if at else ""

    row: Recipient = one
    return [
        row.number, row.ani or batch.ani, row.state, row.reason, row.dialed, row.outcome, one.callee_type, one.cause,
        clock(one.placed_at), clock(one.ended_at), one.duration, clock(row.due_at) if row.state == "pending" else "",
    ]  # fmt: skip
