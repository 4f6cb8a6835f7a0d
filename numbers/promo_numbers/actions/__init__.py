"""The writes of promo numbers. One keyword-only function each; `by` is the user (None = the system).

Each checks the permission, takes its locks once (the network's counters first, then rows by primary key), re-checks,
writes, records an audit event, and queues tasks on commit. Refusals are `portal.errors`.
"""

from .allocation import Allocated, number_allocate
from .imports import import_cancel, import_run, import_start, imports_take_over, stock_range_add
from .limits import SENTENCE, LimitReached, campaign_limit_set, limits_reconcile, network_limits_set
from .numbers import dynamic_numbers_add, number_add, number_move, number_update, numbers_move, numbers_release
from .pools import (
    PoolWritten,
    ring_pool_archive,
    ring_pool_create,
    ring_pool_grow,
    ring_pool_shrink,
    ring_pool_update,
)
from .scaling import pool_scale, pools_clean, pools_forget, pools_scale, pools_sum_up

__all__ = [
    "SENTENCE",
    "Allocated",
    "LimitReached",
    "PoolWritten",
    "campaign_limit_set",
    "dynamic_numbers_add",
    "import_cancel",
    "import_run",
    "import_start",
    "imports_take_over",
    "limits_reconcile",
    "network_limits_set",
    "number_add",
    "number_allocate",
    "number_move",
    "number_update",
    "numbers_move",
    "numbers_release",
    "pool_scale",
    "pools_clean",
    "pools_forget",
    "pools_scale",
    "pools_sum_up",
    "ring_pool_archive",
    "ring_pool_create",
    "ring_pool_grow",
    "ring_pool_shrink",
    "ring_pool_update",
    "stock_range_add",
]
