"""Carriers behind one port (`port.CarrierPort`). `adapter_of` gives the adapter of a carrier's kind."""

from collections.abc import Callable

from outbound.choices import CarrierKind
from outbound.models import Carrier

from .port import CarrierPort
from .simulator import Simulator
from .twilio import Twilio

_ADAPTERS: dict[str, Callable[[Carrier], CarrierPort]] = {
    CarrierKind.SIMULATOR: Simulator,
    CarrierKind.TWILIO: Twilio,
}


def adapter_of(carrier: Carrier) -> CarrierPort:
    """A new adapter with connections of its own; close it after use."""
    return _ADAPTERS[carrier.kind](carrier)
