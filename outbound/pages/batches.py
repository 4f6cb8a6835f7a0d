"""The list of batches, with live progress while any of them runs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from outbound.choices import ACTIVE, BatchStatus
from outbound.queries.batches import batch_list
from outbound.queries.live import rates_of
from portal.web.lists import keyset
from portal.web.pages import fragment, page, part_of, show

from .common import may_add, network_of, user_of

PAGE_SIZE = 25


@page
@require_GET
def batch_index(request: HttpRequest) -> HttpResponse:
    """The batches that the user may see, newest first."""
    network = network_of(request)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "status")}
    rows = batch_list(user=user_of(request), network=network, status=asked["status"], search=asked["q"])
    cut = keyset(rows, request.GET, order=("-id",), size=PAGE_SIZE)
    active = [batch.pk for batch in cut if batch.status in ACTIVE]
    rates = rates_of(active)
    for batch in cut:
        state = batch.state
        batch.callable = state.total - state.suppressed
        batch.done = state.completed + state.failed + state.canceled + state.expired
        batch.rate = rates.get(batch.pk, 0.0)
    context: dict[str, Any] = {
        "page": cut, "asked": asked, "filtered": any(asked.values()), "is_live": bool(active),
        "may_add": may_add(request, network),
    }  # fmt: skip
    if part_of(request) == "rows":
        return fragment(request, "outbound/parts/batch_rows.html", ended=not active, **context)
    return show(
        request, "outbound/list.html", title="Batches", subtitle="Lists of people to call",
        statuses=[("active", "Active"), *BatchStatus.choices], **context,
    )  # fmt: skip
