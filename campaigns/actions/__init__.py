"""The writes of campaigns. One keyword-only function each, `<noun>_<verb>`; `by` is the user (None = the system).

Each checks the permission, takes its locks once (the campaign first, then its rows by primary key), re-checks under
the lock, writes, records an audit event, and queues tasks on commit. Refusals are `portal.errors`.
"""

from .access import access_grant, access_revoke
from .advertiser_users import advertiser_user_remove, advertiser_user_set
from .advertisers import advertiser_create, advertiser_delete, advertiser_update
from .alerts import alerts_check
from .bundles import destination_add, destination_remove, destination_update
from .calls import (
    EVENTS,
    Routed,
    call_event,
    call_route,
    calls_allowed,
    live_counts_reconcile,
    periods_renew,
    slot_release,
    slots_sweep,
)
from .campaigns import (
    campaign_create,
    campaign_move_status,
    campaign_update,
    campaigns_pause_due,
    draft_discard,
    profile_compile,
)
from .caps import cap_clear, cap_set
from .flows import FlowAnswer, flow_begin, flow_heard, flow_step
from .hours import hours_roll_up
from .moves import call_move
from .prices import legs_price
from .usage import usage_set
from .voice import voice_account_remove, voice_account_set
from .voice_care import flows_forget, flows_reconcile, messages_send

__all__ = [
    "EVENTS",
    "FlowAnswer",
    "Routed",
    "access_grant",
    "access_revoke",
    "advertiser_create",
    "advertiser_delete",
    "advertiser_update",
    "advertiser_user_remove",
    "advertiser_user_set",
    "alerts_check",
    "call_event",
    "call_move",
    "call_route",
    "calls_allowed",
    "campaign_create",
    "campaign_move_status",
    "campaign_update",
    "campaigns_pause_due",
    "cap_clear",
    "cap_set",
    "destination_add",
    "destination_remove",
    "destination_update",
    "draft_discard",
    "flow_begin",
    "flow_heard",
    "flow_step",
    "flows_forget",
    "flows_reconcile",
    "hours_roll_up",
    "legs_price",
    "live_counts_reconcile",
    "messages_send",
    "periods_renew",
    "profile_compile",
    "slot_release",
    "slots_sweep",
    "usage_set",
    "voice_account_remove",
    "voice_account_set",
]
