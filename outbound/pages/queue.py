"""The pending queue: what waits for what, since when; and stuck calls with what can be done."""

from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from outbound.choices import ACTIVE
from outbound.models import Batch
from outbound.queries.batches import batches_visible
from outbound.queries.waiting import stuck_calls, waiting_for
from portal.accounts import access
from portal.web.lists import keyset
from portal.web.pages import fragment, page, part_of, show

from .common import network_of, user_of

MOST_STUCK = 100
# What waits is asked batch by batch: so many on a page.
MOST_BATCHES = 15


@page
@require_GET
def pending(request: HttpRequest) -> HttpResponse:
    """Asked again every ten seconds while anything waits or is stuck."""
    user, network = user_of(request), network_of(request)
    active = batches_visible(user, network).filter(status__in=ACTIVE)
    rows = active.filter(state__pending__gt=0).select_related("state", "carrier__state")
    cut = keyset(rows, request.GET, order=("-id",), size=MOST_BATCHES)
    waiting = [one for batch in cut for one in waiting_for(batch=batch)]
    stuck = stuck_calls(user=user, network=network, limit=MOST_STUCK + 1)
    batches = {one.attempt.batch_id for one in stuck}
    operable = set(
        access.restrict(Batch.objects.filter(pk__in=batches), user, "operate").values_list("pk", flat=True)
    ) if batches else set()  # fmt: skip
    context: dict[str, Any] = {
        "waiting": waiting, "stuck": stuck[:MOST_STUCK], "more_stuck": len(stuck) > MOST_STUCK, "operable": operable,
        "total": active.aggregate(n=Sum("state__pending"))["n"] or 0, "page": cut,
    }  # fmt: skip
    if part_of(request) == "now":
        return fragment(request, "outbound/parts/queue.html", ended=not waiting and not stuck, **context)
    return show(
        request, "outbound/queue.html", title="Pending queue", subtitle="What waits for what, and since when", **context
    )
