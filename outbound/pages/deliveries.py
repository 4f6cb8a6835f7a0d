"""Results of a batch on their way to the customer, with replay."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from outbound import actions
from outbound.choices import DeliveryState
from outbound.models import Batch
from outbound.queries.batches import delivery_list
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show

from .common import back_to, batch_or_404, crumbs_of, network_of, rights_on, said, user_of


@page
@require_GET
def delivery_index(request: HttpRequest, pk: int) -> HttpResponse:
    """What was POSTed to the result URL, what came back, and what waits."""
    return _index(request, batch_or_404(request, pk))


@page
@require_POST
def secret_renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the results a new signing secret, shown in this answer and never again."""
    batch = batch_or_404(request, pk)
    try:
        secret = actions.result_secret_renew(by=user_of(request), batch=batch)
    except Refused as error:
        said(request, error)
        return back_to(request, "outbound:deliveries", pk)
    response = _index(request, batch, secret=secret)
    response["Cache-Control"] = "no-store"
    return response


def _index(request: HttpRequest, batch: Batch, secret: str = "") -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in DeliveryState.values else ""
    rows = delivery_list(user=user_of(request), network=network_of(request), batch=batch.pk, state=state)
    return show(
        request, "outbound/deliveries.html", title="Results", subtitle=batch.name, crumbs=crumbs_of(batch), tab="results",
        batch=batch, state=state, states=DeliveryState.choices, rights=rights_on(request, batch),
        page=keyset(rows, request.GET, order=("-id",)), secret=secret,
    )  # fmt: skip


@page
@require_POST
def replay(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    """Send a result once more."""
    batch = batch_or_404(request, pk)
    rows = delivery_list(user=user_of(request), network=network_of(request), batch=batch.pk)
    found = rows.filter(pk=delivery).first()
    if found is None:
        raise NotFound("There is no such result.")
    try:
        actions.delivery_replay(by=user_of(request), delivery=found)
    except Refused as error:
        said(request, error)
    else:
        messages.success(request, "The result goes out again.")
    return back_to(request, "outbound:deliveries", pk)
