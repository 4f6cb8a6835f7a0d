"""What the benchmarks route through: bundles with destinations, and a past."""

from dataclasses import dataclass
from decimal import Decimal

from campaigns.callers import prefix_range
from campaigns.choices import CampaignStatus, CampaignType, CapKind, Distribution, ResetPeriod
from campaigns.hours import DAY
from campaigns.models import Advertiser, BundleDestination, Campaign, Cap, RoutingProfile
from portal.accounts.models import Network

from .services import execute

# Every destination is open and every caller in its region, but both are looked up as for any other.
HOURS = [(day * DAY, day * DAY + DAY) for day in range(7)]
AREA_CODES = range(200, 1000, 8)
REGIONS = [prefix_range(f"1{code}") for code in AREA_CODES]
PAYOUT = Decimal("12.5000")


@dataclass(frozen=True)
class Bundles:
    """Bundles with consecutive ids, all alike."""

    network: Network
    first: int
    count: int


def network_make() -> Network:
    """The network that all benchmark campaigns belong to."""
    return Network.objects.create(name="Benchmark", call_fee_per_minute=Decimal("0.04"))


def bundles_make(
    network: Network, *, bundles: int, destinations: int, cap: int | None, distribution: str = Distribution.WEIGHTED
) -> Bundles:
    """`bundles` bundles of as many destinations of their own, each with a concurrent cap; every fourth with a budget,
    every fourth with a daily call cap. Weighted random, one priority, repeat callers preferred."""
    advertiser, _ = Advertiser.objects.get_or_create(
        network=network, id_from_network="bench", defaults={"name": "Bench"}
    )
    start = Campaign.objects.count()

    def campaign(index: int, kind: str, **values: object) -> Campaign:
        return Campaign(
            network=network, advertiser=advertiser, id_from_network=f"bench-{start + index}", name=f"Bench {start + index}",
            campaign_type=kind, status=CampaignStatus.LIVE, payout=PAYOUT, **values,
        )  # fmt: skip

    hubs = Campaign.objects.bulk_create(
        campaign(i, CampaignType.BUNDLED, distribution=distribution, repeat_caller=True) for i in range(bundles)
    )
    children = Campaign.objects.bulk_create(
        [campaign(bundles + i, CampaignType.DIRECT_ONLY, operating_24_7=False) for i in range(bundles * destinations)],
        batch_size=1000,
    )
    RoutingProfile.objects.bulk_create(
        [
            RoutingProfile(
                campaign=child, routable=True, status=CampaignStatus.LIVE, time_zone="America/Denver", hours=HOURS,
                regions=REGIONS, payout=PAYOUT,
            )
            for child in children
        ],
        batch_size=200,
    )  # fmt: skip
    period = {"reset_period": ResetPeriod.MONTHLY, "starts_at": "2026-01-01", "time_zone": "America/Denver"}
    caps = [Cap(campaign=child, kind=CapKind.CONCURRENT_CALLS, amount=cap) for child in children if cap is not None]
    for index, child in enumerate(children):
        if index % 4 == 0:
            caps.append(
                Cap(
                    campaign=child, kind=CapKind.BUDGET, amount=10**11, currency="USD", include_call_fees=True, **period
                )
            )
        elif index % 4 == 1:
            caps.append(Cap(campaign=child, kind=CapKind.PERIODIC_CALLS, amount=10**9, **period))
    Cap.objects.bulk_create(caps, batch_size=1000)
    BundleDestination.objects.bulk_create(
        [BundleDestination(bundle=hubs[i // destinations], destination=child) for i, child in enumerate(children)],
        batch_size=1000,
    )
    assert hubs[-1].pk - hubs[0].pk == bundles - 1
    return Bundles(network, hubs[0].pk, bundles)


def caps_are_held() -> None:
    """Have PostgreSQL itself refuse any counter above its cap from now on: one overrun would end the benchmark."""
    execute(
        "ALTER TABLE campaigns_destinationstate ADD CONSTRAINT benchmark_never_over_cap"
        " CHECK (live_cap IS NULL OR live <= live_cap)"
    )


def past_make(bundles: Bundles, *, calls: int) -> None:
    """`calls` ended calls through the bundles, evenly over the last 60 days, each with its trace and its leg."""
    execute(f"""
        WITH trace AS (
            SELECT b.id, jsonb_build_object('entries', jsonb_agg(jsonb_build_array(d.destination_id, 1, 1, 0, 2, 4))) AS trace,
                   array_agg(d.destination_id) AS destinations
            FROM campaigns_campaign b JOIN campaigns_bundledestination d ON d.bundle_id = b.id
            WHERE b.id >= {bundles.first} AND b.id < {bundles.first + bundles.count} GROUP BY b.id
        ), made AS (
            INSERT INTO campaigns_call (network_id, campaign_id, promo_number, caller, caller_given, external_id, started_at,
                                        outcome, refusal, trace)
            SELECT {bundles.network.pk}, t.id, '', '+1' || (2000000000 + n::bigint * 7919 % 7999999999)::text, '', 'past-' || n,
                   now() - interval '60 days' + n * (interval '59 days' / {calls}), 'destination', '', t.trace
            FROM generate_series(1, {calls}) n JOIN trace t ON t.id = {bundles.first} + n % {bundles.count}
            RETURNING id, campaign_id, started_at
        )
        INSERT INTO campaigns_callleg (call_id, destination_id, kind, holds_slot, over_cap, reserved, selected_at, ringing_at,
                                       answered_at, expires_at, ended_at, end_reason, end_detail)
        SELECT m.id, t.destinations[1 + m.id / {bundles.count} % cardinality(t.destinations)], 'bundle', true, false, 12.5, m.started_at,
               m.started_at + interval '2 s', m.started_at + interval '9 s', m.started_at + interval '3 h',
               m.started_at + interval '5 min', 'caller_hangup', ''
        FROM made m JOIN trace t ON t.id = m.campaign_id
    """)  # fmt: skip
    # They were written past the counters.
    execute("SELECT count(campaigns_reconcile(campaign_id, true)) FROM campaigns_destinationstate")


def nothing_drifted() -> int:
    """Check what must be true when every call has ended; returns how many calls were routed.

    No leg is open, no counter is above zero, and recounting the legs finds every counter right.
    """
    from campaigns.actions import live_counts_reconcile

    assert execute("SELECT count(*) FROM campaigns_callleg WHERE ended_at IS NULL") == [(0,)]
    assert execute("SELECT count(*) FROM campaigns_destinationstate WHERE live <> 0") == [(0,)]
    drifts = live_counts_reconcile(with_usage=True)
    assert not drifts, f"{len(drifts)} counters drifted, such as {drifts[0]}"
    return execute("SELECT count(*) FROM campaigns_call")[0][0]
