"""Which supplier serves a network. The stock comes first, always; a remote one sells what the stock does not have."""

from collections.abc import Callable

from django.conf import settings

from portal.accounts.models import Network

from .port import Supplier
from .twilio import TwilioNumbers

_MAKERS: dict[str, Callable[[], Supplier]] = {TwilioNumbers.name: TwilioNumbers}


def supplier_named(name: str) -> Supplier | None:
    """The remote supplier of that name, with the credentials of the settings; None for the stock and for unknown ones."""
    maker = _MAKERS.get(name)
    return maker() if maker is not None else None


def remote_of(network: Network) -> str:
    """The name of the remote supplier that sells to the network; empty = none does."""
    name = settings.PROMO_NUMBER_SUPPLIER
    only = settings.PROMO_NUMBER_SUPPLIER_NETWORKS
    return name if name in _MAKERS and (not only or network.pk in only) else ""


def remote_names() -> list[str]:
    """Every remote supplier that there is."""
    return list(_MAKERS)


def remotes_in_use() -> list[str]:
    """Those that may be asked: with credentials."""
    return [TwilioNumbers.name] if settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN else []
