"""Outbound: importing a list against bulk_create and bare COPY; claims with their results against pgbench and Celery.

A "call" takes no time here: what is measured is the queue. Attempts are committed before the call, and every event of
it is kept (accepted, answered, ended).
"""

import csv
import io
import multiprocessing
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import pgbench
from .report import Options, Report, Row, median, say
from .services import conninfo, execute, settle

WORKERS = 2
CLAIM = 200
PIECE = 1 << 20
ANI = "+18055550100"


def run(options: Options) -> Report:
    """Measure imports and claims in interleaved rounds."""
    rows = max(options.campaigns, 10_000)
    house = _house()
    imports = _imports(house, rows, options.rounds)
    claims = _claims(house, options)
    per_second = {name: median(found) for name, found in (imports["rates"] | claims).items()}
    against_bulk = per_second["import"] / per_second["bulk_create"]
    against_copy = per_second["import"] / per_second["copy"]
    memory = max(imports["memory"])
    against_celery = per_second["queue"] / per_second["celery"]
    against_pgbench = per_second["queue"] / per_second["pgbench"]
    return Report(
        "outbound",
        "Outbound: lists and claims",
        f"A list of {rows:,} North American numbers with two parameters each, normalised, deduplicated, do-not-call applied, "
        f"indexed and visible. Claims: {WORKERS} workers, {CLAIM} calls a claim, attempts committed before the call, all events "
        f"kept, results of a claim in one statement; durable commits; {options.rounds} interleaved rounds, medians. At the end "
        "every counter agreed with its rows.",
        [
            Row("import against bulk_create in batches of 5 000", f"{per_second['import']:.0f} rows/s",
                f"{per_second['bulk_create']:.0f} rows/s", against_bulk, ">= 5", against_bulk >= 5),
            Row("import against bare COPY into a table without indexes", f"{per_second['import']:.0f} rows/s",
                f"{per_second['copy']:.0f} rows/s", against_copy, ">= 0.1", against_copy >= 0.1),
            Row("import against COPY of its finished rows into the same table with its indexes, in the order of the list",
                f"{per_second['import']:.0f} rows/s", f"{per_second['finished']:.0f} rows/s",
                per_second["import"] / per_second["finished"], "", None),
            Row("COPY of the finished rows into the same table without any index, against the bare COPY",
                f"{per_second['unindexed']:.0f} rows/s", f"{per_second['copy']:.0f} rows/s",
                per_second["unindexed"] / per_second["copy"], "", None),
            Row("peak memory of the process that imports", f"{memory:.0f} MB", "150 MB", memory / 150, "<= 1", memory <= 150),
            Row("claimed, dialed and written against one Celery task per call", f"{per_second['queue']:.0f} calls/s",
                f"{per_second['celery']:.0f} calls/s", against_celery, ">= 10", against_celery >= 10),
            Row("the same against `pgbench -N`, 2 clients", f"{per_second['queue']:.0f} calls/s",
                f"{per_second['pgbench']:.0f}/s", against_pgbench, ">= 3", against_pgbench >= 3),
        ],
    )  # fmt: skip


def _house() -> dict[str, Any]:
    from promo_numbers.models import PromoNumber

    from campaigns.models import Advertiser, Campaign
    from outbound import actions

    from .data import network_make

    network = network_make()
    advertiser = Advertiser.objects.create(network=network, name="A", id_from_network="a")
    campaign = Campaign.objects.create(
        network=network, advertiser=advertiser, name="C", id_from_network="c", campaign_type="Bundled", status="Live"
    )
    PromoNumber.objects.create(network=network, campaign=campaign, number=ANI, description="Benchmark")
    carrier = actions.carrier_create(by=None, network=network, kind="simulator", name="Simulator")
    blocked = actions.do_not_call_list_create(by=None, network=network, name="Never")
    dice = random.Random(2)
    actions.do_not_call_add(
        by=None,
        to=blocked,
        patterns=["+1900*", *(f"+1303{dice.randrange(2_000_000, 10_000_000)}" for _ in range(10_000))],
    )
    return {"network": network, "carrier": carrier}


def _batch(house: dict[str, Any], name: str) -> Any:
    from outbound import actions

    hours = {
        f"{day}_{edge}": at
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        for edge, at in (("open", 0), ("closed", 86_400))
    }
    return actions.batch_create(
        by=None, network=house["network"], name=name, ani=ANI, carrier=house["carrier"], hours=hours
    )


def _numbers(count: int, seed: int) -> Iterator[str]:
    """Numbers as people write them, nearly all different, of area codes that exist."""
    dice = random.Random(seed)
    areas = (201, 212, 213, 214, 303, 305, 312, 404, 415, 503, 602, 617, 702, 713, 720, 805, 808, 907)
    layouts = ("{}{}{}", "({}) {}-{}", "{}-{}-{}", "+1{}{}{}", "1 {} {} {}")
    for _ in range(count):
        area, exchange, line = dice.choice(areas), dice.randrange(200, 1000), dice.randrange(10_000)
        yield dice.choice(layouts).format(area, f"{exchange:03d}", f"{line:04d}")


