"""Numbers in the database: visitors' numbers, and adding numbers under three limits on one hot network.

pgbench calls the function that `allocate_number` calls, and runs the statements of `actions.number_add`; the yardstick is
`pgbench -N`, and for visitors also a routed call. What was done is then counted again from the rows.
"""

from collections.abc import Callable

from promo_numbers.models import RingPool

from campaigns.models import Advertiser, Campaign
from portal.accounts.models import Network

from . import pgbench
from .data import bundles_make, network_make
from .report import Options, Report, Row, median, say
from .routing import CALL
from .services import execute, settle

CLIENTS = 16
POOLS, SIZE = 50, 400
# Seconds. Shorter than anybody may set it, so that numbers pass from visitor to visitor while it is measured.
LIFETIME = 1
CAMPAIGNS = 20
LIMIT = 5_000_000

# A few visitors look at many pages, many at few.
ALLOCATE = """
\\set pool random(:first, :last)
\\set visitor random_zipfian(1, 100000, 1.3)
SELECT outcome FROM numbers_allocate(:pool, 'bench-' || :pool, md5(:visitor::text),
    '{"utm_source": "search", "utm_campaign": "spring", "page": "https://www.example.com/roofs"}')
"""
# Every request by somebody new: the most that a request can write.
NEWCOMERS = ALLOCATE.replace("random_zipfian(1, 100000, 1.3)", "random(1, 1000000000)")
ADD = """
\\set campaign random(:first, :last)
SELECT id, number, supplier, created_at FROM numbers_add(:network, CAST(:campaign AS bigint), 'Local', NULL::text[], NULL, NULL,
    '{"description": "Flyer", "media_type": "Online: Display", "promo_type": "Local", "custom_data": {}, "extra": {}}',
    jsonb_build_object('object_id', CAST(:campaign AS text)) ||
    '{"actor_id": null, "token_id": null, "event": "number.add", "object_type": "campaigns.campaign", "object_label": "Bench",
      "changes": {"promo_number": [null, ""], "description": [null, "Flyer"]}, "reason": "", "request_id": ""}', true);
SELECT pg_logical_emit_message(true, 'headroom', '');
"""


def _campaigns(network: Network, count: int) -> list[Campaign]:
    advertiser = Advertiser.objects.create(network=network, id_from_network="numbers", name="Numbers")
    return Campaign.objects.bulk_create(
        Campaign(
            network=network, advertiser=advertiser, id_from_network=f"numbers-{index}", name=f"Numbers {index}",
            campaign_type="DirectOnly", status="Live",
        )
        for index in range(count)
    )  # fmt: skip


def _pools_make(network: Network, campaign: Campaign) -> list[int]:
    """POOLS pools of SIZE numbers; their ids follow each other."""
    execute("ALTER TABLE numbers_ringpool DROP CONSTRAINT pool_lifetime_in_range")
    pools = RingPool.objects.bulk_create(
        RingPool(
            network=network, campaign=campaign, id_from_network=f"bench-{index}", name=f"Bench {index}",
            lifetime_seconds=LIFETIME, max_pool_size=SIZE, allow_overflow=False,
        )
        for index in range(POOLS)
    )  # fmt: skip
    ids = [pool.pk for pool in pools]
    execute("UPDATE numbers_ringpool SET api_key = 'bench-' || id")
    execute(
        "INSERT INTO numbers_promonumber (network_id, campaign_id, ring_pool_id, is_overflow, number, state, id_from_network,"
        " description, media_type, promo_type, custom_data, supplier, extra, created_at)"
        f" SELECT {network.pk}, {campaign.pk}, {ids[0]} + n % {POOLS}, false, '+1806' || 2000000 + n, 'active', '', 'Dynamic',"
        f" 'Online: Display', 'Local', '{{}}', 'stock', '{{}}', now() FROM generate_series(0, {POOLS * SIZE - 1}) n"
    )
    return ids


def _stock_make(count: int) -> None:
    execute(
        "INSERT INTO numbers_stocknumber (number, kind, country, area_code, locality, region, supplier, supplier_reference,"
        " state, created_at) SELECT '+1805' || 2000000 + n, 'Local', 'US', '805', '', '', 'stock', '', 'free', now()"
        f" FROM generate_series(1, {count}) n"
    )


def _never_two() -> tuple[int, int]:
    """(times of a visitor with a number, of them such as began before the last visitor's time could have run out)."""
    return execute(
        "SELECT count(*), count(*) FILTER (WHERE visitor <> before_who AND started_at - before_at < interval"
        f" '{LIFETIME} s') FROM (SELECT visitor, started_at, lag(visitor) OVER w AS before_who, lag(started_at) OVER w AS"
        " before_at FROM numbers_allocation WINDOW w AS (PARTITION BY promo_number_id ORDER BY started_at)) a"
    )[0]


