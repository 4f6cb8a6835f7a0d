"""The models of promo numbers; import them from here."""

from .agreements import Contract, LimitRequest, NumberDay
from .jobs import NumberImport, NumberImportRefusal, ReclaimProposal
from .numbers import CampaignNumbers, NetworkNumbers, PromoNumber
from .pools import Allocation, PoolMiss, PoolSlot, PoolUsage, RingPool
from .supply import NumberOrder, RollUpMark, StockNumber

__all__ = [
    "Allocation",
    "CampaignNumbers",
    "Contract",
    "LimitRequest",
    "NetworkNumbers",
    "NumberDay",
    "NumberImport",
    "NumberImportRefusal",
    "NumberOrder",
    "PoolMiss",
    "PoolSlot",
    "PoolUsage",
    "PromoNumber",
    "ReclaimProposal",
    "RingPool",
    "RollUpMark",
    "StockNumber",
]
