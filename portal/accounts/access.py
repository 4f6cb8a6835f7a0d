"""Who may do what: roles per network and object grants meet here and nowhere else.

An app registers each of its models with the way to its network, the least role that each action needs, and the
objects on which a grant may give the action instead. Then:

- `may(user, action, obj)` answers for one object (and is what the authentication backend asks);
- `restrict(queryset, user, action)` keeps only the rows on which `user` may do `action`;
- `require(user, action, obj)` raises `NotAllowed` naming the permission;
- `explain(user, obj)` says for each action whether, and why (role, grant, group).

Rules (design, section 4): platform staff may do everything; any grant on an object lets its holder see it; a grant on
an advertiser holds for all its campaigns (their `Access.grants` names both paths).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Model, Q, QuerySet
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from portal.errors import NotAllowed, NotFound

from .models import Network, User
from .roles import Role

# The actions that can be granted on an advertiser or a campaign, in the order in which pages list them.
GRANTABLE = ("view", "change", "change_budget_caps", "operate", "manage_numbers", "manage_access")

# What a role allows on the network itself. Limits, contracts and packages are for platform staff alone: no role.
NETWORK_ROLES: dict[str, Role] = {
    "view": Role.LIMITED,
    "view_members": Role.OBSERVER,
    "view_audit": Role.MANAGER,
    "change": Role.SUPER,
    "manage_members": Role.SUPER,
}


@dataclass(frozen=True)
class GrantPath:
    """Objects whose grants count for a model: `path` leads from the model to the id of `model` ("pk" for itself)."""

    path: str
    model: type[Model]


@dataclass(frozen=True)
class Access:
    """How rights on a model are found. `network` leads to its network's id; `roles` is action -> least role.

    grants: the nearest object that carries grants first, then what that one belongs to.
    """

    network: str
    roles: dict[str, Role]
    grants: tuple[GrantPath, ...] = field(default=())


_registry: dict[type[Model], Access] = {}

# Up to so many granted objects are named in a statement one by one.
MOST_NAMED = 1000


def register(model: type[Model], access: Access) -> None:
    """Declare how rights on `model` are found; called from the app's `ready()`."""
    _registry[model] = access


def access_of(model: type[Model]) -> Access:
    """The registered access of `model` (or of the model that it is a proxy of)."""
    concrete = model._meta.concrete_model or model
    return _registry[concrete]


def is_registered(model: type[Model]) -> bool:
    return (model._meta.concrete_model or model) in _registry


def codename(action: str, model: type[Model]) -> str:
    """The Django permission codename of `action` on `model`: view, add, change, delete carry the model's name."""
    concrete = model._meta.concrete_model or model
    return f"{action}_{concrete._meta.model_name}" if action in ("view", "add", "change", "delete") else action


def action_of(permission: str, model: type[Model]) -> str:
    """The reverse: `campaigns.view_campaign` -> `view`."""
    name = permission.rpartition(".")[2]
    concrete = model._meta.concrete_model or model
    return name.removesuffix(f"_{concrete._meta.model_name}")


def permission_name(action: str, model: type[Model]) -> str:
    """The full name that refusals state, such as `campaigns.change_budget_caps`."""
    return f"{model._meta.app_label}.{codename(action, model)}"


def networks_with(user: User, least: Role) -> list[int]:
    """Ids of the networks in which `user` has at least the role `least`."""
    return [network_id for network_id, role in user.roles.items() if role >= least]


def stands_above(user: User) -> bool:
    """Platform staff stand above networks (design, section 4)."""
    return user.is_active and (user.is_platform_staff or user.is_superuser)


def grant_tables(model: type[Model]) -> tuple[Any, Any]:
    """The guardian tables (of users, of groups) that hold the grants on `model`."""
    return get_user_obj_perms_model(model), get_group_obj_perms_model(model)  # type: ignore[arg-type]


