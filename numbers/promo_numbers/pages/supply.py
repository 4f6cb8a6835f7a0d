"""The stock of numbers, for platform staff: counts by area code, single numbers, who holds what, and open purchases."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns.pages.common import user_of
from portal.accounts.models import Network
from portal.errors import NotFound, Refused
from portal.web.lists import keyset
from portal.web.pages import page, show
from promo_numbers.actions.stock import staff_only, stock_assign, stock_remove
from promo_numbers.choices import StockState
from promo_numbers.models import StockNumber
from promo_numbers.queries.orders import orders_open
from promo_numbers.queries.stock import area_page, holders, missing_count, stock_numbers

CRUMB = ("Promo numbers", "numbers:list")
_ASKED = ("area", "state", "q", "network", "missing")


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").strip() for name in _ASKED}


def _network_named(name: str) -> Network | None:
    return Network.objects.filter(name__iexact=name).first() if name else None


@page
def stock(request: HttpRequest) -> HttpResponse:
    """Area codes with their counts; with a filter the numbers themselves. Platform staff alone."""
    staff_only(user_of(request))
    asked = _asked(request)
    context: dict[str, Any] = {
        "asked": asked, "states": StockState.choices, "missing": missing_count(), "orders": list(orders_open()),
        "filtered": any(asked.values()),
    }  # fmt: skip
    if any(asked.values()):
        network = _network_named(asked["network"])
        rows = stock_numbers(
            area_code=asked["area"], state=asked["state"], search=asked["q"], network=network, missing=bool(asked["missing"])
        )  # fmt: skip
        if asked["network"] and network is None:
            rows = rows.none()
        found = keyset(rows, request.GET, order=("number",))
        held = holders([row.number for row in found])
        context |= {"page": found, "rows": [(row, held.get(row.number)) for row in found], "names": _names()}
    else:
        context |= {"page": area_page(after=request.GET.get("after", "")[:6], before=request.GET.get("before", "")[:6])}
    return show(
        request,
        "numbers/supply/stock.html",
        title="Stock of numbers",
        crumbs=[(CRUMB[0], reverse(CRUMB[1]))],
        **context,
    )


def _names(limit: int = 200) -> list[str]:
    """Names of networks, offered where one is chosen."""
    return list(Network.objects.order_by("name").values_list("name", flat=True)[:limit])


def _number_or_404(pk: int) -> StockNumber:
    row = StockNumber.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such number in the stock.")
    return row


def _back(row: StockNumber) -> HttpResponse:
    return redirect(f"{reverse('numbers:stock')}?area={row.area_code}" if row.area_code else reverse("numbers:stock"))


@page
@require_POST
def stock_take_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one free number out of the stock (POST); a bought one goes back to its supplier."""
    user = user_of(request)
    staff_only(user)
    row = _number_or_404(pk)
    try:
        stock_remove(by=user, numbers=[row])
    except Refused as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{row.number} is out of the stock.")
    return _back(row)


@page
@require_POST
def stock_give(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep one free number for a network, or (no name) for any (POST)."""
    user = user_of(request)
    staff_only(user)
    row = _number_or_404(pk)
    name = request.POST.get("network", "").strip()
    network = _network_named(name)
    if name and network is None:
        messages.error(request, f"There is no network “{name[:100]}”.")
        return _back(row)
    try:
        stock_assign(by=user, numbers=[row], network=network)
    except Refused as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{row.number} is kept for {network or 'any network'}.")
    return _back(row)
