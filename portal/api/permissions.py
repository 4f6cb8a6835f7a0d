"""Who may use the API of a network at all; rights on its objects are asked by the actions and querysets."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from portal.accounts import access
from portal.accounts.models import Network, User
from portal.accounts.tokens import Identity
from portal.errors import NotFound

from .authentication import check_write
from .errors import Unauthenticated

MAX_ID = 2**63 - 1


def check_network(user: User, network_id: int) -> None:
    """NotFound unless `user` has a role in the network or stands above all. Costs no query once his roles are read."""
    if network_id > MAX_ID or not (access.stands_above(user) or network_id in user.roles):
        raise NotFound("There is no such network.", field="network_id", code="unknown_network")


def network_get(user: User, network_id: int) -> Network:
    """The network, as it stands in the database now. Raises NotFound, also for one that the user has no role in."""
    check_network(user, network_id)
    network = Network.objects.filter(pk=network_id).first()
    if network is None:
        raise NotFound("There is no such network.", field="network_id", code="unknown_network")
    return network


class NetworkAccess(BasePermission):
    """Signed in; a read-only token only reads; and the network of the address is one of the user's."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            raise Unauthenticated("Send a token: Authorization: <token>.")
        identity = request.auth
        if isinstance(identity, Identity) and not getattr(view, "reads_only", False):
            check_write(identity, request.method)
        network_id = view.kwargs.get("network_id")
        if network_id is not None:
            view.network = network_get(request.user, network_id)  # type: ignore[attr-defined]
        return True
