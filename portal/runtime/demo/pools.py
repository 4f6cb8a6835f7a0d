"""The demo's RingPools: one that is fine, one that grows by itself, one that is too small; each with a week behind it."""

import math
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.utils import timezone
from promo_numbers import actions
from promo_numbers.models import Allocation, PoolUsage, RingPool
from promo_numbers.queries.sizing import erlang_b

from campaigns.models import Campaign
from portal.accounts.models import Network

from .callers import liveliness

WINDOW = timedelta(minutes=5)
WEEK = 7 * 24 * 12


@dataclass(frozen=True)
class DemoPool:
    """A pool of a campaign; `visitors` come in its busiest hour."""

    id: str
    campaign: str
    name: str
    size: int
    lifetime: int
    visitors: int
    area_codes: tuple[str, ...]
    auto_scale: bool = False
    overflow: bool = True


POOLS = (
    DemoPool("home-services-site", "home-services", "homeservices.example", 24, 1800, 22, ("805", "303", "213")),
    DemoPool("solar-landing", "solar", "Solar landing pages", 12, 900, 36, ("480", "602"), auto_scale=True),
    DemoPool("insurance-quote", "insurance", "Quote form (too small)", 6, 1200, 24, ("614",), overflow=False),
)


def pools_load(network: Network) -> None:
    """Create the pools that are missing, each with a week of use behind it. Safe to repeat."""
    for demo in POOLS:
        if RingPool.objects.filter(network=network, id_from_network=demo.id).exists():
            continue
        campaign = Campaign.objects.select_related("network").get(network=network, id_from_network=demo.campaign)
        pool = actions.ring_pool_create(
            by=None, campaign=campaign, name=demo.name, id_from_network=demo.id, max_pool_size=demo.size,
            lifetime_seconds=demo.lifetime, allow_overflow=demo.overflow, auto_scale=demo.auto_scale,
            scale_max=2 * demo.size if demo.auto_scale else None, growth_percent=20, growth_ceiling=3,
            tn_prefix_whitelist=list(demo.area_codes), preferred=True, destination_phone_number=campaign.destination_phone_number,
        ).pool  # fmt: skip
        PoolUsage.objects.bulk_create(_week(pool, demo), batch_size=1000)


def _week(pool: RingPool, demo: DemoPool) -> list[PoolUsage]:
    """Five minutes by five minutes, as visitors come by the time of day: so many at once, so many turned away."""
    random = Random(demo.id)  # noqa: S311 - a past that never was
    now = timezone.now()
    last = now - timedelta(seconds=now.timestamp() % WINDOW.total_seconds())
    rows = []
    for step in range(WEEK, 0, -1):
        at = last - step * WINDOW
        hourly = demo.visitors * liveliness((at.hour - 5) % 24, 5)
        load = hourly * demo.lifetime / 3600
        # Many pages of a visit keep his number longer than his first lifetime.
        peak = min(demo.size, max(0, round(random.gauss(load * 1.2, math.sqrt(load + 0.1)))))
        coming = hourly / 12
        allocations = max(0, round(random.gauss(coming, math.sqrt(coming))))
        missed = 0
        if peak == demo.size:
            missed = max(0, round(random.gauss(coming * erlang_b(load * 1.2, demo.size) * 2, 0.5)))
        rows.append(PoolUsage(pool=pool, at=at, size=demo.size, peak=peak, allocations=allocations, exhausted=missed))
    return rows


def pools_remove(network: Network) -> None:
    """Take the network's RingPools away; their numbers are gone already."""
    pools = RingPool.objects.filter(network=network)
    Allocation.objects.filter(pool__in=pools.values("pk")).delete()
    pools.delete()
