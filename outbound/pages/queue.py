"""The pending queue: what waits for what, since when; and stuck calls with what can be done."""

from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from outbound.choices import ACTIVE, StuckKind
from outbound.models import Attempt
from outbound.queries.batches import batches_visible
from outbound.queries.stuck import operable_batches, stuck_batches, stuck_counts, stuck_explained, stuck_list
from outbound.queries.waiting import waiting_in
from portal.web.lists import keyset
from portal.web.pages import fragment, number_in, page, part_of, show

from .common import crumbs_of, network_of, user_of

# So many stuck calls stand on the queue's page; all of them on a page of their own.
OLDEST_STUCK = 10
ON_A_PAGE = 50
MOST_BATCHES = 15
OLDEST_FIRST = ("claimed_at", "id")


@page
@require_GET
def pending(request: HttpRequest) -> HttpResponse:
    """Asked again every ten seconds while anything waits or is stuck."""
    user, network = user_of(request), network_of(request)
    active = batches_visible(user, network).filter(status__in=ACTIVE)
    rows = active.filter(state__pending__gt=0).select_related("state", "carrier__state")
    cut = keyset(rows, request.GET, order=("-id",), size=MOST_BATCHES)
    waiting = waiting_in(batches=cut)
    oldest = list(stuck_list(user=user, network=network).order_by(*OLDEST_FIRST)[:OLDEST_STUCK])
    counts = stuck_counts(user=user, network=network) if oldest else {}
    kinds = [(kind, StuckKind(kind).label, count) for kind, count in counts.items() if count]
    context: dict[str, Any] = {
        "waiting": waiting, "kinds": kinds, "stuck_total": sum(counts.values()),
        "total": active.aggregate(n=Sum("state__pending"))["n"] or 0, "page": cut, **_stuck(request, oldest),
    }  # fmt: skip
    if part_of(request) == "now":
        return fragment(request, "outbound/parts/queue.html", ended=not waiting and not oldest, **context)
    return show(
        request, "outbound/queue.html", title="Pending queue", subtitle="What waits for what, and since when", **context
    )


@page
@require_GET
def stuck(request: HttpRequest) -> HttpResponse:
    """Every stuck and unknown call, oldest first, by batch and by why it is stuck."""
    user, network = user_of(request), network_of(request)
    kind = request.GET.get("kind", "")
    kind = kind if kind in StuckKind.values else ""
    batch = number_in(request, "batch")
    cut = keyset(
        stuck_list(user=user, network=network, batch=batch, kind=kind),
        request.GET,
        order=OLDEST_FIRST,
        size=ON_A_PAGE,
    )
    return show(
        request, "outbound/stuck.html", title="Stuck and unknown calls", subtitle="None is dialed again by itself",
        crumbs=[*crumbs_of(), ("Pending queue", reverse("outbound:queue"))], page=cut, kind=kind, kinds=StuckKind.choices,
        batch=batch, batches=stuck_batches(user=user, network=network), filtered=bool(kind or batch is not None),
        **_stuck(request, cut.rows),
    )  # fmt: skip


def _stuck(request: HttpRequest, attempts: list[Attempt]) -> dict[str, Any]:
    """What the table of stuck calls needs: the evidence, and of which batches the user may act on calls."""
    return {"stuck": stuck_explained(attempts), "operable": operable_batches(user=user_of(request), attempts=attempts)}
