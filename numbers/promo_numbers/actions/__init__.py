"""The writes of promo numbers. One keyword-only function each; `by` is the user (None = the system).

Each checks the permission, takes its locks once (the network's counters first, then rows by primary key), re-checks,
writes, records an audit event, and queues tasks on commit. Refusals are `portal.errors`.
"""

from .limits import SENTENCE, LimitReached, campaign_limit_set, limits_reconcile, network_limits_set
from .numbers import dynamic_numbers_add, number_add, number_move, number_update, numbers_move, numbers_release

__all__ = [
    "SENTENCE",
    "LimitReached",
    "campaign_limit_set",
    "dynamic_numbers_add",
    "limits_reconcile",
    "network_limits_set",
    "number_add",
    "number_move",
    "number_update",
    "numbers_move",
    "numbers_release",
]
