"""The writes of promo numbers. One keyword-only function each; `by` is the user (None = the system).

Each checks the permission, takes its locks once (the network's counters first, then rows by primary key), re-checks,
writes, records an audit event, and queues tasks on commit. Refusals are `portal.errors`.
"""

from .imports import import_cancel, import_run, import_start, imports_take_over, stock_range_add
from .limits import SENTENCE, LimitReached, campaign_limit_set, limits_reconcile, network_limits_set
from .numbers import dynamic_numbers_add, number_add, number_move, number_update, numbers_move, numbers_release

__all__ = [
    "SENTENCE",
    "LimitReached",
    "campaign_limit_set",
    "dynamic_numbers_add",
    "import_cancel",
    "import_run",
    "import_start",
    "imports_take_over",
    "limits_reconcile",
    "network_limits_set",
    "number_add",
    "number_move",
    "number_update",
    "numbers_move",
    "numbers_release",
    "stock_range_add",
]
