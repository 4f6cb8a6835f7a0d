"""One call, or a short list, placed with one request: a batch of its own that starts at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from outbound.choices import Reason, Refusal
from outbound.imports.reader import rows_of
from outbound.models import Batch
from outbound.secrets import dial_string_shown
from portal.accounts.models import Network, User
from portal.errors import Invalid

from .batches import batch_create
from .imports import Added, recipients_add
from .running import batch_start


def call_place(*, by: User | None, network: Network, call: dict[str, Any], **values: Any) -> tuple[Batch, Added]:
    """Make a batch of one person and start it. values: as for `batch_create`. Needs `change` and `operate`.

    Everything or nothing: a number that cannot be called, an address that does not answer 200, or a do-not-call entry
    leaves no batch behind. Raises Invalid, Conflict, NotAllowed.
    """
    return _placed(by, network, [call], values, single=True)


def calls_place(*, by: User | None, network: Network, csv: str, **values: Any) -> tuple[Batch, Added]:
    """The same with a list as text (its first row names the columns), up to OUTBOUND_ROWS_PER_REQUEST rows.

    Rows that cannot be taken are refused with their reason, the others are called.
    """
    rows = rows_of(lambda: [csv.encode()])
    _, header = next(rows, (0, []))
    calls = [dict(zip(header, row, strict=False)) for _line, row in rows]
    if not calls:
        raise Invalid("The list has no row below its header.", field="csv", code="empty")
    return _placed(by, network, calls, values, single=False)


def _placed(
    by: User | None, network: Network, calls: Sequence[Mapping[str, Any]], values: dict[str, Any], *, single: bool
) -> tuple[Batch, Added]:
    with transaction.atomic():
        batch = batch_create(by=by, network=network, **values)
        added = recipients_add(by=by, batch=batch, calls=list(calls))
        if single and (added.refused or added.suppressed):
            raise _why(batch, added)
        started = batch_start(by=by, batch=batch)
    refused = [{**one, "value": dial_string_shown(str(one["value"]))} for one in added.refused]
    return started.batch, Added(added.added, added.suppressed, refused)


def _why(batch: Batch, added: Added) -> Invalid:
    if added.refused:
        reason = Refusal(added.refused[0]["reason"])
        return Invalid(f"It cannot be called: {reason.label.lower()}.", field="phone_number", code=str(reason))
    one = batch.recipients.get()
    way_out = " Give its time_zone." if one.reason == Reason.UNKNOWN_ZONE else ""
    return Invalid(
        f"It will not be called: {one.get_reason_display()}.{way_out}", field="phone_number", code=one.reason
    )
