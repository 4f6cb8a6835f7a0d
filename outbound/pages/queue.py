"""The pending queue: what waits for what, since when; and stuck calls with what can be done."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from outbound.models import Batch
from outbound.queries.waiting import pending_queue, stuck_calls
from portal.accounts import access
from portal.web.pages import fragment, page, part_of, show

from .common import network_of, user_of

MOST_STUCK = 100


@page
@require_GET
def pending(request: HttpRequest) -> HttpResponse:
    """Asked again every ten seconds while anything waits or is stuck."""
    user, network = user_of(request), network_of(request)
    waiting = pending_queue(user=user, network=network)
    stuck = stuck_calls(user=user, network=network, limit=MOST_STUCK + 1)
    batches = {one.attempt.batch_id for one in stuck}
    operable = set(
        access.restrict(Batch.objects.filter(pk__in=batches), user, "operate").values_list("pk", flat=True)
    ) if batches else set()  # fmt: skip
    context: dict[str, Any] = {
        "waiting": waiting, "stuck": stuck[:MOST_STUCK], "more_stuck": len(stuck) > MOST_STUCK, "operable": operable,
        "total": sum(one.count for one in waiting),
    }  # fmt: skip
    if part_of(request) == "now":
        return fragment(request, "outbound/parts/queue.html", ended=not waiting and not stuck, **context)
    return show(
        request, "outbound/queue.html", title="Pending queue", subtitle="What waits for what, and since when", **context
    )