def _list(count: int, seed: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["destination", "first_name", "reference"])
    writer.writerows([number, "Ann", f"ref-{index}"] for index, number in enumerate(_numbers(count, seed)))
    return text.getvalue().encode()


def _imports(house: dict[str, Any], count: int, rounds: int) -> dict[str, Any]:
    rates: dict[str, list[float]] = {"import": [], "bulk_create": [], "copy": [], "finished": [], "unindexed": []}
    memory: list[float] = []
    for number in range(rounds):
        data = _list(count, number)
        seconds, megabytes = _import(house, data, number)
        rates["import"].append(count / seconds)
        memory.append(megabytes)
        rates["bulk_create"].append(count / _bulk_create(house, data, number))
        rates["copy"].append(count / _bare_copy(data))
        with_indexes, without = _finished_rows(house, f"I{number}")
        rates["finished"].append(count / with_indexes)
        rates["unindexed"].append(count / without)
        say(
            f"round {number + 1}: import {rates['import'][-1]:.0f}, bulk_create {rates['bulk_create'][-1]:.0f},"
            f" COPY {rates['copy'][-1]:.0f}, finished rows {rates['finished'][-1]:.0f},"
            f" without indexes {rates['unindexed'][-1]:.0f} rows/s; {megabytes:.0f} MB"
        )
        execute("CHECKPOINT")
    return {"rates": rates, "memory": memory}


