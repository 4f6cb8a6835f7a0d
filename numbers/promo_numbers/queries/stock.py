"""The stock as platform staff see it: counts by area code, its numbers, and who holds what."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import connection
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


# From one area code to the next through the index, past all their numbers.
_CODES = """
WITH RECURSIVE page (code, place) AS (
    (SELECT s.area_code, 1 FROM numbers_stocknumber s WHERE {first} ORDER BY s.area_code {order} LIMIT 1)
    UNION ALL
    SELECT (SELECT s.area_code FROM numbers_stocknumber s WHERE s.area_code {beyond} page.code
            ORDER BY s.area_code {order} LIMIT 1), page.place + 1
    FROM page WHERE page.code IS NOT NULL AND page.place < %s
)
SELECT code FROM page WHERE code IS NOT NULL
"""


def _codes(first: str, given: list[str], count: int, *, backward: bool) -> list[str]:
    how = {"order": "DESC", "beyond": "<"} if backward else {"order": "ASC", "beyond": ">"}
    with connection.cursor() as cursor:
        cursor.execute(_CODES.format(first=first, **how), [*given, count])
        return [code for (code,) in cursor.fetchall()]


def area_page(*, after: str = "", before: str = "", size: int = PAGE_SIZE) -> Page:
    """A page of area codes with their counts, in their order. Three statements; only the page's own numbers are counted."""
    if before and not after:
        codes = _codes("s.area_code < %s", [before], size + 1, backward=True)
        has_previous, has_next, codes = len(codes) > size, bool(codes), codes[:size][::-1]
    else:
        first, given = ("s.area_code > %s", [after]) if after else ("true", [])
        codes = _codes(first, given, size + 1, backward=False)
        has_previous, has_next, codes = bool(after), len(codes) > size, codes[:size]
    rows = StockNumber.objects.filter(area_code__in=codes).order_by().values_list("area_code", "state")
    counts = {(code, state): count for code, state, count in rows.annotate(count=Count("pk"))}
    places = _places(codes)
    areas = [
        AreaRow(code, places.get(code, ""), *(counts.get((code, state), 0) for state in StockState.values))
        for code in codes
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
        if re.fullmatch(r"[2-9]\d\d", area_code):
            # The same said so that the index of numbers, in whose order they are shown, can be entered.
            rows = rows.filter(number__gte=f"+1{area_code}", number__lt=f"+1{area_code}:")
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
