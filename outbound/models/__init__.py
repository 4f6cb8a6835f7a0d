"""The tables of outbound."""

from .batch import Batch, BatchDoNotCall, BatchState, Pace
from .carrier import Carrier, CarrierState
from .delivery import ResultDelivery
from .imports import BatchImport, ImportChunk, ImportRejection
from .lists import DoNotCallEntry, DoNotCallList
from .recipient import Attempt, AttemptEvent, Recipient
from .schedule import Window, ZoneSet

__all__ = [
    "Attempt",
    "AttemptEvent",
    "Batch",
    "BatchDoNotCall",
    "BatchImport",
    "BatchState",
    "Carrier",
    "CarrierState",
    "DoNotCallEntry",
    "DoNotCallList",
    "ImportChunk",
    "ImportRejection",
    "Pace",
    "Recipient",
    "ResultDelivery",
    "Window",
    "ZoneSet",
]