def _alone(work: Callable[[Any], None], *arguments: Any) -> Any:
    """Run work in a fresh process, so that its memory is its own; what it puts on the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, *arguments))
    process.start()
    result = ours.recv()
    process.join()
    return result


def _import(house: dict[str, Any], data: bytes, number: int) -> tuple[float, float]:
    from outbound import actions, tasks

    # Nobody but this benchmark runs it.
    tasks.queue = lambda *_arguments, **_options: None  # type: ignore[assignment]
    pieces = (data[start : start + PIECE] for start in range(0, len(data), PIECE))
    job = actions.import_create(by=None, batch=_batch(house, f"I{number}"), file_name="list.csv", pieces=pieces)
    return _alone(_import_alone, job.pk)


def _import_alone(pipe: Any, job: int) -> None:
    import django

    django.setup()
    from outbound import actions

    began = time.perf_counter()
    done = actions.import_run(job=job)
    seconds = time.perf_counter() - began
    assert done is not None and done.state == "done", done and done.error
    # The process's own highest; getrusage would tell that of the one it was started from.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    pipe.send((seconds, int(peak.split()[1]) / 1024))


def _bulk_create(house: dict[str, Any], data: bytes, number: int) -> float:
    """The usual way with the same normalising: model instances in batches of 5 000, duplicates left to the index."""
    from django.db import connection, transaction
    from django.utils import timezone

    from outbound.imports.load import zone_set_id
    from outbound.imports.numbers import NumberReader, Refused
    from outbound.models import Recipient

    batch = _batch(house, f"B{number}")
    reader = NumberReader("US", lambda zones: zone_set_id(zones, connection))
    began = time.perf_counter()
    with transaction.atomic():
        made = []
        for row in csv.DictReader(io.StringIO(data.decode())):
            try:
                e164, zones = reader.read(row["destination"])
            except Refused:
                continue
            parameters = {"first_name": row["first_name"], "reference": row["reference"]}
            made.append(
                Recipient(batch_id=batch.pk, number=e164, zones_id=zones, due_at=timezone.now(), parameters=parameters)
            )
            if len(made) == 5_000:
                Recipient.objects.bulk_create(made, ignore_conflicts=True)
                made = []
        Recipient.objects.bulk_create(made, ignore_conflicts=True)
    return time.perf_counter() - began


def _bare_copy(data: bytes) -> float:
    import psycopg

    with psycopg.connect(conninfo(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS benchmark_copy")
        connection.execute("CREATE TABLE benchmark_copy (destination text, first_name text, reference text)")
        return _copied(connection, "COPY benchmark_copy FROM STDIN (FORMAT csv, HEADER)", data)


def _finished_rows(house: dict[str, Any], name: str) -> tuple[float, float]:
    """Seconds that a COPY of an imported batch's rows takes, nothing else done: into the recipients, and without indexes.

    What no import can go below: the first as long as the table has its indexes, the second as long as rows are what they are.
    """
    import psycopg

    from outbound.models import Batch

    columns = "number, zones_id, ani, parameters, state, reason, due_at, attempts, dialed, outcome"
    source, target = Batch.objects.get(name=name).pk, _batch(house, f"{name} again").pk
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        with connection.cursor().copy(
            f"COPY (SELECT {target}, {columns} FROM outbound_recipient WHERE batch_id = {source} ORDER BY id) TO STDOUT"
        ) as copy:
            data = b"".join(copy)
        connection.execute("DROP TABLE IF EXISTS benchmark_rows")
        connection.execute("CREATE TABLE benchmark_rows (LIKE outbound_recipient INCLUDING ALL EXCLUDING INDEXES)")
        return (
            _copied(connection, f"COPY outbound_recipient (batch_id, {columns}) FROM STDIN", data),
            _copied(connection, f"COPY benchmark_rows (batch_id, {columns}) FROM STDIN", data),
        )


def _copied(connection: Any, statement: str, data: bytes) -> float:
    began = time.perf_counter()
    with connection.cursor().copy(statement) as copy:
        for start in range(0, len(data), 1 << 16):
            copy.write(data[start : start + (1 << 16)])
    return time.perf_counter() - began


def _claims(house: dict[str, Any], options: Options) -> dict[str, list[float]]:
    from outbound import actions

    pgbench.initialise()
    settle()
    rates: dict[str, list[float]] = {"queue": [], "celery": [], "pgbench": []}
    for number in range(options.rounds):
        rates["queue"].append(_queue(house, options.seconds, number))
        rates["celery"].append(_celery(house, 300 * options.seconds, number))
        rates["pgbench"].append(pgbench.measure(clients=WORKERS, seconds=options.seconds).per_second)
        say(
            f"round {number + 1}: queue {rates['queue'][-1]:.0f}, one task per call {rates['celery'][-1]:.0f},"
            f" pgbench -N {rates['pgbench'][-1]:.0f} a second"
        )
        execute("CHECKPOINT")
    assert actions.counters_reconcile() == [], "counters drifted"
    return rates


def _fill(house: dict[str, Any], count: int, name: str, started: bool) -> Any:
    """A batch of `count` people who may be called now."""
    from outbound import actions
    from outbound.actions.common import rows

    batch = _batch(house, name)
    actions.recipients_add(by=None, batch=batch, calls=[{"destination": "+13032002000"}])
    rows(
        "INSERT INTO outbound_recipient (batch_id, number, zones_id, state, reason, attempts, dialed, due_at, outcome, ani)"
        " SELECT %s, '+1720' || (2000000 + n), (SELECT zones_id FROM outbound_recipient WHERE batch_id = %s LIMIT 1),"
        " 'pending', '', 0, 0, now(), '', '' FROM generate_series(1, %s) n",
        [batch.pk, batch.pk, count],
    )
    if started:
        actions.batch_start(by=None, batch=batch)
    execute("VACUUM ANALYZE outbound_recipient")
    return batch


def _queue(house: dict[str, Any], seconds: int, number: int) -> float:
    """Calls a second of several workers that claim, "dial" and write results until the time is over."""
    from outbound import actions

    batch = _fill(house, 30_000 * seconds, f"Q{number}", started=True)
    context = multiprocessing.get_context("spawn")
    gun = context.Barrier(WORKERS)
    done = context.Queue()
    workers = [context.Process(target=_claimer, args=(gun, done, house["carrier"].pk, seconds)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    rates = [done.get() for _ in workers]
    for worker in workers:
        worker.join()
    actions.batch_pause(by=None, batch=batch)
    return sum(rates)


def _claimer(gun: Any, done: Any, carrier: int, seconds: int) -> None:
    import django

    django.setup()
    from outbound import actions

    actions.calls_claim(worker="warm", limit=0)
    gun.wait()
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        calls = actions.calls_claim(worker="benchmark", limit=CLAIM)
        events = [
            {"attempt": str(call.attempt), "kind": kind, "key": kind, "source": "callback", "outcome": outcome}
            for call in calls
            for kind, outcome in (("accepted", ""), ("answered", ""), ("ended", "answered"))
        ]
        actions.events_apply(carrier=carrier, events=events)
        count += len(calls)
        if not calls:
            time.sleep(0.002)
    done.put(count / (time.perf_counter() - began))


def _celery(house: dict[str, Any], count: int, number: int) -> float:
    """Calls a second with one Celery task each, from the first one queued to the last one written."""
    from outbound.models import BatchState, Recipient

    from .one_task import dial

    batch = _fill(house, count, f"T{number}", started=False)
    everybody = list(Recipient.objects.filter(batch=batch).values_list("pk", flat=True))
    command = [
        sys.executable,
        "-m",
        "celery",
        "--quiet",
        "-A",
        "benchmarks.one_task",
        "worker",
        "--concurrency",
        str(WORKERS),
    ]
    options = ["--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel", "ERROR"]
    worker = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # Ready when the first call is through, which also opens the connections.
        dial.delay(everybody[0], batch.pk, house["carrier"].pk)
        while not BatchState.objects.filter(pk=batch.pk, completed=1).exists():
            time.sleep(0.05)
        began = time.perf_counter()
        for pk in everybody[1:]:
            dial.delay(pk, batch.pk, house["carrier"].pk)
        while BatchState.objects.filter(pk=batch.pk, completed__lt=len(everybody)).exists():
            time.sleep(0.02)
        return (len(everybody) - 1) / (time.perf_counter() - began)
    finally:
        worker.terminate()
        worker.wait()