def _limits_hold(network: Network) -> int:
    """Numbers added; asserts that the three counters are the rows, and no limit is passed."""
    total, dynamic, limit = execute(
        f"SELECT total_used, dynamic_used, total_limit FROM numbers_networknumbers WHERE network_id = {network.pk}"
    )[0]
    rows, dynamics = execute(
        f"SELECT count(*), count(ring_pool_id) FROM numbers_promonumber WHERE network_id = {network.pk}"
    )[0]
    assert (total, dynamic) == (rows, dynamics), "the counters are not the rows"
    assert total <= limit
    drifted = execute("SELECT count(*) FROM numbers_reconcile(false)")[0][0]
    assert drifted == 0, f"{drifted} counters drifted"
    return rows - dynamics


def run(options: Options) -> Report:
    """Measure all cases in interleaved rounds."""
    pgbench.initialise()
    network = network_make()
    bundles = bundles_make(network, bundles=100, destinations=20, cap=4)
    campaigns = _campaigns(network, CAMPAIGNS)
    pools = _pools_make(network, campaigns[0])
    _stock_make(max(100_000, 5_000 * options.rounds * (options.seconds + 1)))
    execute(f"UPDATE numbers_networknumbers SET total_limit = {LIMIT}, dynamic_limit = {LIMIT}")
    execute(f"UPDATE numbers_campaignnumbers SET allowed = {LIMIT}")
    settle()
    seconds = options.seconds

    def scripted(script: str, first: int, last: int) -> Callable[[], pgbench.Run]:
        values = {"network": network.pk, "first": first, "last": last}
        return lambda: pgbench.measure(clients=CLIENTS, seconds=seconds, script=script, values=values)

    cases = {
        "yardstick": lambda: pgbench.measure(clients=CLIENTS, seconds=seconds),
        "visitors": scripted(ALLOCATE, pools[0], pools[-1]),
        "newcomers": scripted(NEWCOMERS, pools[0], pools[-1]),
        "routing": scripted(CALL, bundles.first, bundles.first + bundles.count - 1),
        "adding": scripted(ADD, campaigns[0].pk, campaigns[-1].pk),
    }
    runs: dict[str, list[pgbench.Run]] = {name: [] for name in cases}
    for number in range(options.rounds):
        for name, case in cases.items():
            run = case()
            assert run.failed == 0, f"{name}: {run.failed} failed"
            runs[name].append(run)
            say(f"round {number + 1}: {name}: {run.per_second:.0f}/s, {run.milliseconds:.2f} ms, {run.retried} retried")
        execute("CHECKPOINT")
    rate = {name: median(run.per_second for run in runs[name]) for name in cases}
    times, shared = _never_two()
    assert shared == 0, f"{shared} numbers had two visitors"
    missed = execute("SELECT count(*) FROM numbers_poolmiss")[0][0]
    added = _limits_hold(network)
    base = rate["yardstick"]

    def row(case: str, name: str, unit: str, target: float, note: str) -> Row:
        ratio = rate[name] / base
        return Row(case, f"{rate[name]:.0f} {unit}/s", f"{base:.0f}/s", ratio, f">= {target}", ratio >= target, note)

    return Report(
        "numbers",
        "Numbers",
        f"pgbench, prepared statements, durable commits, {CLIENTS} clients, {options.rounds} interleaved rounds of {seconds} s,"
        f" medians. Yardstick: `pgbench -N`. {POOLS} pools of {SIZE} numbers, a lifetime of {LIFETIME} s so that numbers pass on"
        f" while it is measured: {times:,} times a number went to a visitor, never to a second one within the first one's time;"
        f" {missed:,} found none free. {added:,} numbers were added on one network; at the end the counters of all three limits"
        " were the rows, and no limit was passed.",
        [
            row("visitors over 50 pools", "visitors", "requests", 0.5, "some new, most again"),
            row("newcomers alone over 50 pools", "newcomers", "requests", 0.5, "the most that a request can write"),
            Row(
                "visitors against calls", f"{rate['visitors']:.0f} requests/s",
                f"{2 * rate['routing']:.0f} decisions and releases/s", rate["visitors"] / (2 * rate["routing"]), "", None,
                "100 bundles of 20 destinations",
            ),
            row("adding numbers on one hot network", "adding", "numbers", 0.25, f"{CAMPAIGNS} campaigns, three limits"),
        ],
    )  # fmt: skip
