"""Who may do what on an advertiser or a campaign, and why: the rows of its Access page.

Rights themselves are `portal.accounts.access`; this reads them for a page of people at once, with the same rules, in a
number of statements that does not grow with the rows (a test compares every cell with `access.may`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from campaigns.models import Advertiser, Campaign
from portal.accounts import access
from portal.accounts.models import Membership, NetworkGroup, User
from portal.accounts.roles import Role

LABELS = {
    "view": "View",
    "change": "Change",
    "change_budget_caps": "Budget and call caps",
    "operate": "Go live, pause, release",
    "manage_numbers": "Numbers",
    "manage_access": "Manage access",
}


@dataclass
class Cell:
    """One action of one person or group. `reasons` are in words; `here` says that this very object carries a grant,
    which is what can be taken away here; `settled` that a role or platform staff gives it, so no grant is needed."""

    action: str
    reasons: list[str] = field(default_factory=list)
    here: bool = False
    settled: bool = False

    @property
    def label(self) -> str:
        return LABELS[self.action]

    @property
    def allowed(self) -> bool:
        return bool(self.reasons)


@dataclass
class Row:
    """A member or a group of the network with a cell per grantable action."""

    subject: User | NetworkGroup
    kind: str
    note: str
    cells: list[Cell]
    may_receive: bool = True

    @property
    def key(self) -> str:
        """How the page's forms name it."""
        return f"{self.kind}:{self.subject.pk}"


def _where(obj: Advertiser | Campaign, target: Any) -> str:
    return "here" if target is obj else f"on the advertiser “{target}”"


def _cell_for(cells: dict[str, Cell], codename: str, model: Any, text: str, *, here: bool) -> None:
    """Add a grant to its cell. Any grant lets its holder see the object."""
    action = access.action_of(codename, model)
    if action in cells:
        cells[action].reasons.append(text)
        cells[action].here = cells[action].here or here
    if action != "view" and not cells["view"].reasons:
        cells["view"].reasons.append(f"With “{LABELS.get(action, action)}”")


def _note(member: Membership) -> str:
    return Role(member.role).name.title() if member.user.is_active else "Account closed"


def access_of_members(obj: Advertiser | Campaign, members: Iterable[Membership]) -> list[Row]:
    """The rows of members (with their users at hand): role, own grants, grants through groups."""
    members = list(members)
    roles = access.access_of(type(obj)).roles
    rows = {member.user_id: {action: Cell(action) for action in access.GRANTABLE} for member in members}
    for member in members:
        for action, cell in rows[member.user_id].items():
            least = roles.get(action)
            if access.stands_above(member.user):
                cell.reasons.append("Platform staff")
            elif member.user.is_active and least is not None and member.role >= least:
                cell.reasons.append(f"Role {Role(member.role).name.title()}")
            cell.settled = cell.allowed
    active = {member.user_id for member in members if member.user.is_active}
    for grant, target, pk in access.grants_on(obj):
        user_table, group_table = access.grant_tables(grant.model)
        own = user_table.objects.filter(user_id__in=active, content_object_id=pk)
        for user_id, codename in own.values_list("user_id", "permission__codename"):
            _cell_for(rows[user_id], codename, grant.model, f"Granted {_where(obj, target)}", here=target is obj)
        groups = group_table.objects.filter(group__user__in=active, content_object_id=pk)
        through = groups.values_list("group__user", "permission__codename", "group__networkgroup__label")
        for user_id, codename, label in through:
            text = f"Group “{label}”, granted {_where(obj, target)}"
            _cell_for(rows[user_id], codename, grant.model, text, here=False)
    return [
        Row(member.user, "member", _note(member), list(rows[member.user_id].values()), member.user.is_active)
        for member in members
    ]


def access_of_groups(obj: Advertiser | Campaign, groups: Iterable[NetworkGroup]) -> list[Row]:
    """The rows of groups: what is granted to each."""
    groups = list(groups)
    rows: dict[int, dict[str, Cell]] = defaultdict(lambda: {action: Cell(action) for action in access.GRANTABLE})
    for grant, target, pk in access.grants_on(obj):
        table = access.grant_tables(grant.model)[1]
        found = table.objects.filter(group_id__in=[group.pk for group in groups], content_object_id=pk)
        for group_id, codename in found.values_list("group_id", "permission__codename"):
            _cell_for(rows[group_id], codename, grant.model, f"Granted {_where(obj, target)}", here=target is obj)
    return [Row(group, "group", "Group", list(rows[group.pk].values())) for group in groups]


def grantable_by(user: Any, obj: Advertiser | Campaign) -> list[str]:
    """The actions that `user` may give and take on `obj`: those that he holds, if he manages access there."""
    roles = access.access_of(type(obj)).roles
    if access.stands_above(user) or user.roles.get(obj.network_id, -1) >= max(roles[each] for each in access.GRANTABLE):
        return list(access.GRANTABLE)
    held = {reason.action for reason in access.explain(user, obj)}
    if held:
        held.add("view")
    return [action for action in access.GRANTABLE if action in held] if "manage_access" in held else []
