"""The call list as CSV: streamed page by page, bounded, and harmless in a spreadsheet."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from campaigns.queries.calls import CallFilter, CallRow, call_list
from portal.accounts.models import Network, User

MAX_ROWS = 100_000
CHUNK = 1000
# A filter that fits almost nothing would otherwise read the whole table on one request.
MAX_CHUNKS = 250
HEADINGS = (
    "transaction_id", "started_at", "caller", "caller_place", "promo_number", "campaign_called", "destination", "outcome",
    "state", "talk_seconds", "reason", "over_cap", "external_id",
)  # fmt: skip


def safe(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe. E.164 stays as it is."""
    text = "" if value is None else str(value)
    if text.startswith("+") and text[1:].isascii() and text[1:].isdecimal():
        return text
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r", "\n") else text


def file_name(network: Network) -> str:
    """`calls-2026-11-01-1430.csv`, by the network's clock."""
    return f"calls-{timezone.now().astimezone(ZoneInfo(network.time_zone)):%Y-%m-%d-%H%M}.csv"


class _Echo:
    """What csv writes to; gives each line back."""

    def write(self, line: str) -> str:
        return line


def _cells(row: CallRow, zone: ZoneInfo) -> list[str]:
    call = row.call
    started: datetime = call.started_at.astimezone(zone)
    return [
        safe(value)
        for value in (
            call.transaction_id, started.isoformat(timespec="seconds"), call.caller or call.caller_given or "withheld",
            row.place, call.promo_number if row.whole else "", row.campaign or "", row.destination or "",
            call.get_outcome_display(), row.state, "" if row.talked is None else int(row.talked), row.reason,
            "yes" if row.leg and row.leg.over_cap else "", (call.external_id or "") if row.whole else "",
        )
    ]  # fmt: skip


def export_lines(*, user: User, network: Network, filters: CallFilter) -> Iterator[str]:
    """The lines of the file, at most `MAX_ROWS` calls; where it stops early the last line says so."""
    writer = csv.writer(_Echo())
    zone = ZoneInfo(network.time_zone)
    yield writer.writerow(HEADINGS)
    after, count = None, 0
    for _chunk in range(MAX_CHUNKS):
        page = call_list(user=user, network=network, filters=filters, after=after, size=min(CHUNK, MAX_ROWS - count))
        for row in page:
            yield writer.writerow(_cells(row, zone))
        count += len(page)
        after = page.after
        if after is None:
            return
        if count >= MAX_ROWS:
            break
    yield writer.writerow([f"Stopped after {count} calls: narrow the filter for the rest."])
