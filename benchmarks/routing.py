"""Routing in the database: pgbench calls the functions that the portal calls, against `pgbench -N`.

A call is two durable transactions: `campaigns_route_call` (decision, slot, call with trace, leg) and
`campaigns_call_event` with `ended`. The yardstick is one small durable transaction.
"""

from collections.abc import Callable

from . import pgbench
from .data import Bundles, bundles_make, caps_are_held, network_make, nothing_drifted, past_make
from .report import Options, Report, Row, median, say
from .services import execute, settle

CALL = """
\\set bundle random(:first, :last)
\\set line random(0, 9999999)
\\set area random(25, 124) * 8
SELECT * FROM campaigns_route_call(:network, :bundle, '+18055550100', '+1' || (:area::bigint * 10000000 + :line::bigint)::text,
    10000000000000 + (:area::bigint * 10000000 + :line::bigint) * 10000, '', NULL, '120 s') \\gset
SELECT result FROM campaigns_call_event(:network, :call_id, 'ended', NULL, 'caller_hangup', '', '120 s', '3 h')
"""
CLIENTS = 16


def _calls(bundles: Bundles, clients: int, seconds: int) -> Callable[[], pgbench.Run]:
    values = {"network": bundles.network.pk, "first": bundles.first, "last": bundles.first + bundles.count - 1}
    return lambda: pgbench.measure(clients=clients, seconds=seconds, script=CALL, values=values)


def run(options: Options) -> Report:
    """Measure all cases in interleaved rounds; then the many bundles again with a long past."""
    pgbench.initialise()
    network = network_make()
    many = bundles_make(network, bundles=100, destinations=20, cap=4)
    hot = bundles_make(network, bundles=1, destinations=5, cap=4)
    five = bundles_make(network, bundles=1, destinations=5, cap=4)
    hundred = bundles_make(network, bundles=1, destinations=100, cap=4)
    caps_are_held()
    seconds = options.seconds
    cases = {
        "yardstick, 16": lambda: pgbench.measure(clients=CLIENTS, seconds=seconds),
        "100 x 20, 16": _calls(many, CLIENTS, seconds),
        "hot 5, 16": _calls(hot, CLIENTS, seconds),
        "yardstick, 1": lambda: pgbench.measure(clients=1, seconds=seconds),
        "one of 5, 1": _calls(five, 1, seconds),
        "one of 100, 1": _calls(hundred, 1, seconds),
    }
    runs = _rounds(cases, options.rounds)
    rate = {name: median(run.per_second for run in runs[name]) for name in cases}
    empty_calls = nothing_drifted()
    say(f"{empty_calls} calls routed, no cap passed, nothing drifted")

    say(f"writing a past of {options.past_calls} calls")
    past_make(many, calls=options.past_calls)
    settle()
    after = _rounds({name: cases[name] for name in ("yardstick, 16", "100 x 20, 16")}, options.rounds)
    yardstick_after = median(run.per_second for run in after["yardstick, 16"])
    with_past = median(run.per_second for run in after["100 x 20, 16"])
    total = nothing_drifted()
    hot_updates = execute(
        "SELECT round(100.0 * n_tup_hot_upd / n_tup_upd, 1) FROM pg_stat_user_tables"
        " WHERE relname = 'campaigns_destinationstate'"
    )[0][0]

    def statements(name: str, yardstick: str, target: float) -> Row:
        tried = sum(run.retried for run in runs[name])
        return Row(
            name, f"{rate[name]:.0f} calls/s = {2 * rate[name]:.0f} decisions and releases/s", f"{rate[yardstick]:.0f}/s",
            2 * rate[name] / rate[yardstick], f">= {target}", 2 * rate[name] / rate[yardstick] >= target,
            f"per whole call {rate[name] / rate[yardstick]:.2f}; {tried} lost races tried again",
        )  # fmt: skip

    cost = rate["one of 5, 1"] / rate["one of 100, 1"]
    past = (rate["100 x 20, 16"] / rate["yardstick, 16"]) / (with_past / yardstick_after)
    return Report(
        "routing",
        "Routing in the database",
        f"pgbench, prepared statements, durable commits, {options.rounds} interleaved rounds of {seconds} s, medians. "
        f"Yardstick: `pgbench -N`. {total - options.past_calls} calls were routed; PostgreSQL itself would have refused a "
        f"counter above its cap (none was), and recounting all legs found no drift. {hot_updates} % of the hot row's updates "
        "stayed on their page (HOT).",
        [
            statements("100 x 20, 16", "yardstick, 16", 0.6),
            statements("hot 5, 16", "yardstick, 16", 0.25),
            Row(
                "bundle of 100 against one of 5, 1 client", f"{rate['one of 100, 1']:.0f} calls/s",
                f"{rate['one of 5, 1']:.0f} calls/s", cost, "<= 2", cost <= 2, "time of one call, route and release",
            ),
            Row(
                f"{options.past_calls:,} past calls against none, 16 clients", f"{with_past:.0f} calls/s",
                f"{rate['100 x 20, 16']:.0f} calls/s", past, "<= 1.1", past <= 1.1,
                f"time of one call; each against the yardstick beside it ({rate['yardstick, 16']:.0f} and {yardstick_after:.0f}/s)",
            ),
        ],
    )  # fmt: skip


def _rounds(cases: dict[str, Callable[[], pgbench.Run]], rounds: int) -> dict[str, list[pgbench.Run]]:
    runs: dict[str, list[pgbench.Run]] = {name: [] for name in cases}
    for number in range(rounds):
        for name, case in cases.items():
            run = case()
            assert run.failed == 0, f"{name}: {run.failed} calls failed"
            runs[name].append(run)
            say(f"round {number + 1}: {name}: {run.per_second:.0f}/s, {run.milliseconds:.2f} ms, {run.retried} retried")
        execute("CHECKPOINT")
    return runs
