"""The stock as platform staff see it: counts by area code, its numbers, and who holds what."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from campaigns.models import AreaPrefix
from portal.accounts.models import Network
from portal.web.lists import PAGE_SIZE, Page
from promo_numbers.choices import NumberState, StockState
from promo_numbers.models import PromoNumber, StockNumber


@dataclass(frozen=True)
class AreaRow:
    """One area code of the stock. code empty: numbers outside North America."""

    code: str
    place: str
    free: int
    used: int
    resting: int
    gone: int


_COUNTS = {state: Count("pk", filter=Q(state=state)) for state in StockState.values}


def area_page(*, after: str = "", before: str = "", size: int = PAGE_SIZE) -> Page:
    """A page of area codes with their counts, in their order. Two statements; only the page's own rows are counted."""
    rows: QuerySet[StockNumber, dict[str, Any]] = StockNumber.objects.order_by().values("area_code")  # type: ignore[assignment]
    rows = rows.annotate(**_COUNTS)
    if before and not after:
        found = list(rows.filter(area_code__lt=before).order_by("-area_code")[: size + 1])
        more, found = len(found) > size, found[:size][::-1]
        has_previous, has_next = more, bool(found)
    else:
        found = list((rows.filter(area_code__gt=after) if after else rows).order_by("area_code")[: size + 1])
        has_previous, has_next = bool(after), len(found) > size
        found = found[:size]
    places = _places([row["area_code"] for row in found])
    areas = [
        AreaRow(row["area_code"], places.get(row["area_code"], ""), *(row[state] for state in StockState.values))
        for row in found
    ]
    return Page(
        areas,
        after=areas[-1].code if areas and has_next else None,
        before=areas[0].code if areas and has_previous else None,
    )


def _places(codes: list[str]) -> dict[str, str]:
    """{area code: its state}."""
    prefixes = AreaPrefix.objects.filter(prefix__in=[f"1{code}" for code in codes if code])
    return {
        row.prefix[1:]: ", ".join(part for part in (row.city, row.state) if part) or row.country for row in prefixes
    }


def stock_numbers(
    *, area_code: str = "", state: str = "", search: str = "", network: Network | None = None, missing: bool = False
) -> QuerySet[StockNumber]:
    """Numbers of the stock, to be ordered by number and cut by `keyset`. Unknown values ask nothing."""
    rows = StockNumber.objects.select_related("network")
    if area_code:
        rows = rows.filter(area_code=area_code)
    if state in StockState.values:
        rows = rows.filter(state=state)
    if digits := "".join(sign for sign in search if sign.isascii() and sign.isdigit()):
        rows = rows.filter(
            Q(number__gte=f"+{digits}", number__lt=f"+{digits}:")
            | Q(number__gte=f"+1{digits}", number__lt=f"+1{digits}:")
        )
    if network is not None:
        rows = rows.filter(network=network)
    return rows.filter(missing_since__isnull=False) if missing else rows


def holders(numbers: list[str]) -> dict[str, PromoNumber]:
    """Who has each of a page's numbers in use. One statement."""
    rows = PromoNumber.objects.filter(number__in=numbers, state=NumberState.ACTIVE)
    return {row.number: row for row in rows.select_related("campaign", "network", "ring_pool")}


def missing_count() -> dict[str, Any]:
    """How many numbers suppliers do not know any more: {"missing", "in_use"}."""
    rows = StockNumber.objects.filter(missing_since__isnull=False)
    return rows.aggregate(missing=Count("pk"), in_use=Count("pk", filter=Q(state=StockState.USED)))
