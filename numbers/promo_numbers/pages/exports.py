"""Numbers and refused rows as CSV: streamed in chunks, and harmless in a spreadsheet."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from campaigns.pages.call_export import safe
from portal.accounts.models import Network
from promo_numbers.actions.import_rows import REFUSAL_COLUMNS
from promo_numbers.models import NumberImport, PromoNumber
from promo_numbers.queries.imports import refusals

CHUNK = 1000
MAX_ROWS = 250_000
# The first ones are those of an import, so that a file can be sent again for another network.
NUMBER_HEADINGS = (
    "campaign", "description", "media_type", "number", "promo_type", "id_from_network", "custom_data", "campaign_name",
    "ring_pool", "state", "added_at", "last_called_on",
)  # fmt: skip


class _Echo:
    """What csv writes to; gives each line back."""

    def write(self, line: str) -> str:
        return line


def csv_response(rows: Iterator[list[str]], name: str) -> StreamingHttpResponse:
    """Rows of cells as a file to be saved, sent while it is made."""
    writer = csv.writer(_Echo())
    response = StreamingHttpResponse((writer.writerow(row) for row in rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def stamped(what: str, network: Network | None) -> str:
    """`numbers-2026-11-01-1430.csv`, by the network's clock."""
    now = timezone.now().astimezone(ZoneInfo(network.time_zone if network else "UTC"))
    return f"{what}-{now:%Y-%m-%d-%H%M}.csv"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def number_rows(rows: QuerySet[PromoNumber], network: Network) -> Iterator[list[str]]:
    """The numbers of a list, newest first, at most `MAX_ROWS`; where it stops early the last line says so."""
    zone = ZoneInfo(network.time_zone)
    yield list(NUMBER_HEADINGS)
    before, count = None, 0
    while True:
        chunk = list((rows if before is None else rows.filter(pk__lt=before)).order_by("-id")[:CHUNK])
        for row in chunk:
            yield [
                safe(value)
                for value in (
                    row.campaign.id_from_network, row.description, row.media_type, row.number, row.promo_type,
                    row.id_from_network, json.dumps(row.custom_data, ensure_ascii=False) if row.custom_data else "",
                    row.campaign.name, row.ring_pool.name if row.ring_pool else "", row.get_state_display(),
                    _time(row.created_at, zone), row.last_called_on or "",
                )
            ]  # fmt: skip
        count += len(chunk)
        if len(chunk) < CHUNK:
            return
        if count >= MAX_ROWS:
            yield [f"Stopped after {count} numbers: narrow the filter for the rest."]
            return
        before = chunk[-1].pk


def refusal_rows(job: NumberImport) -> Iterator[list[str]]:
    """The refused rows of an import: line, code and reason, then the row as it was, to be mended and sent again."""
    after, columns = 0, None
    while True:
        chunk = list(refusals(job).filter(line__gt=after).order_by("line")[:CHUNK])
        for refusal in chunk:
            cells = json.loads(refusal.row)
            if columns is None:
                columns = [name for name in cells if name not in REFUSAL_COLUMNS]
                yield [*REFUSAL_COLUMNS, *(safe(name) for name in columns)]
            yield [
                str(refusal.line), refusal.code, safe(refusal.reason), *(safe(cells.get(name, "")) for name in columns)
            ]  # fmt: skip
        if len(chunk) < CHUNK:
            return
        after = chunk[-1].line
