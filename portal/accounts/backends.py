"""The authentication backend through which Django, the admin and templates ask about rights."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Model

from . import access


class RoleAndGrantBackend(ModelBackend):
    """Passwords as in Django; rights from `access`: roles per network and object grants, never model-wide permissions."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        """Whether `user_obj` has `perm` on `obj`.

        Without an object only platform staff have anything: a right in Headroom is always a right on something.
        """
        if not user_obj.is_active:
            return False
        if obj is None:
            return access.stands_above(user_obj)
        if not access.is_registered(type(obj)):
            return access.stands_above(user_obj)
        return access.may(user_obj, access.action_of(perm, type(obj)), obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return bool(user_obj.is_active)

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        if obj is None or not user_obj.is_active or not access.is_registered(type(obj)):
            return set()
        return {access.permission_name(reason.action, type(obj)) for reason in access.explain(user_obj, obj)}
