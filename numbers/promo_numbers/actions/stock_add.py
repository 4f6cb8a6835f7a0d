"""Adding a number of the stock in one statement: what most adds are, and what a hot network's counters are held for."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from campaigns.models import Campaign
from portal.accounts.models import User
from portal.audit.actions import event_of
from portal.durable import make_durable
from portal.prepared import one
from promo_numbers.models import PromoNumber
from promo_numbers.suppliers import Wanted

_ADD = "SELECT id, number, supplier, created_at FROM numbers_add(%s, %s, %s, %s::text[], %s, %s, %s, %s, %s)"
_COLUMNS = (
    "actor_id",
    "token_id",
    "event",
    "object_type",
    "object_id",
    "object_label",
    "changes",
    "reason",
    "request_id",
)


def number_of_stock_add(
    *, by: User | None, campaign: Campaign, wishes: Iterable[Wanted], values: dict[str, Any], changes: dict[str, Any]
) -> PromoNumber | None:
    """Add the first number that the stock has as one of `wishes`, in their order. None, with nothing written, if it has none.

    The caller has checked right and values, and turns a broken limit into its refusal. values: description, media_type,
    promo_type, custom_data, extra; changes: what the audit line says besides the number. Outside a transaction the
    network's counters are let go before the disk has them, and the number is durable when this returns.
    """
    event = event_of(event="number.add", obj=campaign, by=by, network=campaign.network, changes=changes)
    line = Jsonb({name: getattr(event, name) for name in _COLUMNS})
    made = PromoNumber(network_id=campaign.network_id, campaign=campaign, **values)
    kept = Jsonb({
        name: getattr(made, name) for name in ("description", "media_type", "promo_type", "custom_data", "extra")
    })  # fmt: skip
    early = not connection.in_atomic_block
    for wanted in wishes:
        found = one(
            _ADD,
            (
                campaign.network_id, campaign.pk, wanted.kind, list(wanted.area_codes) or None, wanted.locality or None,
                wanted.region or None, kept, line, early,
            ),
        )  # fmt: skip
        if found is not None:
            made.pk, made.number, made.supplier, made.created_at = found
            made._state.adding, made._state.db = False, connection.alias
            if early:
                make_durable()
            return made
    return None