def grant_tables_of_users() -> list[tuple[Any, str]]:
    """Every table of grants to users, each with the way from its rows to the network's id."""
    models = {grant.model for access in _registry.values() for grant in access.grants}
    return [
        (grant_tables(model)[0], f"content_object__{access_of(model).network}")
        for model in sorted(models, key=lambda model: model._meta.label)
    ]


def _granted(user: User, grant: GrantPath, action: str) -> list[QuerySet]:
    """Subqueries of the ids of `grant.model` on which `user`, himself or through a group, was granted `action`."""
    wanted = Q() if action == "view" else Q(permission__codename=codename(action, grant.model))
    users, groups = grant_tables(grant.model)
    return [
        users.objects.filter(wanted, user=user).values("content_object_id"),
        groups.objects.filter(wanted, group__user=user).values("content_object_id"),
    ]


def restrict(queryset: QuerySet, user: Any, action: str = "view") -> QuerySet:
    """Keep the rows of `queryset` on which `user` may do `action`.

    No duplicates: rows of networks where his role suffices, or whose nearest object stands among his grants. One statement;
    for a user who has grants alone one more, now, which asks for their ids. An unknown action, an anonymous or inactive user: no rows.
    """
    if not user.is_authenticated or not user.is_active:
        return queryset.none()
    if stands_above(user):
        return queryset
    access = access_of(queryset.model)
    least = access.roles.get(action)
    allowed = Q(**{f"{access.network}__in": networks_with(user, least)}) if least is not None else Q(pk__in=[])
    if action in GRANTABLE and access.grants:
        ids: Any = _granted_ids(user, access.grants, action)
        if least is None or not networks_with(user, least):
            # Whoever sees by grants alone sees few. PostgreSQL believes in many as long as it has not counted, and walks.
            few = [pk for row in ids[: MOST_NAMED + 1] for pk in row.values()]
            ids = few if 0 < len(few) <= MOST_NAMED else ids
        # A grant counts only while its holder still belongs to the network: leaving it takes everything away.
        granted = Q(**{f"{access.grants[0].path}__in": ids})
        allowed |= granted & Q(**{f"{access.network}__in": list(user.roles)})
    return queryset.filter(allowed)


def _granted_ids(user: User, grants: tuple[GrantPath, ...], action: str) -> QuerySet:
    """Ids of the nearest model on which `user` was granted `action`, on itself or on what it belongs to.

    One union instead of one condition per kind of grant joined by OR: PostgreSQL can then begin with the few that were
    granted; with an OR it walks over everything there is and looks each up.
    """
    near, *above = grants
    found = _granted(user, near, action)
    ways = {way.model: way.path for way in access_of(near.model).grants}
    for grant in above:
        objects = near.model._default_manager.order_by()
        found += [
            objects.filter(**{f"{ways[grant.model]}__in": ids}).values("pk") for ids in _granted(user, grant, action)
        ]
    return found[0].union(*found[1:], all=True)


# Below, an object's model is its `__class__`, not its `type()`: a request's network is a lazy proxy of one.


def _value(obj: Model, path: str) -> Any:
    value: Any = obj
    for part in path.split("__"):
        value = getattr(value, part)
    return value


def may(user: Any, action: str, obj: Model) -> bool:
    """Whether `user` may do `action` on `obj`. At most one query, and none where the role suffices.

    Never call it in a loop over a list: use `restrict`, or `explain_many` for a page of rows.
    """
    if not user.is_authenticated or not user.is_active:
        return False
    if stands_above(user):
        return True
    access = access_of(obj.__class__)
    network_id = _value(obj, access.network)
    role = user.roles.get(network_id)
    if role is None:
        return False
    least = access.roles.get(action)
    if least is not None and role >= least:
        return True
    if action not in GRANTABLE or not access.grants:
        return False
    subqueries = [
        subquery.filter(content_object_id=_value(obj, grant.path))
        for grant in access.grants
        for subquery in _granted(user, grant, action)
    ]
    return subqueries[0].union(*subqueries[1:], all=True).exists() if len(subqueries) > 1 else subqueries[0].exists()


