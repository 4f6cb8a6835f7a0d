"""The page of one batch: what happens now, how it went, and the buttons that steer it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from outbound.choices import FINISHED, BatchStatus, ImportState
from outbound.forms import COMPLETED_CHOICES
from outbound.models import BatchImport
from outbound.queries.batches import recently_completed
from outbound.queries.live import MOST_LIVE, batch_now, live_calls, outcome_chart
from portal.web.pages import fragment, number_in, page, part_of, show

from .common import batch_or_404, crumbs_of, rights_on


@page
@require_GET
def batch_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Live counters, the calls that talk, the latest that ended (the reader chooses how many), outcomes by hour."""
    batch = batch_or_404(request, pk)
    part = part_of(request)
    if part == "chart":
        chart = outcome_chart(batch=batch, zone=batch.network.time_zone)
        return fragment(request, "outbound/parts/chart.html", ended=batch.status in FINISHED, chart=chart)
    rights = rights_on(request, batch)
    if batch.status == BatchStatus.DRAFT and rights["change"] and not part:
        return redirect("outbound:review" if batch.state.total else "outbound:basics", pk)
    context = _now(request, batch) | {"rights": rights}
    if part == "now":
        response = fragment(request, "outbound/parts/now.html", ended=not context["is_live"], **context)
        if not context["is_live"] or request.GET.get("was", batch.status) != batch.status:
            # Its buttons and its badge stand outside of the live part: the whole page once more.
            response["HX-Refresh"] = "true"
        return response
    return show(
        request, "outbound/batch.html", title=batch.name, subtitle=f"Shown as {batch.ani}", crumbs=crumbs_of(), tab="now",
        chart=outcome_chart(batch=batch, zone=batch.network.time_zone), **context,
    )  # fmt: skip


def _now(request: HttpRequest, batch: Any) -> dict[str, Any]:
    size = number_in(request, "show")
    size = size if size in COMPLETED_CHOICES else COMPLETED_CHOICES[1]
    now = batch_now(batch=batch)
    live = list(live_calls(batch=batch)) if now.state.live else []
    importing = BatchImport.objects.filter(batch=batch, state__in=[ImportState.WAITING, ImportState.RUNNING]).exists()
    return {
        "batch": batch, "now": now, "state": now.state, "live": live, "more_live": max(0, now.state.live - MOST_LIVE),
        "latest": list(recently_completed(batch=batch, limit=size)), "size": size, "sizes": COMPLETED_CHOICES,
        "importing": importing,
        "is_live": batch.status not in (*FINISHED, BatchStatus.DRAFT) or importing,
    }  # fmt: skip
