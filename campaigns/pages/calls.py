"""The pages about calls: the list and its export, one call, what is live now with release by hand, Simulate."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from campaigns import actions, ports
from campaigns.api.traces import decision_body
from campaigns.queries import Decision, simulate
from campaigns.queries.call_page import CallView, call_view, live_counts, live_legs, live_rows
from campaigns.queries.calls import WINDOW, call_list, campaigns_seen
from campaigns.regions import place_of
from portal.errors import Conflict, Invalid
from portal.web.lists import keyset
from portal.web.pages import fragment, network_of, page, part_of, show

from .call_export import export_lines, file_name
from .call_forms import CallFilterForm, LiveFilterForm, SimulateForm
from .common import user_of

LIVE_PAGE_SIZE = 100


def _filter_form(request: HttpRequest) -> CallFilterForm:
    """The list's filter; times are typed in the network's zone."""
    network = network_of(request)
    form = CallFilterForm(request.GET, user=user_of(request), network=network)
    with timezone.override(network.time_zone):
        form.is_valid()
    return form


@page
@require_GET
def list_calls(request: HttpRequest) -> HttpResponse:
    """The calls of the current network that the user may see, newest first, filtered."""
    network = network_of(request)
    form = _filter_form(request)
    calls = None
    if form.is_valid():
        calls = call_list(
            user=user_of(request), network=network, filters=form.filters(), after=request.GET.get("after")
        )
    context: dict[str, Any] = {
        "form": form, "page": calls, "window": WINDOW, "is_filtered": any(form.data.get(name) for name in form.fields),
    }  # fmt: skip
    return show(request, "calls/list.html", title="Calls", **context)


@page
@require_GET
def export(request: HttpRequest) -> Any:
    """The filtered list as CSV, streamed; an invalid filter goes back to the list, which says what is wrong."""
    form = _filter_form(request)
    if not form.is_valid():
        return redirect(f"{reverse('calls:list')}?{request.GET.urlencode()}")
    network = network_of(request)
    lines = export_lines(user=user_of(request), network=network, filters=form.filters())
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name(network)}"', "Cache-Control": "no-store"},
    )


@page
@require_GET
def detail(request: HttpRequest, transaction_id: str) -> HttpResponse:
    """One call: what was decided and why, and what happened then. Polls while it is live."""
    view = call_view(user=user_of(request), transaction_id=transaction_id)
    now = timezone.now()
    zone = view.call.network.time_zone
    if part_of(request) == "now":
        return fragment(request, "calls/parts/legs.html", ended=not view.is_live, view=view, now=now, zone=zone)
    title = f"Call {view.call.transaction_id}"
    trace = None
    if view.decision:
        trace = {"transaction_id": view.call.transaction_id, **decision_body(view.decision)}
    return show(
        request, "calls/detail.html", title=title, crumbs=[("Calls", reverse("calls:list"))],
        view=view, decision=view.decision, trace=trace, visit=_visit(view), over=_over(view.decision), now=now, zone=zone,
    )  # fmt: skip


def _visit(view: CallView) -> ports.Visit | None:
    """Whom a call to a dynamic number is attributed to, for those who see the whole call."""
    call = view.call
    if not view.whole or not call.promo_number:
        return None
    return ports.visit_of_number(call.network_id, call.promo_number, call.started_at)


@page
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """The calls that are live now, newest first, with release by hand for those who may operate."""
    network = network_of(request)
    form = LiveFilterForm(request.GET, user=user_of(request), network=network)
    context: dict[str, Any] = {"form": form, "now": timezone.now()}
    if form.is_valid():
        legs = live_legs(
            user=user_of(request), network=network, destination=form.cleaned_data["destination"],
            bundle=form.cleaned_data["bundle"],
        )  # fmt: skip
        cut = keyset(legs, request.GET, order=("-id",), size=LIVE_PAGE_SIZE)
        rows = live_rows(user=user_of(request), network=network, legs=cut.rows)
        context |= {"page": cut, "rows": rows, "counts": live_counts(legs)}
    if part_of(request) == "now":
        return fragment(request, "calls/parts/live.html", **context)
    return show(request, "calls/live.html", title="Live calls", **context)


@page
@require_POST
def release(request: HttpRequest, leg: int) -> HttpResponse:
    """Give a live leg's slot back by hand; the action decides who may. Goes back to where it was asked for."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = reverse("calls:live")
    try:
        done = actions.slot_release(by=user_of(request), leg=leg, reason=request.POST.get("reason", ""))
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Released: the slot on “{done.destination}” is free again.")
    return redirect(back)


@page
@require_GET
def simulate_call(request: HttpRequest) -> HttpResponse:
    """What would happen to a call, without placing one. Everything stands in the address, so that it can be shared."""
    network = network_of(request)
    asked = any(name in request.GET for name in ("caller", "withheld", "at"))
    user = user_of(request)
    form = SimulateForm(request.GET if asked else None, user=user, network=network)
    context: dict[str, Any] = {}
    if not asked and request.GET.get("bundle"):
        bundle = form.fields["bundle"].find(request.GET["bundle"])  # type: ignore[attr-defined]
        if bundle is None:
            form = SimulateForm(request.GET, user=user, network=network)
        else:
            form.initial["bundle"] = bundle.name
    if form.is_bound and form.is_valid():
        bundle = form.cleaned_data["bundle"]
        at = form.cleaned_data["at"] or timezone.now()
        decision = simulate(bundle=bundle, caller=form.cleaned_data["caller"], at=at)
        context = {
            "decision": decision, "bundle": bundle, "at": at, "caller": form.cleaned_data["caller"],
            "zone": form.cleaned_data["zone"], "trace": decision_body(decision), "over": _over(decision),
            "place": place_of(form.cleaned_data["caller"].e164), "visible": _visible(request, decision),
        }  # fmt: skip
    return show(request, "calls/simulate.html", title="Simulate a call", form=form, **context)


def _over(decision: Decision | None) -> str:
    """“over the cap: 6/5” where a repeat caller is sent to a destination that is full; else empty."""
    for entry in decision.entries if decision else []:
        if entry.verdict == "chosen" and entry.cap is not None and entry.live >= entry.cap:
            return f"over the cap: {entry.live + 1}/{entry.cap}"
    return ""


def _visible(request: HttpRequest, decision: Decision) -> set[int]:
    """Ids of the campaigns of a decision whose pages the user may open."""
    ids = [entry.campaign_id for entry in decision.entries]
    if decision.overflow:
        ids.append(decision.overflow.campaign_id)
    seen = campaigns_seen(user_of(request), network_of(request))
    return set(seen.filter(pk__in=ids).values_list("pk", flat=True))
