"""The writes of outbound. One keyword-only function each, `<noun>_<verb>`; `by` is the user (None = the system).

Each checks the permission, takes its locks once (recipients, attempts, then a batch's hot row), re-checks under the
lock, writes, records an audit event, and queues tasks on commit. Refusals are `portal.errors`.
"""

from .batches import batch_create, batch_delete, batch_update
from .calls import (
    Claimed,
    calls_claim,
    calls_hang_up,
    events_apply,
    hang_ups_keep,
    recipient_cancel,
    recipient_redial,
    silent_look,
)
from .care import batches_settle, beat, counters_reconcile, imports_sweep, waiting_drain
from .carriers import carrier_clear, carrier_create, carrier_update
from .deliveries import deliveries_send, delivery_replay, result_secret_renew
from .do_not_call import (
    do_not_call_add,
    do_not_call_list_create,
    do_not_call_list_delete,
    do_not_call_remove,
    recipient_opt_out,
)
from .imports import Added, import_cancel, import_create, import_run, recipients_add
from .running import (
    Halted,
    Started,
    batch_hang_up,
    batch_pause,
    batch_resume,
    batch_start,
    batch_stop,
    batch_unschedule,
)
from .windows import windows_keep

__all__ = [
    "Added",
    "Claimed",
    "Halted",
    "Started",
    "batch_create",
    "batch_delete",
    "batch_hang_up",
    "batch_pause",
    "batch_resume",
    "batch_start",
    "batch_stop",
    "batch_unschedule",
    "batch_update",
    "batches_settle",
    "beat",
    "calls_claim",
    "calls_hang_up",
    "carrier_clear",
    "carrier_create",
    "carrier_update",
    "counters_reconcile",
    "deliveries_send",
    "delivery_replay",
    "do_not_call_add",
    "do_not_call_list_create",
    "do_not_call_list_delete",
    "do_not_call_remove",
    "events_apply",
    "hang_ups_keep",
    "import_cancel",
    "import_create",
    "import_run",
    "imports_sweep",
    "recipient_cancel",
    "recipient_opt_out",
    "recipient_redial",
    "recipients_add",
    "result_secret_renew",
    "silent_look",
    "waiting_drain",
    "windows_keep",
]