def require(user: Any, action: str, obj: Model) -> None:
    """Raise `NotAllowed` (403, naming the permission and who has it) unless `user` may do `action` on `obj`.

    `user=None` is the system itself (a task, the sweeper) and always may. Who may not even see the object gets
    `NotFound` (404), whose words do not betray it.
    """
    if user is None or may(user, action, obj):
        return
    if action == "view" or not may(user, "view", obj):
        raise not_seen(obj.__class__)
    raise not_allowed(action, obj)


def not_seen(model: type[Model]) -> NotFound:
    """The refusal of whoever may not even see the object."""
    return NotFound(f"There is no such {model._meta.verbose_name}.")


def not_allowed(action: str, obj: Model) -> NotAllowed:
    """The refusal of whoever sees `obj` and lacks `action`: for those who asked by `restrict`, many objects at once."""
    permission = permission_name(action, obj.__class__)
    return NotAllowed(
        f"You need the permission {permission} on “{obj}”. {who_may(action, obj.__class__)}", permission=permission
    )


def who_may(action: str, model: type[Model]) -> str:
    """One sentence: which role has `action`, and whether a grant can give it."""
    access = access_of(model)
    least = access.roles.get(action)
    if least is None:
        return "Only platform staff have it."
    above = "" if least == Role.SUPER else " and above"
    ladder = f"The role {least.label}{above} has it on the whole network"
    if action in GRANTABLE and access.grants:
        return f"{ladder}; whoever manages access here can grant it on this object alone."
    return f"{ladder}."


@dataclass(frozen=True)
class Reason:
    """Why a user holds an action: `kind` is platform, role, grant or group grant; `text` says it."""

    action: str
    kind: str
    text: str


def grants_on(obj: Model) -> Iterable[tuple[GrantPath, Model, Any]]:
    """The registered grant paths of `obj`, each with the object that it leads to."""
    for grant in access_of(obj.__class__).grants:
        target = obj if grant.path == "pk" else _value(obj, grant.path.removesuffix("_id"))
        yield grant, target, target.pk


def explain(user: User, obj: Model) -> list[Reason]:
    """Every reason for which `user` holds any grantable action on `obj`, strongest first. A handful of queries."""
    if not user.is_active:
        return []
    if stands_above(user):
        return [Reason(action, "platform", "Platform staff") for action in GRANTABLE]
    access = access_of(obj.__class__)
    role = user.roles.get(_value(obj, access.network))
    if role is None:
        return []
    reasons = [
        Reason(action, "role", f"Role {Role(role).label}")
        for action in GRANTABLE
        if (least := access.roles.get(action)) is not None and role >= least
    ]
    for grant, target, pk in grants_on(obj):
        kind = grant.model._meta.verbose_name
        where = "here" if target is obj else f"on the {kind} “{target}”"
        user_table, group_table = grant_tables(grant.model)
        users = user_table.objects.filter(user=user, content_object_id=pk)
        groups = group_table.objects.filter(group__user=user, content_object_id=pk)
        for row in users.select_related("permission"):
            reasons.append(Reason(action_of(row.permission.codename, grant.model), "grant", f"Granted {where}"))
        for row in groups.select_related("permission", "group__networkgroup"):
            label = getattr(row.group, "networkgroup", row.group)
            reasons.append(
                Reason(
                    action_of(row.permission.codename, grant.model),
                    "group grant",
                    f"Granted {where} to the group “{label}”",
                )
            )
    return reasons


def permission_of(action: str, model: type[Model]) -> Permission:
    """The Permission row behind a grantable action on `model`."""
    return Permission.objects.get(
        content_type__app_label=model._meta.app_label,
        content_type__model=model._meta.model_name,
        codename=codename(action, model),
    )


def network_of(obj: Model) -> Network:
    """The network that `obj` belongs to."""
    access = access_of(obj.__class__)
    if access.network == "pk":
        return obj  # type: ignore[return-value]
    return _value(obj, access.network.removesuffix("_id"))
