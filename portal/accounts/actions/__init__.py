"""The writes of accounts: networks, users, members, groups (and API tokens in `tokens`).

One keyword-only function each, `<noun>_<verb>`; `by` is the user (None = the system). Each checks the right, locks the
network's row, writes, and records an audit event. Refusals are `portal.errors`.
"""

from .groups import group_create, group_delete, group_member_add, group_member_remove, group_rename
from .members import member_add, member_change_role, member_invite_again, member_remove
from .networks import CONTRACT as NETWORK_CONTRACT
from .networks import SETTINGS as NETWORK_SETTINGS
from .networks import network_create, network_update
from .users import user_create, user_update

__all__ = [
    "NETWORK_CONTRACT",
    "NETWORK_SETTINGS",
    "group_create",
    "group_delete",
    "group_member_add",
    "group_member_remove",
    "group_rename",
    "member_add",
    "member_change_role",
    "member_invite_again",
    "member_remove",
    "network_create",
    "network_update",
    "user_create",
    "user_update",
]
